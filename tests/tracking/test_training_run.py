"""Trainings that are killed: their runs are taken up, completed, or marked."""

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from conftest import Checkout, environment, eventually, job, job_text, tracked_runs, wait_for_losses
from stage_runs import NAMES, is_complete, start_stages

from pipeline import generate
from pipeline.settings import processes
from pipeline.settings.params import Params
from pipeline.tracking.tags import RECORDER_PROCESS


def killed_training(workspace: Path, **changes: Any) -> Params:
    """Kill a training and its recorder; return its parameters."""
    changes = {"train__epochs": 200_000, "train__lr": 1e-9} | changes
    Path("params.yaml").write_text(job_text(**changes))
    generate.main(job(**changes))
    training = subprocess.Popen(
        [sys.executable, "-m", "pipeline.train"], env=environment(), start_new_session=True
    )
    wait_for_losses(workspace)
    (run,) = tracked_runs(workspace)
    _, _, recorder, _ = run.tags[RECORDER_PROCESS].split(" ")
    for pid in (training.pid, int(recorder)):
        os.kill(pid, signal.SIGKILL)
    training.wait()
    return job(**changes)


@pytest.mark.slow
def test_a_run_whose_processes_are_gone_does_not_say_running(workspace: Path) -> None:
    killed_training(workspace)
    (run,) = tracked_runs(workspace)
    assert run.status == "RUNNING", "nobody was left to say otherwise"
    eventually(lambda: processes.is_gone(run.tags[RECORDER_PROCESS]))
    told = Checkout(workspace)("python", "-m", "pipeline.track", "--all")
    assert "1 run marked KILLED: their processes are gone" in told
    (run,) = tracked_runs(workspace)
    assert run.status == "KILLED"


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.5, None])
def test_a_killed_training_goes_on_in_its_own_run(workspace: Path, seconds: float | None) -> None:
    """No step twice or missing, with and without a checkpoint; `track` completes that run."""
    killed_training(workspace, train__epochs=100_000, train__checkpoint_seconds=seconds)
    (before,) = tracked_runs(workspace)
    start_stages(Checkout(workspace))
    (run,) = tracked_runs(workspace)
    assert run.id == before.id
    assert is_complete(run, 100_000)
    assert "reason" not in run.tags


@pytest.mark.slow
def test_a_result_completes_a_run_that_was_killed(workspace: Path) -> None:
    """A colleague's result comes from the cache, for a training that was killed here."""
    params = killed_training(workspace, train__epochs=100_000)
    (before,) = tracked_runs(workspace)
    checkout = Checkout(workspace)
    for name in NAMES[1:-1]:
        checkout.stage(name, DVC_ROOT=str(workspace / "colleague"))
    checkout.stage("track")
    (run,) = tracked_runs(workspace)
    assert run.id == before.id
    assert is_complete(run, params.train.epochs)


@pytest.mark.slow
def test_no_number_that_is_none_is_in_the_store(workspace: Path) -> None:
    """Divergence: FAILED, the reason as a tag, and finite losses only."""
    for changes in ({"train__lr": 1e30}, {"train__lr": 1e20, "train__optimizer": "adam"}):
        Path("params.yaml").write_text(job_text(**changes))
        generate.main(job(**changes))
        assert "diverged" in Checkout(workspace).stage("train", ok=False)
    runs = tracked_runs(workspace)
    assert [run.status for run in runs] == ["FAILED"] * 2
    assert all(run.tags["reason"].startswith("the fit diverged") for run in runs)
    with closing(sqlite3.connect("mlflow.db")) as database:
        assert database.execute("SELECT count(*) FROM metrics WHERE is_nan").fetchone() == (0,)
        (largest,) = database.execute("SELECT max(abs(value)) FROM metrics").fetchone()
    assert 1.0 < largest < 1e308
