"""Stores for tests: fixtures that tests/conftest.py loads."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.tracking.store import open_store


@pytest.fixture(scope="session")
def fresh_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh store, which takes seconds to make."""
    path = tmp_path_factory.mktemp("fresh") / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_ROOT", str(path.parent))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        open_store("abline")
    return path


@pytest.fixture
def store_folder(fresh_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository's folder with a store of its own."""
    shutil.copy(fresh_store, tmp_path / "mlflow.db")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    move_artifacts(tmp_path / "mlflow.db", tmp_path / "mlartifacts/runs", "abline")
    return tmp_path


def move_artifacts(store: Path, folder: Path, experiment: str = "%") -> None:
    """Write into a store that an experiment, or each of them, keeps its artifacts in `folder`."""
    with closing(sqlite3.connect(store)) as database, database:
        update = "UPDATE experiments SET artifact_location = ? WHERE name LIKE ?"
        database.execute(update, [folder.as_uri(), experiment])


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of servers that the person who runs the tests may have."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Return a function that mounts something on a new folder: `mount` with these arguments."""
    points: list[Path] = []

    def mount(*arguments: str) -> Path:
        point = tmp_path / f"mount {len(points)}"
        point.mkdir()
        try:
            subprocess.run(["mount", *arguments, str(point)], capture_output=True, check=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("nothing can be mounted here; root can in most places")
        points.append(point)
        return point

    yield mount
    for point in points:
        subprocess.run(["umount", "-l", str(point)], check=True)
