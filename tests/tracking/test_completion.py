"""A run is there from the first epoch, complete at the end, and never doubled or lost."""

import json
import math
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from array import array
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import mlflow.artifacts
import numpy as np
import pytest
from conftest import (
    Checkout,
    Clone,
    TrackedRun,
    environment,
    eventually,
    job,
    job_text,
    make,
    stopping,
    tracked_runs,
    wait_for_losses,
)

from pipeline import evaluate, export, generate, track, train
from pipeline.settings import files, ids, processes
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params, flatten
from pipeline.tracking import provenance, runs, store
from pipeline.tracking.live import live_run
from pipeline.tracking.result import SERVING
from pipeline.tracking.store_check import StoreError

STAGES = (generate, train, evaluate, export, track)


def run_stages(params: Params, *stages: Any) -> None:
    for stage in stages or STAGES:
        stage.main(params)


def test_a_complete_run(workspace: Path) -> None:
    """Everything that the run's page is promised to show."""
    params = job()
    run_stages(params)
    (run,) = tracked_runs(workspace)
    assert run.status == "FINISHED"
    values = {key: provenance.short(value) for key, value in flatten(params).items()}
    del values["train.checkpoint_seconds"]  # no matter for the result
    own = {key: value for key, value in values.items() if not key.startswith("tracking.")}
    assert run.params == own
    assert run.params["train.lr"] == "0.01"

    history = [(int(r["epoch"]), float(r["loss"])) for r in files.read_csv(files.HISTORY)]
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


def test_the_logged_model_is_the_file_and_answers_without_torch(workspace: Path) -> None:
    run_stages(job())
    (run,) = tracked_runs(workspace)
    assert run.model_file() == files.ONNX.read_bytes()
    (model,) = run.models
    where = run.client.get_logged_model(model.model_id).artifact_location
    place = mlflow.artifacts.download_artifacts(where)
    pins = Path(f"{place}/requirements.txt").read_text().splitlines()
    assert set(pins) <= set(Path("requirements.txt").read_text().splitlines())
    assert {pin.split("==")[0] for pin in pins} == set(SERVING)
    ask = (
        "import sys; sys.modules['torch'] = None\n"
        "import mlflow\n"
        f"model = mlflow.pyfunc.load_model({place!r})\n"
        "print(model.predict({'x': [4.0]})['y'].item())"
    )
    told = subprocess.check_output([sys.executable, "-c", ask], env=environment(), text=True)
    (row,) = files.read_csv(files.PREDICTIONS)
    assert np.float32(told) == np.float32(row["y"])


def test_the_same_result_is_not_tracked_twice(workspace: Path) -> None:
    run_stages(job())
    (first,) = tracked_runs(workspace)
    run_stages(job(), track)
    run_stages(job(), evaluate, export, track)
    assert [run.id for run in tracked_runs(workspace)] == [first.id]


def test_a_forced_repeat_marks_the_older_run(workspace: Path) -> None:
    run_stages(job())
    run_stages(job())
    older, newer = tracked_runs(workspace)
    assert older.tags["superseded_by"] == newer.id
    assert older.name.startswith("superseded: ")
    assert older.tags["result_id"] == newer.tags["result_id"]


def test_a_result_without_a_training_is_replayed(workspace: Path) -> None:
    """Restored from the cache, pulled from a colleague: the files are all there is."""
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


def test_other_queries_alone_make_a_run_of_their_own(workspace: Path) -> None:
    run_stages(job())
    other = job(evaluate__queries=[[5.0]])
    Path("params.yaml").write_text(job_text(evaluate__queries=[[5.0]]))
    run_stages(other, evaluate, export, track)
    first, second = tracked_runs(workspace)
    assert first.tags["training_id"] == second.tags["training_id"]
    assert first.params["evaluate.queries"] == "[[4.0]]"
    assert second.params["evaluate.queries"] == "[[5.0]]"
    assert first.metrics["prediction.query_1.y"] != second.metrics["prediction.query_1.y"]
    assert second.losses() == first.losses()


def test_a_tolerance_is_part_of_the_result_though_it_changes_no_byte(workspace: Path) -> None:
    run_stages(job())
    run_stages(job(export__rtol=1e-4), export, track)
    assert [run.params["export.rtol"] for run in tracked_runs(workspace)] == ["0.0", "0.0001"]


class CutShort(BaseException):
    """What SIGKILL does, as far as a test can do it to its own process: nothing is caught."""


def cut_track_short(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """Let `track` end in a call of MLflow's client, or in a function."""

    def end(*arguments: object, **named: object) -> None:
        raise CutShort

    with monkeypatch.context() as patch:
        patch.setattr(call if "." in call else f"mlflow.MlflowClient.{call}", end)
        with pytest.raises(CutShort):
            run_stages(job(), track)


def cut_completion_short(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """Run the tutorial's job, and let `track` end in a call of MLflow's client."""
    run_stages(job(), generate, train, evaluate, export)
    cut_track_short(monkeypatch, call)


def test_what_follows_a_completion_is_done_next_time(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed anywhere between the files and the last tag: a version, and the older run's mark."""
    run_stages(job(tracking__model_name=None))
    run_stages(job(), train)
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
    run_stages(job(), track)
    older, newer = tracked_runs(workspace)
    assert older.tags["superseded_by"] == newer.id
    assert newer.tags["result_id"] == older.tags["result_id"]
    (version,) = newer.client.search_model_versions("name = 'abline'")
    assert version.run_id == newer.id
    assert len(newer.client.get_metric_history(newer.id, "train.mse")) == 1


def test_a_replay_that_was_cut_short_is_taken_up(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """However it ends: no second run beside it, and none that says RUNNING."""
    make(job())
    files.PLOTS.mkdir(exist_ok=True)
    cut_track_short(monkeypatch, "log_artifact")

    def fail(*arguments: object) -> None:
        raise LookupError("no such bucket")

    capfd.readouterr()
    with monkeypatch.context() as patch:
        patch.setattr("mlflow.MlflowClient.log_artifact", fail)
        run_stages(job(), track)
    told = capfd.readouterr().err
    assert told.startswith("warning: the tracking store sqlite:"), told
    assert "failed (LookupError: no such bucket). The result is whole" in told
    (half,) = tracked_runs(workspace)
    assert half.status == "KILLED"
    assert half.tags["reason"] == "not complete: no such bucket"
    run_stages(job(), track)
    (run,) = tracked_runs(workspace)
    assert run.id == half.id
    assert run.status == "FINISHED"
    assert "reason" not in run.tags
    assert [step for step, _ in run.losses()] == list(range(1, 101))
    assert len(run.client.get_metric_history(run.id, "train.mse")) == 1


def test_a_fault_of_our_own_is_not_taken_for_the_stores() -> None:
    with pytest.raises(TypeError), store.explained("sqlite:///mlflow.db"):
        runs.param_text(None, longest=None)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match=r"failed \(JSONDecodeError: Expecting"):  # noqa: SIM117
        with store.explained("sqlite:///mlflow.db"):
            json.loads("[")
    with pytest.raises(FileNotFoundError), store.explained("sqlite:///mlflow.db"):
        Path("nowhere").read_bytes()


def test_a_clock_that_was_ahead_hides_no_later_run(workspace: Path) -> None:
    """A run that began in the future is not taken for newer than one of today."""
    run_stages(job())
    (ahead,) = tracked_runs(workspace)
    with sqlite3.connect("mlflow.db") as database:
        database.execute("UPDATE runs SET start_time = start_time + 1000000000")
    database.close()
    run_stages(job())
    runs = tracked_runs(workspace)
    (today,) = [run for run in runs if run.id != ahead.id]
    assert len(runs) == 2
    assert "result_id" in today.tags
    assert next(run for run in runs if run.id == ahead.id).tags["superseded_by"] == today.id


def test_a_completion_that_was_cut_short_is_taken_up(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_completion_short(monkeypatch, "set_terminated")
    run_stages(job(), track)
    (run,) = tracked_runs(workspace)
    assert "result_id" in run.tags
    assert len(run.models) == 1
    assert run.model_file() == files.ONNX.read_bytes()
    history = run.client.get_metric_history(run.id, "train.mse")
    assert len(history) == 1, "a repeated completion must not log a metric twice"


def test_a_completion_that_was_cut_short_is_left_alone_by_other_results(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut_completion_short(monkeypatch, "log_artifact")
    other = job(evaluate__queries=[[5.0]])
    run_stages(other, evaluate, export, track)
    run_stages(job(), evaluate, export, track)
    first, second = tracked_runs(workspace)
    assert first.params["evaluate.queries"] == "[[4.0]]"
    assert second.params["evaluate.queries"] == "[[5.0]]"
    assert all("result_id" in run.tags for run in (first, second))


@pytest.mark.slow
def test_the_newest_training_is_the_one_that_is_completed(workspace: Path) -> None:
    """Trainings that came to nothing do not supersede a result when it is tracked again."""
    run_stages(job(), generate, train, train, evaluate, export, track)
    older, newer = tracked_runs(workspace)
    assert "result_id" in newer.tags
    assert older.tags["superseded_by"] == newer.id
    run_stages(job(), track)
    assert "superseded_by" not in tracked_runs(workspace)[1].tags
    assert len(tracked_runs(workspace)) == 2


@pytest.mark.slow
def test_experiments_that_trained_alike_keep_a_run_each(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As queued experiments do that differ in their queries alone."""
    jobs = {"one": job(), "two": job(evaluate__queries=[[5.0]])}
    for name, params in jobs.items():
        monkeypatch.setenv("DVC_EXP_NAME", name)
        run_stages(params, generate, train)
    for name, params in jobs.items():
        monkeypatch.setenv("DVC_EXP_NAME", name)
        run_stages(params, evaluate, export, track)
    runs = tracked_runs(workspace)
    assert [run.tags["dvc.experiment"] for run in runs] == ["one", "two"]
    assert [run.params["evaluate.queries"] for run in runs] == ["[[4.0]]", "[[5.0]]"]
    assert all("result_id" in run.tags for run in runs)
    assert not any("superseded_by" in run.tags for run in runs)


def test_another_experiments_tags_do_not_stay(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An experiment trains, evaluate fails, and plain `dvc repro` finishes the job."""
    with monkeypatch.context() as patch:
        patch.setenv("DVC_EXP_NAME", "oared-cree")
        run_stages(job(), generate, train)
    run_stages(job(), evaluate, export, track)
    (run,) = tracked_runs(workspace)
    assert "dvc.experiment" not in run.tags
    assert "oared-cree" not in run.name


def test_columns_of_any_name_are_tracked(workspace: Path) -> None:
    params = job(
        data__targets=["a$", "a%", "y//z", "é" * 200],
        data__generate__weight=[[1.0, 2.0, 3.0, 4.0]],
        data__generate__bias=[0.0] * 4,
    )
    run_stages(params)
    (run,) = tracked_runs(workspace)
    answers = json.loads(files.METRICS.read_text())["prediction"]["query_1"]
    found = sorted(value for name, value in run.metrics.items() if name.startswith("prediction."))
    assert found == sorted(answers.values())


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


@pytest.mark.slow
def test_a_locale_without_unicode(clone: Clone) -> None:
    """Files and git speak UTF-8 whatever the user's terminal does."""
    checkout = clone("ascii")
    checkout.variables = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    for name in ("generate", "train", "evaluate", "export", "track", "summary"):
        checkout.stage(name)
    (run,) = checkout.runs()
    assert run.name.startswith("committed params (")
    checkout("git", "diff", "--exit-code")


def test_code_that_is_not_committed_shows_in_the_name(clone: Clone) -> None:
    checkout = clone("changed")
    with (checkout.path / "pipeline/learning/module.py").open("a") as file:
        file.write("# changed\n")
    checkout("dvc", "repro", "train")
    (run,) = checkout.runs()
    head = checkout("git", "rev-parse", "--short=7", "HEAD").strip()
    assert run.name == f"pipeline/learning/module.py changed ({head} + changes)"
    assert run.tags["git.changed_files"] == "pipeline/learning/module.py"


def test_a_run_that_failed_is_not_taken_for_a_result(workspace: Path) -> None:
    params = job(train__lr=0.1)
    run_stages(params, generate)
    with pytest.raises(UserError, match="diverged"):
        run_stages(params, train)
    (run,) = tracked_runs(workspace)
    assert run.status == "FAILED"
    assert run.tags["reason"].startswith("the fit diverged: in epoch 2 the loss is ")
    assert len(run.losses()) == 2
    assert all(np.isfinite(value) for _, value in run.losses())
    assert not files.MODEL.exists()
    run_stages(job())
    assert [run.status for run in tracked_runs(workspace)] == ["FAILED", "FINISHED"]


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 143, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, 129, marks=pytest.mark.slow),
    ],
)
def test_a_stopped_training_leaves_a_killed_run(
    workspace: Path, number: signal.Signals, code: int
) -> None:
    """Its losses so far are kept; the model is not written."""
    # A rate this small keeps ten million epochs from converging to a loss of zero.
    text = job_text(train__epochs=10_000_000, train__lr=1e-9)
    Path("params.yaml").write_text(text)
    run_stages(job(), generate)
    training = subprocess.Popen(
        [sys.executable, "-m", "pipeline.train"],
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    with stopping(training):
        wait_for_losses(workspace)
    (run,) = tracked_runs(workspace)
    assert run.status == "RUNNING", "a run is live while it trains"
    assert run.tags["training_id"]
    assert run.params["train.epochs"] == "10000000"
    training.send_signal(number)
    _, told = training.communicate()
    assert training.returncode == code
    assert told.startswith(f"stopped: train was ended by {number.name} before it wrote a result;")
    assert "Traceback" not in told
    (run,) = tracked_runs(workspace)
    assert run.status == "KILLED"
    steps = [step for step, _ in run.losses()]
    assert steps == list(range(1, len(steps) + 1))
    assert not files.MODEL.exists()
    assert not list(files.MODEL.parent.glob("*.partial"))


def test_a_training_that_is_killed_outright_does_not_leave_a_running_run(workspace: Path) -> None:
    """No process can take note of SIGKILL; the run's own process outlives it."""
    Path("params.yaml").write_text(job_text(train__epochs=10_000_000, train__lr=1e-9))
    run_stages(job(), generate)
    training = subprocess.Popen([sys.executable, "-m", "pipeline.train"], env=environment())
    wait_for_losses(workspace)
    training.kill()
    training.wait()

    def no_longer_running() -> TrackedRun | None:
        (run,) = tracked_runs(workspace)
        return None if run.status == "RUNNING" else run

    run = eventually(no_longer_running)
    assert run.status == "KILLED"
    assert run.tags["reason"] == "the training ended without a word"
    steps = [step for step, _ in run.losses()]
    assert steps == list(range(1, len(steps) + 1))


def test_a_training_goes_on_without_its_runs_process(
    workspace: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever becomes of that process: the result does not hang on it, and `track` makes it up."""
    for number in (signal.SIGKILL, signal.SIGSTOP):
        with live_run() as run:
            run.begin(job(), "an id")
            run._recorder.send_signal(number)
            # More than a pipe holds.
            for epoch in range(1, 10_001):
                run.log_losses(epoch, 1.0, None, epoch)
        told = capfd.readouterr().err
        assert told.startswith("warning: the process that writes the run "), told
        assert told.count("\n") == 1
        assert "`python -m pipeline.track --all` makes the run" in told


@pytest.mark.parametrize("cut", [7, 70])
def test_a_line_that_was_cut_short_ends_the_run(workspace: Path, cut: int) -> None:
    begin = ["begin", 1, job().model_dump(mode="json"), "an id", processes.identity()]
    losses = b'["losses", 2]\n' + array("d", [1, 0.5, math.nan, 2, 2, 0.25, math.nan, 3]).tobytes()
    command = [sys.executable, "-m", "pipeline.tracking.live"]
    text = json.dumps(begin).encode() + b"\n" + losses + losses[:cut]
    subprocess.run(command, input=text, check=True, env=environment())
    (run,) = tracked_runs(workspace)
    assert run.status == "KILLED"
    assert run.losses() == [(1, 0.5), (2, 0.25)]


def test_a_training_does_not_wait_for_its_run(workspace: Path) -> None:
    """A store that is locked for seconds keeps no epoch waiting, and misses none."""
    params = job()
    with live_run() as run, store.lock():
        run.begin(params, "an id")
        for epoch in range(1, 20_001):
            run.log_losses(epoch, epoch / 4, None, epoch)
        assert not Path("mlflow.db").exists(), "the store was locked all the time"
    (tracked,) = tracked_runs(workspace)
    assert tracked.losses() == [(epoch, epoch / 4) for epoch in range(1, 20_001)]
    assert tracked.status == "FINISHED"


@pytest.mark.parametrize("encoding", [pytest.param("latin-1", marks=pytest.mark.slow), "utf-8"])
def test_a_failure_is_told_in_any_encoding(workspace: Path, encoding: str) -> None:
    name = "été"
    opened = store.open_store(name)
    opened.client.delete_experiment(opened.experiment_id)
    Path("params.yaml").write_text(job_text(tracking__experiment=name))
    run_stages(job(), generate)
    told = subprocess.run(
        [sys.executable, "-m", "pipeline.train"],
        env=environment(PYTHONIOENCODING=encoding),
        capture_output=True,
        check=True,
    ).stderr.decode(encoding)
    assert told.startswith(f"warning: tracking.experiment: '{name}' was deleted in ")
    assert files.MODEL.exists()


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


def test_a_store_of_another_mlflow(workspace: Path) -> None:
    store._make(Path("mlflow.db"))  # without the client, which would remember it
    with sqlite3.connect("mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    database.close()
    with pytest.raises(UserError, match=r"the tracking store sqlite:") as caught:
        store.open_store("abline")
    assert f"it was made by another MLflow than {mlflow.__version__}; move it" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_store(workspace: Path) -> None:
    Path("mlflow.db").write_bytes(b"not a database, " * 100)
    with pytest.raises(
        UserError, match=r"the tracking store sqlite:.* failed .*: move the file away"
    ):
        store.open_store("abline")


def test_a_deleted_experiment(workspace: Path) -> None:
    opened = store.open_store("abline")
    opened.client.delete_experiment(opened.experiment_id)
    with pytest.raises(UserError, match=r"tracking.experiment: 'abline' was deleted"):
        store.open_store("abline")


def test_a_server_that_does_not_answer(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"http://127.0.0.1:9 does not answer .*Connection refused"):
        store.open_store("abline")


@pytest.fixture
def broken_server() -> Iterator[str]:
    asked: list[str] = []

    class Broken(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(503)

        def log_message(self, *arguments: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Broken) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
    assert len(asked) <= 2, "MLflow itself would go on trying for minutes"


def test_a_server_that_is_broken(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, broken_server: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", broken_server)
    with pytest.raises(UserError, match=r"tracking server \(HTTP Error 503"):
        store.open_store("abline")
