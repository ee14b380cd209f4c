"""A training whose processes are killed ends with the bytes of a training that nobody killed."""

import functools
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import environment, eventually, job, job_text, tracked_runs
from noisy_line import SIXTY_ROWS

from pipeline import generate
from pipeline.learning.checkpoint import Checkpoint
from pipeline.settings import files, ids
from pipeline.settings.params import Params


def stage(**variables: str) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "pipeline.train"]
    return subprocess.Popen(
        command, env=environment(**variables), stderr=subprocess.PIPE, start_new_session=True
    )


@pytest.mark.slow
def test_a_training_that_has_ended_leaves_no_checkpoint(workspace: Path) -> None:
    """Neither one that has a result nor one that never will."""
    for lr, status in ((1e-4, 0), (10.0, 1)):
        changes = SIXTY_ROWS | {"train__lr": lr, "train__checkpoint_seconds": 0}
        Path("params.yaml").write_text(job_text(**changes))
        generate.main(job(**changes))
        assert ended(stage()) == status
    assert not list((Path(files.STATE_FOLDER) / "checkpoints").glob("*"))


def ended(training: "subprocess.Popen[bytes]") -> int:
    """The exit status of a training, after its end."""
    training.communicate()
    return training.returncode


def losses_by_step(root: Path) -> tuple[Any, list[tuple[int, float]]]:
    runs = tracked_runs(root)
    told = [(run.status, len(run.losses()), dict(run.tags)) for run in runs]
    assert len(runs) == 1, told
    return runs[0], runs[0].losses()


def recorder(training: int) -> int | None:
    """The process that writes the run of a training."""
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            if status.read_text().rpartition(")")[2].split()[1] == str(training):
                return int(status.parent.name)
        except FileNotFoundError:
            continue
    return None


def wait_for_epoch(training: "subprocess.Popen[bytes]", params: Params, epoch: float) -> None:
    """Return once the checkpoint of a training that runs is of `epoch` or later."""

    def so_far() -> bool:
        assert training.poll() is None, f"it ended before epoch {epoch:.0f}"
        return len(Checkpoint(ids.training(params).id, None).times) >= epoch

    eventually(so_far)


# Seconds of training each: a start takes as long, and each loss has its line in the store.
LONG: dict[str, dict[str, Any]] = {
    "momentum": {"train__momentum": 0.9, "train__lr": 1e-7, "train__epochs": 25_000},
    "adam": {"train__optimizer": "adam", "train__lr": 1e-5, "train__epochs": 20_000},
    "lbfgs": {"train__optimizer": "lbfgs", "train__lr": 1e-7, "train__epochs": 6_000},
    "batches": {"train__batch_size": 20, "train__lr": 1e-7, "train__epochs": 8_000},
    "patience": {
        "train__patience": 10_000,
        "data__test_fraction": 0.3,
        "train__lr": 1e-7,
        "train__epochs": 20_000,
    },
    "network": {
        "model__hidden": [8, 4],
        "model__dropout": 0.2,
        "train__optimizer": "adam",
        "train__batch_size": 30,
        "train__lr": 1e-6,
        "train__epochs": 4_000,
    },
}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds processes in /proc")
@pytest.mark.parametrize("name", LONG)
def test_kills_at_random_moments(workspace: Path, name: str) -> None:
    """Level R5: ten kills for each optimizer, half of them also of the process that writes the run.

    The model, the history and the run are those of a training that nobody killed.
    """
    changes = SIXTY_ROWS | {"train__checkpoint_seconds": 0.05} | LONG[name]
    Path("params.yaml").write_text(job_text(**changes))
    params = job(**changes)
    generate.main(params)
    assert ended(stage(DVC_ROOT=str(workspace / "whole"))) == 0
    whole = {path: path.read_bytes() for path in (files.MODEL, files.HISTORY)}
    _, losses = losses_by_step(workspace / "whole")
    assert len(losses) == params.train.epochs

    draw = random.Random(name)
    epochs = params.train.epochs
    for kill in range(10):
        training = stage()
        if kill % 5 == 0:  # before its first epoch: the recorder is the first thing that it starts
            eventually(functools.partial(recorder, training.pid))
        else:  # by the epoch and not by the clock: a busy machine takes seconds to start
            wait_for_epoch(training, params, draw.uniform(kill, kill + 1) / 12 * epochs)
        other = recorder(training.pid) if kill % 2 else None
        for pid in filter(None, (training.pid, other)):
            os.kill(pid, signal.SIGKILL)
        assert ended(training) == -signal.SIGKILL, "it came to its end"
    done = stage()
    _, told = done.communicate()
    assert done.returncode == 0, told
    for path, content in whole.items():
        assert path.read_bytes() == content, path
    assert not Checkpoint(ids.training(params).id, None).path.exists()
    run, resumed = losses_by_step(workspace)
    assert [step for step, _ in resumed] == list(range(1, epochs + 1))
    assert resumed == losses
    assert run.status == "FINISHED"
