"""Checkpoints: the state of a training on disk, from which a killed training resumes.

The file lies outside the stage's outputs, because DVC removes outputs before it runs a stage. It is
the SHA-256 of its content, then the content: `torch.save`, loaded with `weights_only`, which runs
no code.
"""

import hashlib
import io
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from pipeline.settings import files, runner

DIGEST_BYTES = 32
DAYS_KEPT = 14
"""Days without a write after which a checkpoint is removed: its job has changed since."""
NUMBER_KEPT = 20
"""Number of the newest checkpoints, which are kept: a queue of as many killed trainings can resume.
Each takes about 3 times the size of its model."""


class Checkpoint:
    """The checkpoint of the training with one training_id.

    No error of a checkpoint ends the training, which only starts anew if it is killed again.
    """

    def __init__(
        self,
        training_id: str,
        seconds: float | None,
        after_save: Callable[[], None] = lambda: None,
    ) -> None:
        """seconds: time between two writes; None to write none. after_save: called after each."""
        self.training_id = training_id
        self.seconds = seconds
        self.after_save = after_save
        self.times: list[int] = []
        """Time at which the losses of each epoch were known, in milliseconds since 1970."""
        self.path = files.root() / files.STATE_FOLDER / "checkpoints" / f"{training_id}.pt"
        _remove_abandoned(self.path)
        self.state: dict[str, Any] | None = self._read()
        """State to resume from; None to train from the start."""
        self.written = time.monotonic()

    def is_due(self) -> bool:
        """True if it is time for the next write."""
        return self.seconds is not None and time.monotonic() - self.written >= self.seconds

    def save(self, state: dict[str, Any]) -> None:
        """Write `state`: dicts, lists and tuples of tensors, numbers, strings and None."""
        times = torch.tensor(self.times, dtype=torch.int64)
        content = io.BytesIO()
        torch.save({"training_id": self.training_id, "times": times, "state": state}, content)
        digest = hashlib.sha256(content.getbuffer()).digest()
        try:
            files.write_bytes(self.path, digest + content.getbuffer())
        except OSError as error:
            print(
                f"warning: no checkpoint could be written ({runner.message(error)}): a training"
                " that is killed starts anew",
                file=sys.stderr,
            )
            self.seconds = None
        self.after_save()
        self.written = time.monotonic()

    def _read(self) -> dict[str, Any] | None:
        """Return the state in the file; rename a file that is damaged."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return None
        try:
            digest, content = content[:DIGEST_BYTES], content[DIGEST_BYTES:]
            if hashlib.sha256(content).digest() != digest:
                raise ValueError("its bytes have changed")
            # On the CPU: the GPU of the earlier process may be gone.
            saved = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
            if saved["training_id"] != self.training_id:
                raise ValueError("it belongs to another training")
            state: dict[str, Any] = saved["state"]
            self.times = saved["times"].tolist()
        except (ValueError, KeyError, TypeError, RuntimeError, UnpicklingError) as error:
            aside = self.path.with_suffix(".damaged")
            with suppress(OSError):
                self.path.replace(aside)
            print(
                f"warning: the checkpoint of this training is damaged ({error}); it was renamed to"
                f" {aside}, and the training starts anew",
                file=sys.stderr,
            )
            return None
        return state

    def remove(self) -> None:
        """Remove the file when the training has ended."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def _remove_abandoned(ours: Path) -> None:
    """Remove old checkpoints and damaged ones, except `ours`.

    Only a training with the same inputs uses a checkpoint, and removes it when it ends. After any
    change of code, data or parameters nobody uses the file again. A training that is running when
    its checkpoint is removed writes a new one.
    """
    try:
        entries = [(entry.stat().st_mtime, entry) for entry in ours.parent.iterdir()]
    except OSError:
        return
    entries.sort(reverse=True)
    oldest = time.time() - DAYS_KEPT * 24 * 3600
    for number, (written, path) in enumerate(entries):
        if path != ours and (number >= NUMBER_KEPT or written < oldest):
            with suppress(OSError):
                path.unlink()
