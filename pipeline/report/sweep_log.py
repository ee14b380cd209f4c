"""What a sweep has computed so far, in a file of its own: its run, a line for each configuration.

A sweep that is killed keeps the lines, and `--resume` goes on after them.
"""

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipeline.learning.outcomes import Outcome
from pipeline.settings import files, ids
from pipeline.settings.declared import stages
from pipeline.settings.params import Params

MOST_KEPT = 20
"""Files of the newest sweeps that are kept."""


def sweep_id(params: Params, keys: Collection[str], depends_on: Sequence[Any]) -> str:
    """Return a hash of all that a sweep's figures depend on: data, code, job, and what is given.

    keys: those that vary, whose values in the job do not count.
    """
    deps = ids.md5s(stages()["train"]["deps"])
    job = {k: value for k, value in ids.stage_params("train", params).items() if k not in keys}
    text = json.dumps([deps, job, *depends_on], default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class SweepLog:
    """The file of one sweep."""

    def __init__(self, sweep: str) -> None:
        self.folder = files.root() / files.STATE_FOLDER / "sweeps"
        self.path = self.folder / f"{sweep}.jsonl"

    def begin(self, *, resume: bool) -> None:
        """Remove the files of old sweeps, and without `resume` what this one has left."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not resume:
            self.path.unlink(missing_ok=True)
        others = [path for path in self.folder.glob("*.jsonl") if path != self.path]
        for path in sorted(others, key=_time, reverse=True)[MOST_KEPT - 1 :]:
            with suppress(OSError):
                path.unlink()

    def append(self, outcomes: Sequence[Outcome]) -> None:
        """Add the outcomes of some configurations."""
        # A line that was cut off is ended first: it must not spoil the next one.
        lines = "\n" + "".join(json.dumps(asdict(each)) + "\n" for each in outcomes)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(lines)

    def append_parent(self, run_id: str) -> None:
        """Add the id of the sweep's run in the store."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"parent": run_id}) + "\n")

    def read(self) -> list[Outcome]:
        """Return the outcomes so far, in order. A line that was cut off counts for nothing."""
        outcomes: dict[int, Outcome] = {}
        for value in self._lines():
            with suppress(ValueError, TypeError, KeyError):
                losses = tuple((epoch, loss) for epoch, loss in value.pop("losses"))
                outcome = Outcome(**value, losses=losses)
                outcomes[outcome.number] = outcome
        return [outcomes[number] for number in sorted(outcomes)]

    def parent(self) -> str | None:
        """Return the id of the sweep's newest run; None if it has none."""
        run_ids = [value["parent"] for value in self._lines() if "parent" in value]
        return run_ids[-1] if run_ids else None

    def _lines(self) -> Iterator[dict[str, Any]]:
        with suppress(FileNotFoundError):
            for line in self.path.read_text(encoding="utf-8").splitlines():
                with suppress(ValueError):
                    value = json.loads(line)
                    if isinstance(value, dict):
                        yield value


def _time(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
