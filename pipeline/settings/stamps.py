"""Stamps of files: enough to see that a file was changed, without reading it."""

import os
import stat
from collections.abc import Iterator

Stamp = tuple[int, int, int]
"""Size in bytes, time of the last change in nanoseconds, inode."""

CODE = "pipeline"


def of(path: str) -> Stamp | None:
    """Return the stamp of a file, links followed; None if there is no regular file."""
    try:
        found = os.stat(path)  # noqa: PTH116 - pathlib's takes three times as long
    except OSError:
        return None
    regular = stat.S_ISREG(found.st_mode)
    return (found.st_size, found.st_mtime_ns, found.st_ino) if regular else None


def files(path: str) -> Iterator[str]:
    """Give the files that DVC hashes for a dependency: the file itself, or all of a folder.

    Of code these are Python's files, and no hidden ones: .dvcignore says so.
    """
    is_code = path.split("/")[0] == CODE
    try:
        entries = sorted(os.scandir(path), key=lambda entry: entry.name)
    except OSError:  # no folder
        yield path
        return
    for entry in entries:
        if is_code and entry.name.startswith("."):
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from files(entry.path)
        elif not is_code or entry.name.endswith(".py"):
            yield entry.path


_code: dict[str, Stamp | None] = {}


def note_code() -> None:
    """Note the stamps of the code, before Python imports it."""
    _code.update((path, of(path)) for path in files(CODE))


def noted(path: str) -> Stamp | None:
    """Return the stamp of a file of code as `note_code` found it; of any other file, as it is."""
    return _code[path] if path in _code else of(path)
