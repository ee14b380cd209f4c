"""The files under data/raw/ that `data.source` names, each once."""

import difflib
import os
import posixpath
import re
from glob import escape, glob, has_magic
from pathlib import Path

from pipeline.settings.errors import UserError
from pipeline.settings.files import RAW
from pipeline.settings.messages import first_of, show
from pipeline.tables import imported, text_source, versioned
from pipeline.tables.imported import is_part
from pipeline.tables.remote_file import RemoteFile

CSV = (".csv", ".tsv", ".txt", ".data", ".dat")
PARQUET = imported.PARQUET
JSON = (".json", ".jsonl", ".ndjson")
EXCEL = (".xlsx",)
KINDS = CSV + PARQUET + JSON + EXCEL


def named(source: str) -> list[Path | RemoteFile]:
    """Return the files that `source` names, in the order of their names' bytes.

    Raises UserError if it names no file, or a file that DVC does not watch.
    """
    pattern = posixpath.normpath(source.replace("\\", "/"))
    if pattern.endswith(imported.SUFFIX) and Path(pattern).is_file():
        versioned.check_watched([Path(pattern)])
        return imported.parts(Path(pattern))
    return [*_here(pattern)]


def _here(pattern: str) -> list[Path]:
    """Return the files under data/raw that a path or a glob names. Raises UserError as `named`."""
    path = Path(pattern)
    if path.is_dir():
        paths = _parts(pattern)
    elif path.exists():
        paths = [path]
    elif has_magic(pattern):
        # The files that DVC and git put beside the tables are not tables.
        paths = [
            Path(name)
            for name in sorted(_matches(pattern), key=os.fsencode)
            if not name.endswith(".dvc") and not Path(name).is_dir()
        ]
    else:
        paths = []
    if not paths:
        raise UserError(f"data.source: {not_there(pattern)}")
    # A folder with a link to itself would be read each time that the link is followed. Two names
    # are two files: DVC may link two equal tables to one file.
    by_place: dict[tuple[Path, str], Path] = {}
    for path in sorted(paths, key=_is_below_link):
        by_place.setdefault((path.parent.resolve(), path.name), path)
    paths = sorted(by_place.values(), key=os.fsencode)
    for path in paths:
        check_kind(path, ", or narrow the glob" if len(paths) > 1 else "")
    versioned.check_watched(paths)
    return paths


def _parts(folder: str) -> list[Path]:
    """Return the Parquet files in a folder and in the folders there.

    Names that begin with . or _ are not parts: Spark and others write such files beside the table.
    Raises UserError if there is no part.
    """
    paths = [
        Path(name)
        for name in _matches(f"{escape(folder)}/**")
        if is_part(posixpath.relpath(name, folder)) and not Path(name).is_dir()
    ]
    if not paths:
        raise UserError(
            f"data.source: {folder} is a folder without Parquet files; must be a folder of Parquet"
            f" files, a file, or a glob, such as {folder}/*.csv"
        )
    return paths


def _is_below_link(path: Path) -> bool:
    """Return True if a folder between data/raw and a file is a link."""
    return any(folder.is_symlink() for folder in versioned.folders(path))


def kind(path: Path) -> str:
    """Return the extension that tells the kind of a file, in lower case: .csv of t.csv.gz."""
    unpacked = Path(path.stem) if path.suffix.lower() in text_source.PACKED else path
    return unpacked.suffix.lower()


def check_kind(path: Path, other_cure: str = "") -> None:
    """Raise UserError if the file's extension tells no kind that can be read."""
    suffix, is_packed = kind(path), path.suffix.lower() in text_source.PACKED
    if suffix not in KINDS or (is_packed and suffix not in CSV + JSON):
        if (is_packed and suffix in KINDS) or path.suffix.lower() == ".zip":
            cure = "unpack it first"
        elif is_packed or not suffix:
            cure = f"name it .csv{path.suffix if is_packed else ''} if it is text"
        else:
            cure = "save the table as one of them"
        named = f"of kind {show(path.suffix)}" if path.suffix else "without an extension"
        raise UserError(
            f"{path}: found a file {named}; must be {', '.join(KINDS)}, or text packed as"
            f" {', '.join(text_source.PACKED)}; {cure}{other_cure}"
        )


def _matches(pattern: str) -> list[str]:
    """Return the files that a glob matches; `**` follows no links, which might lead back.

    Raises UserError if a link leads elsewhere, to files that might match.
    """
    pattern = re.sub(r"(/\*\*)+(/|$)", lambda deep: f"/**/{'' if deep[2] else '*'}", pattern)
    before, deep, after = pattern.partition("/**/")
    if not deep:
        # Path.glob would take hidden files too.
        return glob(pattern, recursive=True)  # noqa: PTH207
    matches: dict[str, None] = {}
    for base in glob(before):  # noqa: PTH207
        top = Path(base).resolve()
        for folder, names, _ in os.walk(base):
            names[:] = [name for name in names if not name.startswith(".")]
            for link in (Path(folder, name) for name in names if Path(folder, name).is_symlink()):
                if not link.resolve().is_relative_to(top):
                    raise UserError(f"data.source: {versioned.LINKED_FOLDER_MESSAGE.format(link)}")
            matches |= dict.fromkeys(_matches(posixpath.join(escape(folder), after)))
    return [*matches]


def not_there(pattern: str) -> str:
    """Return the message for a `pattern` that names no file."""
    path = Path(pattern)
    text = f"found no file {pattern}"
    if has_magic(pattern):
        text = f"found no file that matches {pattern}"
    elif path.is_symlink():
        return (
            f"{pattern} is a link to {path.readlink()}, which is not there; `dvc checkout` restores"
            " it"
        )
    elif Path(f"{pattern}.dvc").exists():
        return f"{text}, but {pattern}.dvc; `dvc checkout {pattern}.dvc` or `dvc pull` restores it"
    # DVC runs a temporary experiment in a folder of its own; DVC_ROOT is the user's folder.
    root = Path(os.environ.get("DVC_ROOT", "."))
    if root.resolve() != Path.cwd().resolve() and _matches(f"{escape(str(root))}/{pattern}"):
        return (
            f"{text} in this temporary experiment, which has only what is committed or in DVC; in"
            f" {root}, `git add {pattern} && git commit` if it is small, else `dvc add {pattern}`"
            " and commit what it writes"
        )
    folder = path.parent if path.parent.is_dir() else RAW
    names = sorted(
        entry.name
        for entry in (folder.iterdir() if folder.is_dir() else ())
        if kind(entry) in KINDS
    )
    near = difflib.get_close_matches(path.name, names, 1)
    if near and folder == path.parent and not has_magic(pattern):
        return f"{text}; did you mean {folder / near[0]}?"
    if names:
        return f"{text}; {folder} has {first_of(names, 5)}"
    return f"{text}; put your table into {RAW}/"
