"""The MLflow run of a training, written while it trains by a process of its own.

MLflow takes a second to import, and a store may be slow or far away: neither is for the training
to wait for. And whatever ends the training, SIGKILL included, this process outlives it and writes
into the run how it ended.

The training sends JSON lines: ["begin", milliseconds since 1970, params, training_id], for each
epoch ["loss", milliseconds, epoch, loss, loss of the rows held out or null], and ["end",
milliseconds, status, reason]. The process answers only if it fails, with the message.
"""

import argparse
import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pipeline import UserError, stage
from pipeline.params import Params

SECONDS_PER_BATCH = 2.0  # how far `mlflow ui` lags behind a training


class LiveRun:
    """The training's end of the line."""

    def __init__(self) -> None:
        self._recorder = subprocess.Popen(
            [sys.executable, "-m", "pipeline.live_run"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for the training, which passes it on in its words
        )
        self._begun = False

    def begin(self, params: Params, training_id: str) -> None:
        """Create the run, with what cannot change without retraining."""
        self._begun = True
        self._tell("begin", params.model_dump(mode="json"), training_id)

    def log_losses(self, epoch: int, loss: float, test_loss: float | None) -> None:
        """Log finite losses as step `epoch`. Raises UserError if the store has failed."""
        self._tell("loss", epoch, loss, test_loss)

    def end(self, status: str, reason: str = "") -> None:
        """End the run, if it has begun, and wait until all is written.

        Raises UserError if the store has failed.
        """
        if self._begun:
            self._tell("end", status, reason)
        else:
            self._recorder.kill()
        self._finish()

    def _tell(self, kind: str, *content: Any) -> None:
        assert self._recorder.stdin is not None
        try:
            self._recorder.stdin.write(json.dumps([kind, _now(), *content]) + "\n")
            self._recorder.stdin.flush()
        except (BrokenPipeError, ValueError):  # it is gone, or has been told to end before
            self._finish()

    def _finish(self) -> None:
        """Wait for the process to end. Raises UserError if it has failed, with what it says."""
        if self._recorder.returncode is not None:
            return
        told, _ = self._recorder.communicate()
        if self._begun and self._recorder.returncode:
            raise UserError(
                told
                or "the process that writes the run ended before its time (exit status"
                f" {self._recorder.returncode}); `dvc repro` trains again"
            )


@contextmanager
def live_run() -> Iterator[LiveRun]:
    """A run for the training in the block: FINISHED after it, KILLED by a signal, else FAILED.

    There is no run unless `begin` is called.
    """
    run = LiveRun()
    try:
        yield run
        run.end("FINISHED")
    except BaseException as error:
        killed = isinstance(error, KeyboardInterrupt)
        reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
        # The error itself matters more than a store that fails to take note of it.
        with suppress(OSError, UserError):
            run.end("KILLED" if killed else "FAILED", reason)
        raise


def _now() -> int:
    """Milliseconds since 1970, as MLflow counts."""
    return time.time_ns() // 1_000_000


def main() -> None:
    """Write what the training sends, until it ends or is gone."""
    argparse.ArgumentParser(
        prog="python -m pipeline.live_run",
        description="`train` starts this to write its run while it trains.",
    ).parse_args()
    for stream in (sys.stdin, sys.stdout):  # whatever the locale is
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    # From now on, because a training must not wait for the import of MLflow.
    messages: queue.SimpleQueue[list[Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=[messages], daemon=True).start()
    try:
        _record(messages)
    except Exception as error:
        told = stage.told(error)
        if told is None:
            raise
        with suppress(BrokenPipeError):
            print(told, end="", flush=True)
        sys.exit(1)
    stage.leave()


def _listen(messages: queue.SimpleQueue[list[Any]]) -> None:
    with suppress(ValueError):  # a line that SIGKILL has cut short
        for line in sys.stdin:
            messages.put(json.loads(line))
    messages.put(["end", _now(), "KILLED", "the training ended without a word"])


def _record(messages: queue.SimpleQueue[list[Any]]) -> None:
    from pipeline import tracking  # only here: the training's end of the line has no need of it

    kind, now, *content = messages.get()
    if kind == "end":
        return
    # To be stopped with the training's whole group would leave a run that says RUNNING for ever.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    # Through JSON again: its lists are what Params makes tuples of.
    params = Params.model_validate_json(json.dumps(content[0]))
    store, run_id = tracking.begin(params, content[1], now)
    losses: list[tracking.Timed] = []
    sent = time.monotonic()
    while True:
        with suppress(queue.Empty):
            kind, now, *content = messages.get(timeout=SECONDS_PER_BATCH)
            if kind == "loss":
                losses.append((*content, now))
        late = time.monotonic() - sent > SECONDS_PER_BATCH
        if losses and (late or len(losses) >= tracking.METRICS_PER_BATCH or kind == "end"):
            tracking.log_losses(store, run_id, losses)
            losses, sent = [], time.monotonic()
        if kind == "end":
            tracking.end(store, run_id, now, *content)
            return


if __name__ == "__main__":
    main()
