"""A lock lets one process at a time in, and names itself to the process that waits in vain."""

from pathlib import Path

import pytest

from pipeline.settings.errors import UserError
from pipeline.tracking.locks import lock


def test_a_lock_that_is_held_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    message = r"another process has kept .*/locks/a result\.lock for 0 s; try again"
    refused = pytest.raises(UserError, match=message)
    with lock("a result"), lock("another result", seconds=0.0), refused, lock("a result", 0.0):
        pytest.fail("two processes have the lock")


def test_a_lock_is_free_after_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    with pytest.raises(ZeroDivisionError), lock("a result"):
        _ = 1 / 0
    with lock("a result", seconds=0.0):
        pass
