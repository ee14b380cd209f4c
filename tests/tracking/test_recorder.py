"""The recorder writes each loss once, whatever the store or the training does meanwhile."""

import json
import math
import queue
import shutil
import subprocess
import sys
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from conftest import environment, job, tracked_runs

from pipeline.settings import processes
from pipeline.tracking import recorder
from pipeline.tracking.store_failures import StoreError
from pipeline.tracking.training_run import TrainingRun
from pipeline.tracking.wire import TimedLosses

LOSSES: list[TimedLosses] = [(epoch, 1 / epoch, None, epoch) for epoch in range(1, 6)]


class Notes:
    """A run that notes what is written into it."""

    def __init__(self, before: Callable[[str], None] = lambda _: None) -> None:
        self.before = before
        """Called before each method with its name; what it raises, the method raises."""
        self.is_open = False
        self.logged: list[TimedLosses] = []
        self.ended: list[Any] = []

    def open(self) -> bool:
        self.before("open")
        self.is_open = True
        return True

    def log(self, losses: Sequence[TimedLosses]) -> None:
        self.before("log")
        self.logged += losses

    def end(self, *how: Any) -> None:
        self.before("end")
        self.ended.append(how)


def write(run: Notes, *messages: list[Any]) -> None:
    """Let the recorder write messages of a training."""
    lines: recorder.LineQueue = queue.SimpleQueue()
    for message in messages:
        lines.put(message)
    recorder._write(cast(TrainingRun, run), lines)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository's folder, and a recorder that waits for nothing."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("DVC_ROOT", str(folder))
    monkeypatch.setattr(recorder, "SECONDS_PER_BATCH", 0.0)
    monkeypatch.setattr(recorder, "SECONDS_TO_NEXT_TRY", 0.0)
    return folder


@pytest.mark.parametrize("method", ["open", "log", "end"])
def test_a_store_that_fails_once_loses_no_epoch_and_is_reported_once(
    home: Path, capfd: pytest.CaptureFixture[str], method: str
) -> None:
    failures = [StoreError("no answer"), OSError(28, "No space left on device")]

    def fail(called: str) -> None:
        if called == method and failures:
            raise failures.pop(0)

    run = Notes(fail)
    losses: list[list[Any]] = [["losses", *LOSSES[:3]], ["losses", *LOSSES[3:]]]
    write(run, *losses, ["end", 7, "FINISHED", ""])
    assert run.logged == LOSSES
    assert run.ended == [(7, "FINISHED", "")]
    (line,) = capfd.readouterr().out.splitlines()
    assert json.loads(line)[:2] == ["trouble", "no answer"]


def test_a_repository_that_was_deleted_is_not_made_again(home: Path) -> None:
    """Somebody ends a training by deleting its clone: MLflow would make the folder of the store."""

    def fail(called: str) -> None:
        shutil.rmtree(home, ignore_errors=True)
        raise OSError(2, "No such file or directory")

    run = Notes(fail)
    write(run, ["losses", *LOSSES], ["end", 7, "FINISHED", ""])
    assert not run.ended
    assert not home.exists()


def test_a_training_that_needs_no_run_gets_none(home: Path) -> None:
    run = Notes()
    run.open = lambda: False  # type: ignore[method-assign]
    write(run, ["losses", *LOSSES], ["end", 7, "KILLED", ""])
    assert not run.logged
    assert not run.ended


@pytest.mark.parametrize("cut", [7, pytest.param(70, marks=pytest.mark.slow)])
def test_a_line_that_was_cut_short_ends_the_run(workspace: Path, cut: int) -> None:
    begin = ["begin", 1, job().model_dump(mode="json"), "an id", processes.identity()]
    losses = b'["losses", 2]\n' + array("d", [1, 0.5, math.nan, 2, 2, 0.25, math.nan, 3]).tobytes()
    command = [sys.executable, "-m", "pipeline.tracking.recorder"]
    text = json.dumps(begin).encode() + b"\n" + losses + losses[:cut]
    subprocess.run(command, input=text, check=True, env=environment())
    (run,) = tracked_runs(workspace)
    assert run.status == "KILLED"
    assert run.losses() == [(1, 0.5), (2, 0.25)]
