"""Locks: one process at a time, on this machine."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from pipeline.settings.errors import UserError
from pipeline.settings.files import STATE_FOLDER, root


@contextmanager
def lock(name: str = "store", seconds: float = 60.0, busy: str = "") -> Iterator[None]:
    """Hold a lock in the block. Raises UserError if another process keeps it for `seconds`.

    busy: the message of this error, in place of one that names the file.

    Two processes must not use a fresh store of MLflow for the first time at once.
    """
    folder = root() / STATE_FOLDER / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / f"{name}.lock", timeout=seconds):
            yield
    except Timeout:
        usual = (
            f"another process has kept {folder / name}.lock for {seconds:g} s; try again when that"
            " has ended"
        )
        raise UserError(busy or usual) from None
