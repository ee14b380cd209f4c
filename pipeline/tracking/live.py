"""The MLflow run of a training, written while it trains by a process of its own.

MLflow takes a second to import, and a store may be slow, far away or gone: nothing that a training
is to wait for, and nothing that may stop it. Whatever ends the training, SIGKILL included, this
process outlives it and writes into the run how it ended.

The training sends lines of JSON: ["begin", milliseconds since 1970, params, training_id, the
training's process], ["losses", n] with n rows of four numbers after it (epoch, loss, that of the
rows held out or NaN, milliseconds) as bytes, and ["end", milliseconds, status, reason]. The process
answers ["ready"] when it is about to open the store, ["trouble", message] if the store fails, and
exits with 0 once all is written.
"""

import argparse
import json
import math
import os
import queue
import select
import signal
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pipeline.settings import files, processes, runner, signals
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tracking import store
from pipeline.tracking.wire import NUMBERS, Timed, milliseconds, rounded

SECONDS_PER_BATCH = 2.0  # how far `mlflow ui` lags behind a training
SECONDS_TO_SEND = 0.2  # a system call an epoch would cost a short one a tenth of its time
SECONDS_TO_START = 60.0  # for importing MLflow on a machine that does much else
SECONDS_TO_WAIT = 2.5  # for a store, after the training; as long again for `track`: 5 in all
SECONDS_OF_WORK = 60.0  # for a database that answers: it only has much to write
SECONDS_STUCK = 2.0  # until a process that reads nothing counts as lost
LATER = "`python -m pipeline.track --all` makes the run when the store is well again"


class LiveRun:
    """Training side of the connection to the recorder. Never raises."""

    def __init__(self) -> None:
        self._recorder = subprocess.Popen(
            [sys.executable, "-m", "pipeline.tracking.live"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # Ctrl-C is for the training, which passes it on in its words
        )
        assert self._recorder.stdin is not None
        assert self._recorder.stdout is not None
        self._input, self._output = self._recorder.stdin, self._recorder.stdout
        for pipe in (self._input, self._output):
            os.set_blocking(pipe.fileno(), False)
        self._heard = b""
        self._is_ready = False
        self._warned = False
        self._lost = False
        self._training_id: str | None = None
        self._waiting = array("d")
        self._sent = 0.0

    def begin(self, params: Params, training_id: str) -> None:
        """Create the run, with what cannot change without retraining, or go on with its own.

        A training that goes on with one that was killed logs its epochs first, as they were.
        """
        self._training_id = training_id
        self._tell(
            "begin",
            milliseconds(),
            params.model_dump(mode="json"),
            training_id,
            processes.identity(),
        )

    def log_losses(self, epoch: int, loss: float, test_loss: float | None, now: int) -> None:
        """Log finite losses, to nine digits, as step `epoch`.

        now: when they were known, in milliseconds since 1970.
        """
        self._waiting.extend((epoch, loss, math.nan if test_loss is None else test_loss, now))
        if now - self._sent > 1000 * SECONDS_TO_SEND or len(self._waiting) >= 1000 * NUMBERS:
            self._sent = now
            self._send()

    def end(self, status: str, reason: str = "") -> None:
        """End the run, if it has begun, and wait until all is written, or as long as is allowed."""
        began = time.monotonic()
        if self._training_id is None:
            self._recorder.kill()
        else:
            self._send()
            self._tell("end", milliseconds(), status, reason)
        self._input.close()
        self._wait()
        self._output.close()
        if self._training_id is None:
            return
        if self._recorder.returncode and not self._lost:
            self._warn(f"the process that writes the run ended ({self._recorder.returncode})")
        waited = time.monotonic() - began
        if self._warned or waited > 1:
            trouble = files.root() / files.OURS / "trouble" / self._training_id
            with suppress(OSError):
                files.write_json(trouble, {"waited": waited, "warned": self._warned})

    def _send(self) -> None:
        if self._waiting and not self._lost:
            self._tell("losses", len(self._waiting) // NUMBERS, then=self._waiting.tobytes())
            self._listen()
        self._waiting = array("d")

    def _tell(self, kind: str, *content: Any, then: bytes = b"") -> None:
        """Send a line, and bytes after it. A process that does not read them is given up."""
        left = memoryview(json.dumps([kind, *content]).encode() + b"\n" + then)
        while left and not self._lost:
            try:
                left = left[os.write(self._input.fileno(), left) :]
            except BlockingIOError:
                _, writable, _ = select.select([], [self._input], [], SECONDS_STUCK)
                if not writable:
                    self._give_up("the process that writes the run has stopped")
            except BrokenPipeError:
                code = self._recorder.wait()
                self._give_up(f"the process that writes the run ended before its time ({code})")

    def _listen(self) -> None:
        """Take note of what the process has said, without waiting for more."""
        with suppress(BlockingIOError):
            while told := os.read(self._output.fileno(), 65536):
                self._heard += told
        *lines, self._heard = self._heard.split(b"\n")
        for line in lines:
            kind, *content = json.loads(line)
            self._is_ready = self._is_ready or kind == "ready"
            if kind == "trouble":
                self._warn(*content)

    def _wait(self) -> None:
        """Wait until the process ends; end it if its store keeps it for too long."""
        start = time.monotonic()
        limit = SECONDS_TO_START
        while self._recorder.poll() is None and not self._lost:
            self._listen()
            if limit == SECONDS_TO_START and (self._is_ready or self._warned):
                # Where there is trouble already, long enough for one more try.
                start, limit = time.monotonic(), 1.5 if self._warned else SECONDS_TO_WAIT
            elif time.monotonic() - start > limit:
                if limit == SECONDS_TO_WAIT and not self._warned:
                    limit = SECONDS_OF_WORK
                    try:
                        store.check_at_work()
                    except UserError as error:
                        self._give_up(str(error))
                else:
                    self._give_up("the tracking store is too slow")
            else:
                # Its end closes the pipe, which wakes this up.
                select.select([self._output], [], [], 0.05)
        self._listen()

    def _give_up(self, reason: str) -> None:
        self._lost = True
        self._recorder.kill()
        self._recorder.wait()
        self._warn(reason)

    def _warn(self, reason: str, helps: str = f"; {LATER}") -> None:
        """Say once that the run is not what it should be. helps: see `later`."""
        if not self._warned:
            self._warned = True
            print(f"warning: {reason}. The result is not touched by this{helps}", file=sys.stderr)


@contextmanager
def live_run() -> Iterator[LiveRun]:
    """A run for the training in the block: FINISHED after it, KILLED by a signal, else FAILED.

    There is no run unless `begin` is called.
    """
    run = LiveRun()
    try:
        yield run
    except BaseException as error:
        killed = isinstance(error, KeyboardInterrupt)
        reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        run.end("KILLED" if killed else "FAILED", reason)
        raise
    run.end("FINISHED")


def later(error: Exception) -> str:
    """What to add to a warning of an error that keeps a run from being written.

    Nothing for a store that was moved: it is well, and the error itself says what to run.
    """
    return "" if isinstance(error, store.MovedError) else f"; {LATER}"


def main() -> None:
    """Write what the training sends, until it ends or is gone."""
    argparse.ArgumentParser(
        prog="python -m pipeline.tracking.live",
        description="`train` starts this to write its run while it trains.",
    ).parse_args()
    # From now on, because a training must not wait for the import of MLflow.
    messages: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=[messages], daemon=True).start()
    _record(messages)
    runner.leave()


def _listen(messages: queue.SimpleQueue[list[Any]]) -> None:
    with suppress(ValueError):  # what SIGKILL has cut short
        while line := sys.stdin.buffer.readline():
            kind, *content = json.loads(line)
            if kind == "losses":
                numbers = array("d", sys.stdin.buffer.read(8 * NUMBERS * content[0]))
                rows = zip(*[iter(numbers)] * NUMBERS, strict=True)
                content = [
                    (
                        int(epoch),
                        rounded(loss),
                        None if math.isnan(test) else rounded(test),
                        int(milliseconds),
                    )
                    for epoch, loss, test, milliseconds in rows
                ]
            messages.put([kind, *content])
    messages.put(["end", milliseconds(), "KILLED", GONE])
    # A call into a store may hang for hours, and nobody may be left who would end this process.
    time.sleep(2 * SECONDS_OF_WORK)
    os._exit(1)


GONE = "the training ended without a word"


def _record(messages: queue.SimpleQueue[list[Any]]) -> None:
    kind, *content = messages.get()
    if kind == "end":
        return
    # To be stopped with the training's whole group would leave a run that says RUNNING for ever.
    for number in signals.ENDING:
        signal.signal(number, signal.SIG_IGN)
    from pipeline.tracking.training_run import TrainingRun  # MLflow: see `main`

    _answer("ready")
    began, params, training_id, trainer = content
    # Through JSON again: its lists are what Params makes tuples of.
    run = TrainingRun(Params.model_validate_json(json.dumps(params)), training_id, trainer, began)
    losses: list[Timed] = []
    end: list[Any] | None = None
    sent = time.monotonic()
    troubled = False
    next_try = sent
    home = files.root()
    was_there = home.is_dir()
    while home.is_dir() or not was_there:  # to write would make a deleted repository's folder anew
        if end is None:
            with suppress(queue.Empty):
                kind, *content = messages.get(timeout=SECONDS_PER_BATCH)
                if kind == "losses":
                    losses += content
                elif kind == "end":
                    end = content
        late = time.monotonic() - sent > SECONDS_PER_BATCH
        due = end or late or len(losses) >= 1000 or not run.is_open
        if not due or time.monotonic() < next_try:
            time.sleep(0.1 if end else 0)
            continue
        try:
            if not run.open():
                return
            run.log(losses)
            losses, sent = [], time.monotonic()
            if end is not None:
                run.end(*end)
                return
        except (UserError, OSError) as error:
            if not troubled:
                _answer("trouble", runner.told(error), later(error))
                troubled = True
            if end is not None and end[2] == GONE and time.monotonic() - sent > SECONDS_OF_WORK:
                return  # nobody is there any more to end this
            next_try = time.monotonic() + 1.0


def _answer(*line: Any) -> None:
    with suppress(BrokenPipeError):  # not by print: without a reader that would end the process
        os.write(1, json.dumps(line).encode() + b"\n")


if __name__ == "__main__":
    main()
