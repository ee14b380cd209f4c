"""Checkpoints: what a training needs to go on after its process was killed, as if it had not been.

They lie outside of the stage's outputs, which DVC removes before it runs a stage, and hold tensors
as safetensors and all else as JSON: no pickle.
"""

import hashlib
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from pipeline.settings import files, runner

DIGEST = 32  # bytes of SHA-256, before the content
DAYS_KEPT = 14  # without having been written: who changes a job does not come back to the old one
NUMBER_KEPT = 20  # the newest: as many killed trainings of a queue go on, each 3 times its model


class Checkpoint:
    """The checkpoint of one training, by its training_id.

    Nothing that is wrong with it stops the training: it would only have to start anew after the
    next time it is killed.
    """

    def __init__(self, training_id: str, seconds: float | None) -> None:
        """seconds: how often to write it; None: never."""
        self.training_id = training_id
        self.seconds = seconds
        self.times: list[int] = []
        """When the losses of each epoch were known, in milliseconds since 1970."""
        self.path = files.root() / files.OURS / "checkpoints" / f"{training_id}.safetensors"
        _remove_abandoned(self.path)
        self.state = self._read()
        self.written = time.monotonic()

    def load(self) -> dict[str, Any] | None:
        """The state of this training, killed before its end; None if there is none."""
        return self.state

    def is_due(self) -> bool:
        """Whether it is time to write it again."""
        return self.seconds is not None and time.monotonic() - self.written >= self.seconds

    def save(self, state: dict[str, Any]) -> None:
        """Write `state`: dicts, lists and tuples of tensors, numbers, strings and None."""
        tensors: dict[str, torch.Tensor] = {}
        whole = state | {"times": torch.tensor(self.times, dtype=torch.int64)}
        about = json.dumps({"training_id": self.training_id, "state": _plain(whole, tensors)})
        # A file must hold one tensor at least.
        content = safetensors.torch.save(
            tensors | {"none": torch.zeros(0)}, metadata={"abline": about}
        )
        try:
            files.write_bytes(self.path, hashlib.sha256(content).digest() + content)
        except OSError as error:
            print(
                f"warning: no checkpoint could be written ({runner.told(error)}): a training that"
                " is killed starts anew",
                file=sys.stderr,
            )
            self.seconds = None
        self.written = time.monotonic()

    def _read(self) -> dict[str, Any] | None:
        """What lies at `path`; a damaged file is put aside."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return None
        try:
            digest, content = content[:DIGEST], content[DIGEST:]
            if hashlib.sha256(content).digest() != digest:
                raise ValueError("its bytes are not those that were written")
            header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
            about = json.loads(header["__metadata__"]["abline"])
            if about["training_id"] != self.training_id:
                raise ValueError("it is of another training")
            state: dict[str, Any] = _whole(about["state"], safetensors.torch.load(content))
            self.times = state.pop("times").tolist()
        except (ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
            aside = self.path.with_suffix(".damaged")
            with suppress(OSError):
                self.path.replace(aside)
            print(
                f"warning: the checkpoint of this training is damaged ({error}); it is {aside} now,"
                " and the training starts anew",
                file=sys.stderr,
            )
            return None
        return state

    def remove(self) -> None:
        """Remove it: the training has come to its end."""
        with suppress(OSError):
            self.path.unlink(missing_ok=True)


def _remove_abandoned(ours: Path) -> None:
    """Remove the checkpoints that nobody will come back to, and damaged ones that were put aside.

    Only a training of the same inputs uses a checkpoint, and removes it: after any change of code,
    data or parameters it is never used again. `ours` stays. A training whose checkpoint is removed
    while it runs writes it again.
    """
    try:
        found = [(entry.stat().st_mtime, entry) for entry in ours.parent.iterdir()]
    except OSError:
        return
    found.sort(reverse=True)
    oldest = time.time() - DAYS_KEPT * 24 * 3600
    for number, (written, path) in enumerate(found):
        if path != ours and (number >= NUMBER_KEPT or written < oldest):
            with suppress(OSError):
                path.unlink()


def _plain(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """`value` as JSON has it; tensors are put into `tensors` and named."""
    if isinstance(value, torch.Tensor):
        name = str(len(tensors))
        # A copy: safetensors refuses tensors that share their memory.
        tensors[name] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {"tensor": name}
    if isinstance(value, dict):  # JSON's keys are strings only
        return {"dict": [[key, _plain(each, tensors)] for key, each in value.items()]}
    if isinstance(value, list | tuple):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_plain(each, tensors) for each in value]}
    assert value is None or isinstance(value, bool | int | float | str), type(value)
    return value


def _whole(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    """What `_plain` was given."""
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        # In memory of its own: how a tensor is aligned may decide the order of a sum.
        return tensors[content].clone()
    if kind == "dict":
        return {key: _whole(item, tensors) for key, item in content}
    each = (_whole(item, tensors) for item in content)
    return tuple(each) if kind == "tuple" else list(each)
