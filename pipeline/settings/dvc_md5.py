"""MD5 of a file or folder as DVC records it, and the files that DVC hashes for it."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError

CODE_FOLDER = "pipeline"
MODULES_FOLDER = "modules"
"""The models of the user's own, which `model.module` names."""


def is_code(path: str) -> bool:
    """True if a path is in a folder of code."""
    return path.split("/")[0] in (CODE_FOLDER, MODULES_FOLDER)


def files(path: str) -> Iterator[str]:
    """Yield the files that DVC hashes for a dependency: the file itself, or all in a folder.

    In a folder of code these are the Python files that are not hidden, as .dvcignore says.
    """
    of_code = is_code(path)
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError:  # no folder
        yield path
        return
    for entry in entries:
        if of_code and entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from files(entry.path)
        elif not of_code or entry.name.endswith(".py"):
            yield entry.path


def of(path: Path) -> str:
    """Return the md5 of a file or a folder, as in dvc.lock. Raises UserError if it is missing."""
    try:
        if not path.is_dir():
            return of_file(path)
        # DVC hashes the list of the files in a folder, sorted by name.
        existing = [file for file in map(Path, files(str(path))) if file.is_file()]
        md5s = {file.relative_to(path).as_posix(): of_file(file) for file in existing}
    except FileNotFoundError as error:
        missing = error.filename
        cure = "`dvc repro` makes it"
        if Path(missing).parts[0] in (CODE_FOLDER, MODULES_FOLDER):  # which no stage makes
            cure = f"`git checkout -- {missing}` brings it back"
        raise UserError(f"{missing}: there is no such file; {cure}") from None
    listing = [{"md5": md5, "relpath": name} for name, md5 in sorted(md5s.items())]
    return hashlib.md5(json.dumps(listing).encode()).hexdigest() + ".dir"


def of_file(path: Path) -> str:
    """Return the md5 of a file. Raises UserError if it is not regular, OSError if not readable."""
    with regular_file.opened(path) as file:
        return hashlib.file_digest(file, "md5").hexdigest()
