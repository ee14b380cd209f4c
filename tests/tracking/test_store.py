"""The store opens the right experiment, which keeps its artifacts in the right place."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import environment, job, tracked_runs
from stage_runs import run_stages

from pipeline.settings.errors import UserError
from pipeline.tracking import store, view


def test_an_experiment_that_was_renamed_is_found(store_folder: Path) -> None:
    """Otherwise the page shows an empty table, as if there had been no run."""
    opened = store.open_store("abline")
    told = view.links(opened, "http://127.0.0.1:5000")
    assert "no run yet   `make repro` makes the first" in told
    opened.client.create_run(opened.experiment_id, tags={"training_id": "0" * 32})
    opened.client.create_experiment("somebody else's")
    opened.client.rename_experiment(opened.experiment_id, "last year's")
    opened = store.open_store("abline")
    assert store.other_experiments(opened) == ["last year's"]
    told = view.links(opened, "http://127.0.0.1:5000")
    assert 'no run yet   here; there are runs in "last year\'s": set tracking.experiment' in told


@pytest.mark.slow
def test_another_clone_is_told_that_the_artifacts_would_go_elsewhere(
    fresh_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared.db"
    shutil.copy(fresh_store, shared)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{shared}")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "second clone"))
    with pytest.raises(UserError) as caught:
        store.open_store("abline")
    message = str(caught.value)
    assert (
        f"keeps its files in {fresh_store.parent}, the folder of the clone that made it" in message
    )
    # Its advice works.
    command = [sys.executable, "-m", "mlflow", "experiments", "create", "--experiment-name", "ours"]
    assert "`mlflow experiments create --experiment-name NAME --artifact-location PLACE`" in message
    location = (tmp_path / "for all").as_uri()
    variables = environment(MLFLOW_TRACKING_URI=f"sqlite:///{shared}")
    subprocess.run(
        [*command, "--artifact-location", location],
        env=variables, cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    opened = store.open_store("ours")
    run = opened.client.create_run(opened.experiment_id)
    assert run.info.artifact_uri.startswith(location)


def test_the_clone_that_made_a_shared_store_goes_on(
    fresh_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under a second path, too: through a link or a mount."""
    shared = tmp_path / "shared.db"
    shutil.copy(fresh_store, shared)
    (tmp_path / "link").symlink_to(fresh_store.parent)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{shared}")
    for root in (fresh_store.parent, tmp_path / "link"):
        monkeypatch.setenv("DVC_ROOT", str(root))
        assert store.open_store("abline").experiment_id


@pytest.mark.parametrize("name", ["que?st", "per%20cent"])
def test_a_folder_that_no_store_address_can_name(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(workspace / name))
    with pytest.raises(UserError, match=r"has . in its name, which MLflow's address"):
        store.open_store("abline")


@pytest.mark.parametrize("uri", ["http://127.0.0.1:port", "http://["])
def test_an_address_that_is_none(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    with pytest.raises(UserError, match=r"does not answer as a tracking server"):
        store.open_store("abline")


def test_a_deleted_experiment(workspace: Path) -> None:
    opened = store.open_store("abline")
    opened.client.delete_experiment(opened.experiment_id)
    with pytest.raises(UserError, match=r"tracking.experiment: 'abline' was deleted"):
        store.open_store("abline")


def test_artifacts_lie_beside_the_store_wherever_the_stage_runs(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A temporary DVC experiment runs elsewhere; DVC_ROOT names the main checkout."""
    home = workspace / "home, not gone"
    home.mkdir()
    monkeypatch.setenv("DVC_ROOT", str(home))
    run_stages(job())
    assert not (workspace / "mlflow.db").exists()
    assert not (workspace / "mlruns").exists()
    (run,) = tracked_runs(home)
    shutil.rmtree(workspace / "reports")
    shutil.rmtree(workspace / "models")
    assert run.artifact("reports/plots/fit.svg").startswith(b"<?xml")
    assert run.model_file()
