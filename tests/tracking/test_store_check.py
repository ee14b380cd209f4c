"""The check of a store before MLflow opens it. Tests of servers: test_*_server.py."""

import threading
from pathlib import Path

import pytest
from conftest import GENEROUS

from pipeline.settings.errors import UserError
from pipeline.tracking import store, store_check


def test_a_store_on_a_share_that_is_not_mounted_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name in ("mlflow.db", "mlartifacts"):
        link = tmp_path / name
        link.symlink_to("/mnt/not mounted just now")
        with pytest.raises(UserError, match="is a link to /mnt/not mounted just now, which is not"):
            store.open_store("abline")
        assert link.is_symlink()
        link.unlink()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/not mounted/mlflow.db")
    with pytest.raises(UserError, match=r"there is no folder .*/not mounted; mount or make it"):
        store.open_store("abline")
    assert not list(tmp_path.glob("*"))


def test_a_store_that_is_slow_to_answer_is_given_up() -> None:
    over = threading.Event()
    with pytest.raises(TimeoutError):
        store_check.within(0.01, over.wait)
    over.set()
    assert store_check.within(GENEROUS, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        store_check.within(GENEROUS, lambda: 1 / 0)


def test_a_store_that_is_at_work_has_more_time() -> None:
    over = threading.Event()

    def more() -> float:
        over.set()
        return GENEROUS

    assert store_check.within(0.01, over.wait, more)
