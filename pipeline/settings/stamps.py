"""Stamps of files: enough to see that a file may have changed, without reading it."""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from pipeline.settings import dvc_md5
from pipeline.settings.errors import UserError

Stamp = tuple[int, int, int, int]
"""Size in bytes, time of the last change of the content and of the inode in nanoseconds, inode."""


@dataclass(frozen=True)
class Noted:
    """Stamp and md5 of a file."""

    stamp: Stamp | None
    """None if there is no regular file."""
    md5: str
    """Empty if there is no regular file that can be read."""


def of(path: str) -> Stamp | None:
    """Return the stamp of a file, links followed; None if there is no regular file."""
    try:
        status = os.stat(path)  # noqa: PTH116 - pathlib's takes three times as long
    except OSError:
        return None
    regular = stat.S_ISREG(status.st_mode)
    times = (status.st_mtime_ns, status.st_ctime_ns)
    return (status.st_size, *times, status.st_ino) if regular else None


def md5(path: str) -> str:
    """Return the md5 of a file; empty if it cannot be read."""
    try:
        return dvc_md5.of_file(Path(path))
    except (OSError, UserError):
        return ""


_code: dict[str, Noted] = {}


def note_code() -> None:
    """Note the code before Python imports it, in a few milliseconds."""
    # The stamp comes first: an edit between the two changes it.
    _code.update((path, Noted(of(path), md5(path))) for path in dvc_md5.files(dvc_md5.CODE_FOLDER))


def noted(path: str) -> Noted | None:
    """Return what `note_code` noted of a file; None if it is not code."""
    return _code.get(path)
