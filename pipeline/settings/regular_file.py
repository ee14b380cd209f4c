"""Reading regular files only, because reading from a pipe or a device may never end."""

import io
import os
import stat
from pathlib import Path

from pipeline.settings.errors import UserError

CURE_BY_REPRO = "remove it, and `dvc repro` makes the file"
"""End of the message about a pipe, a device or a folder in the place of a pipeline's file."""


def opened(path: Path, cure: str = "") -> io.BufferedReader:
    """Open a file to read its bytes.

    cure: the end of the message. Raises UserError if it is not a regular file, OSError if it cannot
    be opened. The check comes after the opening: a name may be another file a moment later.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        name = "a folder" if stat.S_ISDIR(mode) else "a pipe or a device"
        raise UserError(f"{path}: found {name}; must be a file" + (f"; {cure}" if cure else ""))
    return os.fdopen(descriptor, "rb")


def check(path: Path, cure: str = CURE_BY_REPRO) -> None:
    """Refuse a path that is not a regular file before a library opens it. Raises as `opened`."""
    opened(path, cure).close()


def text(path: Path, cure: str = "") -> str:
    """Return the text of a file. Raises UserError if it is not UTF-8, and as `opened`."""
    with opened(path, cure) as file:
        return decoded(file.read(), path)


def decoded(content: bytes, path: Path) -> str:
    """Return the text of a file with this content. Raises UserError if it is not UTF-8."""
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}: not UTF-8 text ({error.reason} at byte {error.start}); save it as UTF-8"
        ) from None
