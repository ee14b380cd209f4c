"""Verified runs become versions of the registered model, and the alias leads to the newest."""

import json
import shutil
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
from conftest import job, tracked_runs
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, TEMPORARILY_UNAVAILABLE
from stage_runs import run_stages

from pipeline import generate, track
from pipeline.settings import files
from pipeline.tracking import logged_model, registry, store


@pytest.mark.slow
def test_the_alias_leads_to_the_newest_model_that_is_better_than_the_mean(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generate.main(job())
    for changes in ({}, {"train__lr": 0.02}, {"train__epochs": 1, "train__lr": 0.0001}):
        run_stages(job(**changes), "train", "evaluate", "export", "track")
    first, second, worse = tracked_runs(workspace)
    client = first.client
    versions = {int(each.version): each.run_id for each in client.search_model_versions()}
    assert versions == {1: first.id, 2: second.id}
    assert int(client.get_model_version_by_alias("abline", "verified").version) == 2
    reason = (
        "on the training rows the model is worse than answering each row with the mean of the"
        " target (R² -4.51)"
    )
    assert worse.tags["not registered"] == reason
    assert capsys.readouterr().out.endswith(f"; no version of abline, because {reason}\n")

    # A result that is replayed later than newer ones does not take the alias from them.
    run, model = client.get_run(first.id), logged_model.of_run(store.open_store("abline"), first.id)
    assert model is not None
    registry.register(client, run, model, "abline", first.metrics, {})
    assert int(client.get_model_version_by_alias("abline", "verified").version) == 2
    assert len(client.search_model_versions()) == 2


def test_a_request_that_fails_does_not_move_the_alias() -> None:
    """As "no alias yet" it would let an older model replace the newest version."""
    client = MagicMock(spec=MlflowClient)
    client.search_model_versions.return_value = []
    run = MagicMock()
    run.info.start_time = 5
    register: Any = (client, run, MagicMock(model_id="m"), "abline", {}, {})
    client.create_model_version.return_value.version = 1
    client.get_model_version_by_alias.side_effect = MlflowException("", TEMPORARILY_UNAVAILABLE)
    with pytest.raises(MlflowException):
        registry.register(*register)
    client.set_registered_model_alias.assert_not_called()
    client.get_model_version_by_alias.side_effect = MlflowException("", RESOURCE_DOES_NOT_EXIST)
    registry.register(*register)
    client.set_registered_model_alias.assert_called_once_with("abline", "verified", 1)


@pytest.mark.slow
def test_files_of_a_run_that_are_gone_come_back(workspace: Path) -> None:
    run_stages(job(tracking__model_name="doubling"))
    (run,) = tracked_runs(workspace)
    place = Path(run.client.get_model_version("doubling", 1).source.removeprefix("file://"))
    before = {file.name for file in place.iterdir()}
    shutil.rmtree("mlartifacts")
    track.main(job(tracking__model_name="doubling"))
    (run,) = tracked_runs(workspace)
    assert run.artifact("reports/plots/fit.svg").startswith(b"<?xml")
    # In the same place, to which the registered version points.
    assert run.model_file() == files.ONNX.read_bytes()
    assert {file.name for file in place.iterdir()} == before
    assert len(run.client.search_model_versions("name = 'doubling'")) == 1


@pytest.mark.slow
def test_an_unverified_model_is_never_registered(workspace: Path) -> None:
    run_stages(job(), "generate", "train", "evaluate", "export")
    told = json.loads(files.VERIFICATION.read_text())
    files.write_json(files.VERIFICATION, told | {"model_md5": "of another file"})
    track.main(job())
    (run,) = tracked_runs(workspace)
    assert run.client.search_model_versions() == []
    other = job(train__lr=0.02, tracking__model_name=None)
    run_stages(other, "train", "evaluate", "export", "track")
    assert run.client.search_model_versions() == []


def test_a_version_has_its_lineage(workspace: Path) -> None:
    run_stages(job(), "generate", "train", "evaluate", "export", "track", "track")
    (run,) = tracked_runs(workspace)
    (version,) = run.client.search_model_versions()
    assert (version.name, version.run_id) == ("abline", run.id)
    for tag in ("training_id", "result_id", "outputs"):
        assert version.tags[tag] == run.tags[tag]
