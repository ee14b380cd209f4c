"""Checks that DVC notices a change of a user's table, and that DVC or git keeps the table.

DVC makes a new table when something under data/raw/ has changed. It reads the folders there and
follows links to files, but it does not follow links to folders, and reads neither other DVC
repositories nor files that .dvcignore names. A table that DVC does not read could change while the
old result is still reported as up to date; so such a table is refused.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pathspec import GitIgnoreSpec

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError
from pipeline.settings.files import RAW
from pipeline.settings.messages import first_of, show

LARGEST_BYTES_IN_GIT = 1 << 20  # for a larger file the message recommends DVC
LINKED_FOLDER_MESSAGE = (
    "{} is a link to a folder, which DVC does not follow: it would not notice when a table in it"
    " changes; copy the tables here, or link each of them by itself"
)


def folders(path: Path) -> Iterator[Path]:
    """Return the folders between data/raw and `path`, the outermost first."""
    return (parent for parent in reversed(path.parents) if RAW in parent.parents)


def check_watched(paths: Sequence[Path]) -> None:
    """Raise UserError if DVC does not read one of the files."""
    for folder in dict.fromkeys(folder for path in paths for folder in folders(path)):
        if folder.is_symlink():
            raise UserError(f"data.source: {LINKED_FOLDER_MESSAGE.format(folder)}")
        if (folder / ".dvc").is_dir():
            raise UserError(
                f"data.source: {folder} is a DVC repository of its own, into which DVC does not"
                f" look: it would not notice when a table in it changes; copy the tables into {RAW}"
            )
    here = Path.cwd()
    root = next((above for above in (here, *here.parents) if (above / ".dvc").is_dir()), here)
    for path in paths:
        above = [above for above in (here / path).parents if above.is_relative_to(root)]
        if rule := _ignoring_rule(here / path, above[::-1]):
            raise UserError(
                f"data.source: {path} is ignored by {rule}: DVC would not notice when it changes;"
                " remove the line, or give the table another name"
            )


def _ignoring_rule(path: Path, folders_above: Sequence[Path]) -> str | None:
    """Return the rule by which DVC ignores a file, or None.

    folders_above: the folders above the file, from the repository's own down.
    """
    rules = [(folders_above[0], [".git", ".hg", ".dvc"], "DVC's own rules")]
    for folder in folders_above:
        file = folder / ".dvcignore"
        if file.exists():
            lines = regular_file.text(file).splitlines()
            rules.append((folder, lines, str(file)))
    for folder, lines, where in rules:
        spec = GitIgnoreSpec.from_lines(lines)
        # All that is in an ignored folder is ignored, whatever a later line says.
        for place in (*(f"{above}/" for above in folders_above[1:]), str(path)):
            if Path(place).is_relative_to(folder):
                relative = os.path.relpath(place, folder) + "/" * place.endswith("/")
                matched = spec.check_file(relative)
                if matched.include and matched.index is not None:
                    return f"{show(lines[matched.index])} in {where}"
    return None


def warn_unkept(source: str, paths: Sequence[Path]) -> None:
    """Warn about the files that are in no commit and not in DVC.

    A temporary experiment of DVC would not have these files. Staged files are among them, because
    the first `dvc exp run` unstages them.
    """
    try:
        subprocess.run(["git", "rev-parse", "--git-dir"], capture_output=True, check=True)
        # Without a commit there is no HEAD, and no file is kept.
        listed = subprocess.run(
            ["git", "ls-tree", "-r", "-z", "--name-only", "HEAD", "--", "data", "data.dvc"],
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return  # no git, or no repository
    committed = {os.fsdecode(name) for name in listed.stdout.split(b"\0")}
    unkept = [
        path
        for path in paths
        if not any(
            name in committed
            for name in (str(path), f"{path}.dvc", *(f"{p}.dvc" for p in path.parents))
        )
    ]
    if unkept:
        print(
            f"warning: {first_of([str(path) for path in unkept], 1)}: in no commit and not in DVC,"
            " so temporary experiments and your colleagues will not have it;"
            f" {_command_to_keep(source, unkept)}",
            file=sys.stderr,
        )


def _command_to_keep(source: str, unkept: Sequence[Path]) -> str:
    """Return the command with which git or DVC keeps the files."""
    if any(Path(f"{path}.dvc").exists() for path in unkept):
        stubs = " ".join(shlex.quote(f"{path}.dvc") for path in unkept[:3])
        return f"`git add {stubs} && git commit`"
    names = " ".join(shlex.quote(str(path)) for path in unkept) if len(unkept) <= 3 else source
    if sum(path.stat().st_size for path in unkept) > LARGEST_BYTES_IN_GIT:
        return f"`dvc add {names}`, and commit what it writes"
    return f"`git add {names} && git commit`"
