"""Stores for tests: fixtures that tests/conftest.py makes known."""

import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pipeline.tracking import store


@pytest.fixture(scope="session")
def fresh_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh store, which takes seconds to make."""
    path = tmp_path_factory.mktemp("fresh") / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_ROOT", str(path.parent))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        store.open_store("abline")
    return path


@pytest.fixture
def store_folder(fresh_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository's folder with a store of its own."""
    shutil.copy(fresh_store, tmp_path / "mlflow.db")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.execute(
            "UPDATE experiments SET artifact_location = ? WHERE name = 'abline'",
            [(tmp_path / "mlartifacts/runs").as_uri()],
        )
        database.commit()
    return tmp_path


@pytest.fixture
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the settings of servers that the person who runs the tests may have."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount something on a folder of its own: `mount` with these arguments."""
    points: list[Path] = []

    def mount(*arguments: str) -> Path:
        point = tmp_path / f"mount {len(points)}"
        point.mkdir()
        done = subprocess.run(["mount", *arguments, str(point)], capture_output=True)
        if done.returncode:
            pytest.skip("nothing can be mounted here; root can in most places")
        points.append(point)
        return point

    yield mount
    for point in points:
        subprocess.run(["umount", "-l", str(point)], check=True)
