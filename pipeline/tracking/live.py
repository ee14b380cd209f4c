"""Training side of the live MLflow run: sends the losses to the recorder.

MLflow takes a second to import, and a store may be slow, far away or gone. None of these things
delays or stops a training: a process of its own, the recorder, writes the run.
This module does not import MLflow.
"""

import json
import os
import select
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pipeline.settings import files, processes, signals
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tracking import store_check, wire
from pipeline.tracking.store_check import SECONDS_OF_WORK, SECONDS_TO_WAIT
from pipeline.tracking.store_failures import REPLAY_LATER

SECONDS_TO_SEND = 0.2  # a system call each epoch would take a tenth of a short epoch's time
SECONDS_TO_START = 60.0  # for importing MLflow on a busy machine
SECONDS_STUCK = 2.0  # until a recorder that does not read counts as lost
ROWS_TO_SEND = 1000


class LiveRun:
    """Training's side of the connection to the recorder. Never raises."""

    def __init__(self) -> None:
        self._recorder = subprocess.Popen(
            [sys.executable, "-m", "pipeline.tracking.recorder"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,  # Ctrl-C reaches only the training, which reports its end
        )
        assert self._recorder.stdin is not None
        assert self._recorder.stdout is not None
        self._input, self._output = self._recorder.stdin, self._recorder.stdout
        for pipe in (self._input, self._output):
            os.set_blocking(pipe.fileno(), False)
        self._received = b""
        self._is_ready = False
        self._has_warned = False
        self._is_lost = False
        self._training_id: str | None = None
        self._rows = array("d")
        """Losses that were not sent yet, as `wire.row` returns them."""
        self._sent_at = 0.0

    def begin(self, params: Params, training_id: str) -> None:
        """Create the run, or take up the run of the same training that was killed.

        A training that is resumed after it was killed sends its first epochs again.
        """
        self._training_id = training_id
        values = params.model_dump(mode="json")
        self._send(
            wire.line("begin", wire.milliseconds(), values, training_id, processes.identity())
        )

    def log_losses(self, epoch: int, loss: float, test_loss: float | None, now: int) -> None:
        """Log finite losses, to nine digits, as step `epoch`.

        now: when they were known, in milliseconds since 1970.
        """
        self._rows.extend(wire.row(epoch, loss, test_loss, now))
        is_full = len(self._rows) >= ROWS_TO_SEND * wire.NUMBERS_PER_ROW
        if is_full or now - self._sent_at > 1000 * SECONDS_TO_SEND:
            self._sent_at = now
            self._send_losses()

    def end(self, status: str, reason: str = "") -> None:
        """End the run, if it has begun, and wait until it is written, within limits."""
        began = time.monotonic()
        if self._training_id is None:
            self._recorder.kill()
        else:
            self._send_losses()
            self._send(wire.line("end", wire.milliseconds(), status, reason))
        self._input.close()
        self._wait()
        self._output.close()
        if self._training_id is None:
            return
        if self._recorder.returncode and not self._is_lost:
            self._warn(f"the process that writes the run ended ({self._recorder.returncode})")
        waited = time.monotonic() - began
        if self._has_warned or waited > 1:
            # `track` reads this file, waits so much less, and does not repeat the warning.
            trouble = files.root() / files.STATE_FOLDER / "trouble" / self._training_id
            with suppress(OSError):
                files.write_json(trouble, {"waited": waited, "warned": self._has_warned})

    def _send_losses(self) -> None:
        if self._rows and not self._is_lost:
            self._send(wire.losses_line(self._rows))
            self._receive()
        self._rows = array("d")

    def _send(self, content: bytes) -> None:
        """Send bytes. Gives up a recorder that does not read them."""
        rest = memoryview(content)
        while rest and not self._is_lost:
            try:
                rest = rest[os.write(self._input.fileno(), rest) :]
            except BlockingIOError:
                _, writable, _ = select.select([], [self._input], [], SECONDS_STUCK)
                if not writable:
                    self._give_up("the process that writes the run has stopped")
            except BrokenPipeError:
                code = self._recorder.wait()
                self._give_up(f"the process that writes the run ended before its time ({code})")

    def _receive(self) -> None:
        """Read the recorder's answers so far: ready, or in trouble."""
        with suppress(BlockingIOError):
            while received := os.read(self._output.fileno(), 65536):
                self._received += received
        *lines, self._received = self._received.split(b"\n")
        for line in lines:
            kind, *content = json.loads(line)
            self._is_ready = self._is_ready or kind == "ready"
            if kind == "trouble":
                self._warn(*content)

    def _wait(self) -> None:
        """Wait until the recorder ends; kill it if its store takes too long."""
        start = time.monotonic()
        limit = SECONDS_TO_START
        while self._recorder.poll() is None and not self._is_lost:
            self._receive()
            if limit == SECONDS_TO_START and (self._is_ready or self._has_warned):
                # If the store has failed already, 1.5 s are enough for one more try.
                start, limit = time.monotonic(), 1.5 if self._has_warned else SECONDS_TO_WAIT
            elif time.monotonic() - start > limit:
                if limit == SECONDS_TO_WAIT and not self._has_warned:
                    limit = SECONDS_OF_WORK
                    try:
                        store_check.check_at_work()
                    except UserError as error:
                        self._give_up(str(error))
                else:
                    self._give_up("the tracking store is too slow")
            else:
                # Returns at once when the recorder ends, because its end closes the pipe.
                select.select([self._output], [], [], 0.05)
        self._receive()

    def _give_up(self, reason: str) -> None:
        self._is_lost = True
        self._recorder.kill()
        self._recorder.wait()
        self._warn(reason)

    def _warn(self, reason: str, cure: str = REPLAY_LATER) -> None:
        """Print the reason why the run is not complete, once. cure: see `store_failures.cure`."""
        if not self._has_warned:
            self._has_warned = True
            print(f"warning: {reason}. The result is not touched by this{cure}", file=sys.stderr)


@contextmanager
def live_run() -> Iterator[LiveRun]:
    """Yield the run of the training in the block, and end it after the block.

    Its status is FINISHED, KILLED after Ctrl-C or another signal, or FAILED after any other error.
    Without a call of `begin` there is no run.
    """
    run = LiveRun()
    try:
        yield run
    except BaseException as error:
        run.end(*_status(error))
        raise
    run.end("FINISHED")


def _status(error: BaseException) -> tuple[str, str]:
    """Return the status of a training that `error` has ended, and the reason."""
    if isinstance(error, KeyboardInterrupt):
        return "KILLED", f"ended by {signals.cause(signals.number_of(error))}"
    reason = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
    return "FAILED", reason
