"""The files that `data.source` names under data/raw/: each once, and each watched by DVC.

DVC makes a new table when something under data/raw/ has changed. It looks into the folders there
and at what links to files lead to, but not into folders that are only linked, not into other
repositories of DVC's, and not at what .dvcignore names. A table that it does not look at would
change, and the old result would go on being called the result; so none of these is read.
"""

import difflib
import os
import posixpath
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from glob import escape, glob, has_magic
from pathlib import Path

from pathspec import GitIgnoreSpec

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError
from pipeline.settings.files import RAW
from pipeline.settings.messages import first_of, show

CSV = (".csv", ".tsv", ".txt")
PARQUET = (".parquet", ".pq")
SMALL = 1 << 20  # bytes that git keeps without regret
_NOT_FOLLOWED = (
    "{} is a link to a folder, which DVC does not follow: it would not notice when a table in it"
    " changes; copy the tables here, or link each of them by itself"
)


def named(source: str) -> list[Path]:
    """The files that `source` names, in the order of their names' bytes.

    Raises UserError if there are none, or if DVC does not watch one.
    """
    pattern = posixpath.normpath(source.replace("\\", "/"))
    path = Path(pattern)
    if path.is_dir():
        raise UserError(
            f"data.source: {pattern} is a folder; must be a file or a glob, such as {pattern}/*.csv"
        )
    if path.exists():
        found = [path]
    elif has_magic(pattern):
        # What DVC and git put beside the tables is none of them.
        found = [
            Path(name)
            for name in sorted(_matches(pattern), key=os.fsencode)
            if not name.endswith(".dvc") and not Path(name).is_dir()
        ]
    else:
        found = []
    if not found:
        raise UserError(f"data.source: {not_there(pattern)}")
    # A folder that is linked from within itself would be read as often as the link is followed. The
    # names count, too: DVC may link two equal tables to one file.
    by_place: dict[tuple[Path, str], Path] = {}
    for path in sorted(found, key=_link_above):
        by_place.setdefault((path.parent.resolve(), path.name), path)
    found = sorted(by_place.values(), key=os.fsencode)
    for path in found:
        check_kind(path, ", or narrow the glob" if len(found) > 1 else "")
    _check_watched(found)
    return found


def _link_above(path: Path) -> bool:
    """True if a folder between data/raw and a file is a link."""
    return any(parent.is_symlink() for parent in _folders(path))


def _folders(path: Path) -> Iterator[Path]:
    """The folders between data/raw and `path`, the outermost first."""
    return (parent for parent in reversed(path.parents) if RAW in parent.parents)


def _check_watched(paths: Sequence[Path]) -> None:
    """Raises UserError if DVC does not look at one of the files."""
    for folder in dict.fromkeys(folder for path in paths for folder in _folders(path)):
        if folder.is_symlink():
            raise UserError(f"data.source: {_NOT_FOLLOWED.format(folder)}")
        if (folder / ".dvc").is_dir():
            raise UserError(
                f"data.source: {folder} is a repository of DVC's of its own, which DVC leaves out:"
                f" it would not notice when a table in it changes; copy the tables into {RAW}"
            )
    here = Path.cwd()
    root = next((above for above in (here, *here.parents) if (above / ".dvc").is_dir()), here)
    for path in paths:
        above = [above for above in (here / path).parents if above.is_relative_to(root)]
        if rule := _ignored(here / path, above[::-1]):
            raise UserError(
                f"data.source: {path} is left out by {rule}: DVC would not notice when it changes;"
                " take the line away, or give the table another name"
            )


def _ignored(path: Path, folders: Sequence[Path]) -> str | None:
    """The rule by which DVC leaves a file out, or None.

    folders: those above the file, from the repository's own down.
    """
    rules = [(folders[0], [".git", ".hg", ".dvc"], "DVC's own rules")]
    for folder in folders:
        file = folder / ".dvcignore"
        if file.exists():
            lines = regular_file.text(file).splitlines()
            rules.append((folder, lines, str(file)))
    for folder, lines, where in rules:
        spec = GitIgnoreSpec.from_lines(lines)
        # What is in a folder that is left out is left out, whatever a later line says of it.
        for way in (*(f"{above}/" for above in folders[1:]), str(path)):
            if Path(way).is_relative_to(folder):
                matched = spec.check_file(os.path.relpath(way, folder) + "/" * way.endswith("/"))
                if matched.include and matched.index is not None:
                    return f"{show(lines[matched.index])} in {where}"
    return None


def check_kind(path: Path, otherwise: str = "") -> None:
    """Raises UserError if the name is not that of a kind of file that can be read."""
    if path.suffix.lower() not in CSV + PARQUET:
        packed = path.suffix.lower() in (".gz", ".bz2", ".xz", ".zst", ".zip")
        cure = "unpack it first" if packed else "save the table as one of them"
        if path.suffix.lower() in ("", ".dat", ".data"):
            cure += ", or name it .csv if it is text"
        kind = f"of kind {show(path.suffix)}" if path.suffix else "without an extension"
        raise UserError(
            f"{path}: found a file {kind}; must be {', '.join(CSV)} or"
            f" {', '.join(PARQUET)}; {cure}{otherwise}"
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
    found: dict[str, None] = {}
    for base in glob(before):  # noqa: PTH207
        top = Path(base).resolve()
        for folder, names, _ in os.walk(base):
            names[:] = [name for name in names if not name.startswith(".")]
            for link in (Path(folder, name) for name in names if Path(folder, name).is_symlink()):
                if not link.resolve().is_relative_to(top):
                    raise UserError(f"data.source: {_NOT_FOLLOWED.format(link)}")
            found |= dict.fromkeys(_matches(posixpath.join(escape(folder), after)))
    return [*found]


def not_there(pattern: str) -> str:
    """Message for a `pattern` that names no file."""
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
        return f"{text}, but {pattern}.dvc; `dvc checkout {pattern}.dvc` or `dvc pull` brings it"
    # DVC runs temporary experiments in a folder of their own, and says where the real one is.
    root = Path(os.environ.get("DVC_ROOT", "."))
    if root.resolve() != Path.cwd().resolve() and _matches(f"{escape(str(root))}/{pattern}"):
        return (
            f"{text} in this temporary experiment, which has only what is committed or in DVC; in"
            f" {root}, `git add {pattern} && git commit` if it is small, else `dvc add {pattern}`"
            " and commit what that says"
        )
    folder = path.parent if path.parent.is_dir() else RAW
    names = sorted(
        entry.name
        for entry in (folder.iterdir() if folder.is_dir() else ())
        if entry.suffix.lower() in CSV + PARQUET
    )
    near = difflib.get_close_matches(path.name, names, 1)
    if near and folder == path.parent and not has_magic(pattern):
        return f"{text}; did you mean {folder / near[0]}?"
    if names:
        return f"{text}; {folder} has {first_of(names, 5)}"
    return f"{text}; put your CSV or Parquet file into {RAW}/"


# --- what git and DVC know


def warn_unkept(source: str, files: Sequence[Path]) -> None:
    """Say which files a temporary experiment of DVC's would not have.

    Those that are only staged are among them: the first `dvc exp run` unstages them.
    """
    try:
        subprocess.run(["git", "rev-parse", "--git-dir"], capture_output=True, check=True)
        # Without a commit there is no HEAD, and nothing is kept.
        listed = subprocess.run(
            ["git", "ls-tree", "-r", "-z", "--name-only", "HEAD", "--", "data", "data.dvc"],
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return  # no git, or no repository
    known = {os.fsdecode(name) for name in listed.stdout.split(b"\0")}
    unkept = [
        path
        for path in files
        if not any(
            name in known
            for name in (str(path), f"{path}.dvc", *(f"{p}.dvc" for p in path.parents))
        )
    ]
    if not unkept:
        return
    names = " ".join(shlex.quote(str(path)) for path in unkept) if len(unkept) <= 3 else source
    size = sum(path.stat().st_size for path in unkept)
    command = f"`git add {names} && git commit`"
    if size > SMALL:
        command = f"`dvc add {names}`, and commit what that says"
    if any(Path(f"{path}.dvc").exists() for path in unkept):
        stubs = " ".join(shlex.quote(f"{path}.dvc") for path in unkept[:3])
        command = f"`git add {stubs} && git commit`"
    print(
        f"warning: {first_of([str(path) for path in unkept], 1)}: in no commit and not in DVC, so"
        f" temporary experiments and your colleagues will not have it; {command}",
        file=sys.stderr,
    )
