"""The registered model: which runs become a version of it, and which version is the one to use."""

from pathlib import Path
from unittest.mock import MagicMock

import pytest
from conftest import job, tracked_runs
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import RESOURCE_DOES_NOT_EXIST, TEMPORARILY_UNAVAILABLE

from pipeline import evaluate, export, generate, logged_model, store, track, train


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        ({"train.r2": 0.9, "test.r2": -2.94}, "its held-out R² is -2.94"),
        ({"train.r2": -0.1, "test.r2": 0.2}, None),
        ({"train.r2": -0.1}, "its training R² is -0.1"),
        ({"train.r2": 0.0}, None),
        ({"train.rmse": 1.0}, None),
    ],
)
def test_which_model_is_worse_than_the_mean(metrics: dict[str, float], told: str | None) -> None:
    said = logged_model.worse_than_the_mean(metrics)
    assert said == (told and f"{told}: the mean of the target predicts better")


def test_the_alias_leads_to_the_newest_model_that_is_better_than_the_mean(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    generate.main(job())
    for changes in ({}, {"train__lr": 0.02}, {"train__epochs": 1, "train__lr": 0.0001}):
        for stage in (train, evaluate, export, track):
            stage.main(job(**changes))
    first, second, worse = tracked_runs(workspace)
    client = first.client
    versions = {int(each.version): each.run_id for each in client.search_model_versions()}
    assert versions == {1: first.id, 2: second.id}
    assert int(client.get_model_version_by_alias("abline", "verified").version) == 2
    reason = "its training R² is -4.51: the mean of the target predicts better"
    assert worse.tags["not registered"] == reason
    assert capsys.readouterr().out.endswith(f"; no version of abline, because {reason}\n")

    # A result that is replayed later than newer ones does not take the alias from them.
    run, model = client.get_run(first.id), logged_model.of_run(store.open_store("abline"), first.id)
    assert model is not None
    logged_model.register(client, run, model, "abline", first.metrics, {})
    assert int(client.get_model_version_by_alias("abline", "verified").version) == 2
    assert len(client.search_model_versions()) == 2


def test_a_request_that_fails_does_not_move_the_alias() -> None:
    """To take it for "no alias yet" would let an older model take the newest one's place."""
    client = MagicMock(spec=MlflowClient)
    client.search_model_versions.return_value = []
    register = (client, MagicMock(), MagicMock(model_id="m"), "abline", {}, {})
    client.create_model_version.return_value.version = 1
    register[1].info.start_time = 5
    client.get_model_version_by_alias.side_effect = MlflowException("", TEMPORARILY_UNAVAILABLE)
    with pytest.raises(MlflowException):
        logged_model.register(*register)
    client.set_registered_model_alias.assert_not_called()
    client.get_model_version_by_alias.side_effect = MlflowException("", RESOURCE_DOES_NOT_EXIST)
    logged_model.register(*register)
    client.set_registered_model_alias.assert_called_once_with("abline", "verified", 1)
