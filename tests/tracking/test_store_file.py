"""A store in a file: two programs that make it at once do not break it."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import environment, eventually
from mlflow import MlflowClient

from pipeline.settings import files
from pipeline.tracking import store_file
from pipeline.tracking.store import open_store


def test_a_store_that_another_program_is_making_is_waited_for(
    store_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two programs that migrate one file to MLflow's newest schema break it for good."""
    file = store_folder / "mlflow.db"
    newest = store_file.schema_revision(file)
    revisions = iter([0, 4096, "old", "old", "newer", newest])
    seen: list[object] = []

    def revision(_: Path) -> object:
        seen.append(next(revisions))
        return seen[-1]

    monkeypatch.setattr(store_file, "schema_revision", revision)
    store_file.wait_until_made(file)
    assert seen[-1] == newest
    # A file that does not change any more is left to MLflow.
    monkeypatch.setattr(store_file, "schema_revision", lambda _: "older")
    monkeypatch.setattr(store_file, "SECONDS_LOCKED", 0.1)
    store_file.wait_until_made(file)


@pytest.mark.slow
def test_a_plain_mlflow_that_makes_the_store_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both use the file that the plain MLflow makes."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    # By a relative address, as `mlflow ui` does: MLflow has a lock for each address.
    code = "from mlflow import MlflowClient; c = MlflowClient('sqlite:///mlflow.db');"
    code += "e = c.create_experiment('theirs'); print(c.create_run(e).info.run_id)"
    plain = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    eventually((tmp_path / "mlflow.db").exists)
    opened = open_store("abline")
    run_id, _ = plain.communicate()
    assert plain.returncode == 0
    assert opened.client.get_run(run_id.strip())
    assert MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").get_experiment_by_name("theirs")


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_has_come_meanwhile_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    if not has_links:

        def refuse(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(Path, "hardlink_to", refuse)
    for name, theirs in (("taken", "theirs"), ("free", None)):
        path = tmp_path / name
        with files.whole(path, replace=False) as partial:
            partial.write_text("ours")
            if theirs:
                path.write_text(theirs)
        assert path.read_text() == (theirs or "ours")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["free", "taken"]
