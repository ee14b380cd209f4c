"""A run is there from the first epoch, complete at the end, and never doubled or lost."""

import json
from pathlib import Path

import pytest
from conftest import (
    Checkout,
    Clone,
    job,
    job_text,
    make,
    tracked_runs,
)
from stage_runs import run_stages

from pipeline.results import provenance
from pipeline.settings import csv_cells, files, ids
from pipeline.settings.params import flatten


def test_a_complete_run(workspace: Path) -> None:
    """Everything that the run's page is promised to show."""
    params = job()
    run_stages(params)
    (run,) = tracked_runs(workspace)
    assert run.status == "FINISHED"
    values = {key: provenance.one_line(value) for key, value in flatten(params).items()}
    del values["train.checkpoint_seconds"]  # no part of the result
    own = {key: value for key, value in values.items() if not key.startswith("tracking.")}
    assert run.params == own
    assert run.params["train.lr"] == "0.01"

    history = [(int(r["epoch"]), float(r["loss"])) for r in csv_cells.read_csv(files.HISTORY)]
    assert run.losses() == history
    assert len(history) == 100
    metrics = json.loads(files.METRICS.read_text())
    assert run.metrics["prediction.query_1.y"] == metrics["prediction"]["query_1"]["y"]
    for name, value in metrics["train"].items():
        assert run.metrics[f"train.{name}"] == value

    for path in (files.METRICS, files.PREDICTIONS, files.PLOTS / "loss.svg", Path("params.yaml")):
        assert run.artifact(path.as_posix()) == path.read_bytes()
    (data,) = run.inputs
    assert [(tag.key, tag.value) for tag in data.tags] == [("mlflow.data.context", "training")]
    md5 = ids.md5s([str(files.TRAIN)])[str(files.TRAIN)]
    assert (data.dataset.name, data.dataset.digest) == ("train.parquet", md5)

    identity = json.loads(files.RUN.read_text())
    assert run.tags["result_id"] == identity["result_id"]
    assert run.tags["training_id"] == identity["training_id"]
    assert run.md5s() == identity["outs"]


def test_the_same_result_is_not_tracked_twice(workspace: Path) -> None:
    run_stages(job())
    (first,) = tracked_runs(workspace)
    run_stages(job(), "track")
    run_stages(job(), "evaluate", "export", "track")
    assert [run.id for run in tracked_runs(workspace)] == [first.id]


@pytest.mark.slow
def test_a_result_without_a_training_is_replayed(workspace: Path) -> None:
    """Restored from the cache, pulled from a colleague: only the files exist."""
    run_stages(job())
    (trained,) = tracked_runs(workspace)
    trained_losses, metrics = trained.losses(), trained.metrics
    other = workspace / "another store"
    other.mkdir()
    told = Checkout(workspace).stage("track", DVC_ROOT=str(other))
    assert told == "run replayed from files: params not in git (no commit)\n"
    (replayed,) = tracked_runs(other)
    assert replayed.id != trained.id
    assert replayed.status == "FINISHED"
    assert replayed.losses() == trained_losses
    assert replayed.metrics == metrics
    assert replayed.params == trained.params
    assert replayed.model_file() == files.ONNX.read_bytes()


@pytest.mark.slow
def test_other_queries_alone_make_a_run_of_their_own(workspace: Path) -> None:
    run_stages(job())
    other = job(evaluate__queries=[[5.0]])
    Path("params.yaml").write_text(job_text(evaluate__queries=[[5.0]]))
    run_stages(other, "evaluate", "export", "track")
    first, second = tracked_runs(workspace)
    assert first.tags["training_id"] == second.tags["training_id"]
    assert first.params["evaluate.queries"] == "[[4.0]]"
    assert second.params["evaluate.queries"] == "[[5.0]]"
    assert first.metrics["prediction.query_1.y"] != second.metrics["prediction.query_1.y"]
    assert second.losses() == first.losses()


@pytest.mark.slow
def test_a_tolerance_is_part_of_the_result_though_it_changes_no_byte(workspace: Path) -> None:
    run_stages(job())
    run_stages(job(export__rtol=1e-4), "export", "track")
    assert [run.params["export.rtol"] for run in tracked_runs(workspace)] == ["0.0", "0.0001"]


class CutShort(BaseException):
    """Error that nothing catches: the nearest to SIGKILL that a test can do to its own process."""


def cut_track_short(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """Let `track` end in a call of MLflow's client, or in a function."""

    def end(*arguments: object, **named: object) -> None:
        raise CutShort

    with monkeypatch.context() as patch:
        patch.setattr(call if "." in call else f"mlflow.MlflowClient.{call}", end)
        with pytest.raises(CutShort):
            run_stages(job(), "track")


def cut_completion_short(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """Run the tutorial's job, and let `track` end in a call of MLflow's client."""
    run_stages(job(), "generate", "train", "evaluate", "export")
    cut_track_short(monkeypatch, call)


@pytest.mark.slow
def test_what_follows_a_completion_is_done_next_time(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process may be killed before the version, the older run's mark or the last tag."""
    run_stages(job(tracking__model_name=None))
    run_stages(job(), "train")
    for call in (
        "log_artifact",
        "set_terminated",
        "create_registered_model",
        "create_model_version",
        "pipeline.tracking.completion._supersede",
        "pipeline.tracking.completion._mark_complete",
    ):
        cut_track_short(monkeypatch, call)
        older, newer = tracked_runs(workspace)
        assert "result_id" not in newer.tags, call
    run_stages(job(), "track")
    older, newer = tracked_runs(workspace)
    assert older.tags["superseded_by"] == newer.id
    assert newer.tags["result_id"] == older.tags["result_id"]
    (version,) = newer.client.search_model_versions("name = 'abline'")
    assert version.run_id == newer.id
    assert len(newer.client.get_metric_history(newer.id, "train.mse")) == 1


def test_a_replay_that_was_cut_short_is_taken_up(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """However it ends, there is no second run, and no run that says RUNNING."""
    make(job())
    files.PLOTS.mkdir(exist_ok=True)
    cut_track_short(monkeypatch, "log_artifact")

    def fail(*arguments: object) -> None:
        raise LookupError("no such bucket")

    capfd.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.log_artifact", fail)
        run_stages(job(), "track")
    told = capfd.readouterr().err
    assert told.startswith("warning: the tracking store sqlite:"), told
    assert "failed (LookupError: no such bucket). The result is whole" in told
    (half,) = tracked_runs(workspace)
    assert half.status == "KILLED"
    assert half.tags["reason"] == "not complete: no such bucket"
    run_stages(job(), "track")
    (run,) = tracked_runs(workspace)
    assert run.id == half.id
    assert run.status == "FINISHED"
    assert "reason" not in run.tags
    assert [step for step, _ in run.losses()] == list(range(1, 101))
    assert len(run.client.get_metric_history(run.id, "train.mse")) == 1


def test_a_completion_that_was_cut_short_is_taken_up(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_completion_short(monkeypatch, "set_terminated")
    run_stages(job(), "track")
    (run,) = tracked_runs(workspace)
    assert "result_id" in run.tags
    assert len(run.models) == 1
    assert run.model_file() == files.ONNX.read_bytes()
    history = run.client.get_metric_history(run.id, "train.mse")
    assert len(history) == 1, "a repeated completion must not log a metric twice"


@pytest.mark.slow
def test_a_completion_that_was_cut_short_is_left_alone_by_other_results(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_completion_short(monkeypatch, "log_artifact")
    other = job(evaluate__queries=[[5.0]])
    run_stages(other, "evaluate", "export", "track")
    run_stages(job(), "evaluate", "export", "track")
    first, second = tracked_runs(workspace)
    assert first.params["evaluate.queries"] == "[[4.0]]"
    assert second.params["evaluate.queries"] == "[[5.0]]"
    assert all("result_id" in run.tags for run in (first, second))


@pytest.mark.slow
def test_columns_of_any_name_are_tracked(workspace: Path) -> None:
    params = job(
        data__targets=["a$", "a%", "y//z", "é" * 200],
        data__generate__weight=[[1.0, 2.0, 3.0, 4.0]],
        data__generate__bias=[0.0] * 4,
    )
    run_stages(params)
    (run,) = tracked_runs(workspace)
    answers = json.loads(files.METRICS.read_text())["prediction"]["query_1"]
    logged = [value for name, value in run.metrics.items() if name.startswith("prediction.")]
    assert sorted(logged) == sorted(answers.values())


@pytest.mark.slow
def test_a_locale_without_unicode(clone: Clone) -> None:
    """Files and git use UTF-8, whatever the user's terminal uses."""
    checkout = clone("ascii")
    checkout.variables = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for name in ("generate", "train", "evaluate", "export", "track", "summary"):
        checkout.stage(name)
    (run,) = checkout.runs()
    assert run.name.startswith("committed params (")
    checkout("git", "diff", "--exit-code")
