"""The live run of a training, whatever ends the training or the recorder."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import (
    TrackedRun,
    environment,
    eventually,
    job,
    job_text,
    stopping,
    tracked_runs,
    wait_for_losses,
)

from pipeline import generate, train
from pipeline.settings import files, signals
from pipeline.settings.errors import UserError
from pipeline.tracking import store
from pipeline.tracking.live import live_run
from pipeline.tracking.locks import lock


@pytest.mark.slow
def test_a_run_that_failed_is_not_taken_for_a_result(workspace: Path) -> None:
    params = job(train__lr=0.1)
    generate.main(params)
    with pytest.raises(UserError, match="diverged"):
        train.main(params)
    (run,) = tracked_runs(workspace)
    assert run.status == "FAILED"
    assert run.tags["reason"].startswith("the fit diverged: in epoch 2 the loss is ")
    assert len(run.losses()) == 2
    assert all(np.isfinite(value) for _, value in run.losses())
    assert not files.MODEL.exists()
    train.main(job())
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
    generate.main(job())
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
    ended = f"stopped: train was ended by {signals.cause(number)} before it wrote a result; "
    assert told.startswith(ended)
    assert "Traceback" not in told
    (run,) = tracked_runs(workspace)
    assert run.status == "KILLED"
    assert run.tags["reason"] == f"ended by {signals.cause(number)}"
    steps = [step for step, _ in run.losses()]
    assert steps == list(range(1, len(steps) + 1))
    assert not files.MODEL.exists()
    assert not list(files.MODEL.parent.glob("*.partial"))


def test_a_training_that_is_killed_outright_does_not_leave_a_running_run(workspace: Path) -> None:
    """No process can handle SIGKILL; the recorder outlives the training."""
    Path("params.yaml").write_text(job_text(train__epochs=10_000_000, train__lr=1e-9))
    generate.main(job())
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
    """The result does not depend on the recorder, and `track` makes the run later."""
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


@pytest.mark.slow
def test_a_training_does_not_wait_for_its_run(workspace: Path) -> None:
    """A store that is locked for seconds delays no epoch and misses no epoch."""
    params = job()
    with live_run() as run, lock():
        run.begin(params, "an id")
        for epoch in range(1, 20_001):
            run.log_losses(epoch, epoch / 4, None, epoch)
        assert not Path("mlflow.db").exists(), "the store was locked all the time"
    (tracked,) = tracked_runs(workspace)
    assert tracked.losses() == [(epoch, epoch / 4) for epoch in range(1, 20_001)]
    assert tracked.status == "FINISHED"


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_a_failure_is_told_in_any_encoding(workspace: Path, encoding: str) -> None:
    name = "été"
    opened = store.open_store(name)
    opened.client.delete_experiment(opened.experiment_id)
    Path("params.yaml").write_text(job_text(tracking__experiment=name))
    generate.main(job())
    told = subprocess.run(
        [sys.executable, "-m", "pipeline.train"],
        env=environment(PYTHONIOENCODING=encoding),
        capture_output=True,
        check=True,
    ).stderr.decode(encoding)
    assert told.startswith(f"warning: tracking.experiment: '{name}' was deleted in ")
    assert files.MODEL.exists()
