"""The recorder: the process that writes a training's MLflow run while the training runs.

The recorder outlives the training even if SIGKILL ends it, and writes into the run how it ended.
It reads and answers lines in the format of `wire`, and exits with 0 once everything is written.
"""

import argparse
import json
import os
import queue
import signal
import sys
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from pipeline.settings import files, runner, signals
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tracking import store_failures, wire
from pipeline.tracking.store_check import SECONDS_OF_WORK

if TYPE_CHECKING:
    from pipeline.tracking.training_run import TrainingRun

LineQueue = queue.SimpleQueue[list[Any]]
"""Lines of the training: the kind and the content. Losses are of type `wire.TimedLosses`."""

SECONDS_PER_BATCH = 2.0  # by which `mlflow ui` lags behind a training
LOSSES_PER_BATCH = 1000
SECONDS_TO_NEXT_TRY = 1.0
ENDED_SILENTLY = "the training ended without a word"
"""Reason of the end in the run of a training that sent none, as after SIGKILL."""


def main() -> None:
    """Write everything that the training sends, until it ends or is gone."""
    argparse.ArgumentParser(
        prog="python -m pipeline.tracking.recorder",
        description="`train` starts this to write its run while it trains.",
    ).parse_args()
    messages: LineQueue = queue.SimpleQueue()
    threading.Thread(target=_listen, args=[messages], daemon=True).start()
    _record(messages)
    runner.leave()


def _listen(messages: LineQueue) -> None:
    """Queue what the training sends; end this process if writing hangs long after its end."""
    with suppress(ValueError):  # raised by a line that SIGKILL has cut short
        while line := sys.stdin.buffer.readline():
            kind, *content = json.loads(line)
            if kind == "losses":
                content = wire.read_losses(
                    sys.stdin.buffer.read(8 * wire.NUMBERS_PER_ROW * content[0])
                )
            messages.put([kind, *content])
    messages.put(["end", wire.milliseconds(), "KILLED", ENDED_SILENTLY])
    # A call into a store may hang for hours, and no training may be left to end this process.
    time.sleep(2 * SECONDS_OF_WORK)
    os._exit(1)


def _record(messages: LineQueue) -> None:
    """Open the run that the training begins, and write it."""
    kind, *content = messages.get()
    if kind == "end":
        return
    # A signal to the training's whole group must not leave a run with the status RUNNING for ever.
    for number in signals.ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    # Imported here because it imports MLflow, which takes a second: `_listen` reads meanwhile, or
    # the training would have to wait with a full pipe.
    from pipeline.tracking.training_run import TrainingRun

    _answer("ready")
    began, values, training_id, trainer = content
    # As JSON again, because Params takes lists for tuples only in JSON.
    params = Params.model_validate_json(json.dumps(values))
    _write(TrainingRun(params, training_id, trainer, began), messages)


def _write(run: "TrainingRun", messages: LineQueue) -> None:
    """Write the messages into `run` in batches. While the store fails, try again each second."""
    losses: list[wire.TimedLosses] = []
    end: list[Any] | None = None
    has_answered = False
    written_at = next_try = time.monotonic()
    home = files.root()
    was_there = home.is_dir()
    while home.is_dir() or not was_there:  # writing would make a deleted repository's folder again
        if end is None:
            with suppress(queue.Empty):
                kind, *content = messages.get(timeout=SECONDS_PER_BATCH)
                if kind == "losses":
                    losses += content
                elif kind == "end":
                    end = content
        is_late = time.monotonic() - written_at > SECONDS_PER_BATCH
        is_due = end or is_late or len(losses) >= LOSSES_PER_BATCH or not run.is_open
        if not is_due or time.monotonic() < next_try:
            time.sleep(0.1 if end else 0)
            continue
        try:
            if not run.open():
                return
            run.log(losses)
            losses, written_at = [], time.monotonic()
            if end is not None:
                run.end(*end)
                return
        except (UserError, OSError) as error:
            if not has_answered:
                _answer("trouble", runner.message(error), store_failures.cure(error))
                has_answered = True
            is_alone = end is not None and end[2] == ENDED_SILENTLY
            if is_alone and time.monotonic() - written_at > SECONDS_OF_WORK:
                return
            next_try = time.monotonic() + SECONDS_TO_NEXT_TRY


def _answer(kind: str, *content: Any) -> None:
    # Not with print, whose error would end this process when the training is gone.
    with suppress(BrokenPipeError):
        os.write(1, wire.line(kind, *content))


if __name__ == "__main__":
    main()
