"""Time what tracking costs, in turn with the same work without tracking: part of `make bench`.

Logging: `runs.log_losses`, in batches as the live run sends them, beside `mlflow.log_metric` for
each loss, each in a fresh SQLite store.

Training: the same `training.train` by itself and inside `live_run()`, on a large table and on the
tutorial's three rows, which have the shortest epochs. The number of epochs is chosen so that a
training takes about `--seconds`. A training may end before its run is written, and other programs
may slow down both: so there are three measures of each. It trains with one thread, because several
threads wait for the slowest one in every epoch: on two cores where another program computes too,
epochs of 10⁵ rows took five to thirty times as long with two threads, tracked or not. `--threads`
asks for more.

Looking results up: `python -m pipeline.track --all` where each of many results has its run already,
beside `python -m pipeline.track`, which looks up the result in the workspace.

What counts is the ratio within a round, because the machine's own speed changes from minute to
minute. All work is done in a clone of HEAD, and its stores are on this machine.
"""

import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import chdir, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

import mlflow
import torch
import yaml
from against_plain import run
from dvc.utils.serialize import dump_yaml
from rounds import ROOT, arguments, summary, turns

sys.path.insert(0, str(ROOT))

from pipeline import evaluate, export, generate, track, train
from pipeline.learning import training
from pipeline.learning.checkpoint import Checkpoint
from pipeline.results import git
from pipeline.settings import declared, dvc_md5, params
from pipeline.settings.params import Params
from pipeline.tables import table
from pipeline.tables.generated import generated_table
from pipeline.tracking import runs, store, wire
from pipeline.tracking.live import live_run

Pairs = list[tuple[float, float]]
"""Seconds of each round: without tracking and with it."""

AfterEpoch = Callable[[int, float, float | None], None]


def job(**changes: dict[str, Any]) -> Params:
    """Return the committed job with other values, by section: `job(train={"lr": 0.02})`."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    for section, changed in changes.items():
        values[section] |= changed
    return params.parse(yaml.safe_dump(values))


# Logging


def logging(work: Path, rounds: int, count: int) -> Pairs:
    """Return the seconds that `count` metrics take in each round: one by one, and in batches."""
    pairs: Pairs = []
    for number in range(rounds):
        sides = {"plain": log_one_by_one, "ours": log_in_batches}
        seconds = {}
        for side in turns(sides, number):
            folder = work / f"{side} {number}"
            folder.mkdir()
            seconds[side] = sides[side](folder, [1 / epoch for epoch in range(1, count + 1)])
        pairs.append((seconds["plain"], seconds["ours"]))
        print(f"logging: round {number + 1} of {rounds}", file=sys.stderr)
    return pairs


def log_one_by_one(folder: Path, losses: list[float]) -> float:
    """Return the seconds that logging takes as most people write it."""
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    del os.environ["MLFLOW_TRACKING_URI"]  # MLflow has set it, too, and the next store is another
    mlflow.set_experiment("plain")
    with mlflow.start_run():
        begin = time.perf_counter()
        for epoch, loss in enumerate(losses, 1):
            mlflow.log_metric("loss", loss, step=epoch)
        return time.perf_counter() - begin


def log_in_batches(folder: Path, losses: list[float]) -> float:
    """Return the seconds that logging takes as the live run does it."""
    with patch.dict(os.environ, DVC_ROOT=str(folder)):
        opened = store.open_store("abline")
    run_id = opened.client.create_run(opened.experiment_id).info.run_id
    begin = time.perf_counter()
    size = runs.METRICS_PER_BATCH
    for start in range(0, len(losses), size):
        now = time.time_ns() // 1_000_000
        batch = enumerate(losses[start : start + size], start + 1)
        runs.log_losses(opened, run_id, [(epoch, loss, None, now) for epoch, loss in batch])
    return time.perf_counter() - begin


def logging_table(pairs: Pairs, count: int) -> str:
    """Return the table of `logging` in Markdown."""
    plain, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    return "\n".join(
        [
            f"| {count:,} metrics, SQLite | ms a metric | times ours | range |",
            "|---|---|---|---|",
            f"| mlflow.log_metric, one by one | {1000 * plain / count:.3f} |"
            f" {summary([a / b for a, b in pairs], lambda ratio: f'{ratio:.0f}')} |",
            f"| ours, in batches of {runs.METRICS_PER_BATCH:,} | {1000 * ours / count:.3f} | 1 | |",
        ]
    )


# Training

LARGE: dict[str, Any] = {"features": [f"x{number}" for number in range(8)]}
LARGE["generate"] = {"x": None, "rows": 100_000, "weight": None, "bias": [0.0], "noise": 0.5}
# A rate this small keeps a million epochs from converging to zero, where arithmetic is slower.
SLOW: dict[str, Any] = {"lr": 1e-9, "reduction": "mean", "reduce_rows": False}
JOBS: dict[str, dict[str, Any]] = {
    "10⁵ × 8": {"data": LARGE, "train": SLOW, "evaluate": {"queries": []}},
    "3 × 1, the tutorial's": {"train": SLOW},
}


MEASURED = {
    "trained": "until it is trained",
    "written": "until its run is written, too",
    "processor": "processor time of its process",
}


@dataclass(frozen=True)
class Seconds:
    """Seconds that a training took."""

    trained: float
    """Until the model was there."""
    written: float
    """Until its run was written, too."""
    processor: float
    """Processor time of the training's process, to which other programs add nothing."""


def train_bare(job: Params, rows: table.Table) -> Seconds:
    """Train without a run; return the seconds."""
    begin, processor = time.perf_counter(), time.process_time()
    training.train(job, rows)
    trained = time.perf_counter() - begin
    return Seconds(trained, trained, time.process_time() - processor)


def train_tracked(job: Params, rows: table.Table) -> Seconds:
    """Train as the stage `train` does, with a run; return the seconds."""
    begin, processor = time.perf_counter(), time.process_time()
    with live_run() as run:
        training_id = f"{time.time_ns():032x}"
        run.begin(job, training_id)
        checkpoint = Checkpoint(training_id, job.train.checkpoint_seconds)
        training.train(job, rows, None, after_epoch(run, checkpoint), checkpoint)
        checkpoint.remove()
        trained = time.perf_counter() - begin
    return Seconds(trained, time.perf_counter() - begin, time.process_time() - processor)


def after_epoch(run: Any, checkpoint: Checkpoint) -> AfterEpoch:
    """Return the function that the stage `train` calls after each epoch."""

    def send(epoch: int, loss: float, test_loss: float | None) -> None:
        now = wire.milliseconds()
        checkpoint.times.append(now)
        run.log_losses(epoch, loss, test_loss, now)

    return send


def with_epochs(changes: dict[str, Any], epochs: int) -> Params:
    """Return the job with another number of epochs."""
    return job(**changes | {"train": changes["train"] | {"epochs": epochs}})


def epochs_for(seconds: float, changes: dict[str, Any], rows: table.Table) -> int:
    """Return the number of epochs that take about `seconds`, estimated by a shorter training."""
    epochs, needed = 16, 0.0
    while needed < min(1.0, seconds / 4):
        epochs *= 2
        # The fastest of three: if another program slows this down, the training is too short.
        needed = min(train_bare(with_epochs(changes, epochs), rows).trained for _ in range(3))
    return max(1, round(epochs * seconds / needed))


def training_table(rounds: int, seconds: float) -> str:
    """Train each job with and without a run in each round; return a table in Markdown."""
    lines = [
        f"| SGD for about {seconds:g} s | epochs | an epoch, µs | tracking adds | range |",
        "|---|---|---|---|---|",
    ]
    sides = {"bare": train_bare, "tracked": train_tracked}
    for name, changes in JOBS.items():
        asked = with_epochs(changes, 1)
        rows = generated_table(asked.data, asked.seed)
        epochs = epochs_for(seconds, changes, rows)
        asked = with_epochs(changes, epochs)
        by_side: list[dict[str, Seconds]] = []
        for number in range(rounds):
            by_side.append({side: sides[side](asked, rows) for side in turns(sides, number)})
            print(f"training {name}: round {number + 1} of {rounds}", file=sys.stderr)
        for measure, description in MEASURED.items():
            bare = [getattr(both["bare"], measure) for both in by_side]
            tracked = [getattr(both["tracked"], measure) for both in by_side]
            added = [100 * (b / a - 1) for a, b in zip(bare, tracked, strict=True)]
            epoch = 1e6 * statistics.median(bare) / epochs
            lines.append(
                f"| {name}: {description} | {epochs:,} | {epoch:.1f} |"
                f" {summary(added, lambda percent: f'{percent:+.1f} %')} |"
            )
    return "\n".join(lines)


# Looking results up


def make_results(count: int) -> None:
    """Commit `count` results of other learning rates in the working directory, each with its run.

    The stages make them, but in this process and without DVC, which would take minutes more;
    dvc.lock and the cache are written as DVC writes them.
    """
    committed = Path("dvc.lock").read_text()
    for number in range(count):
        made = job(train={"lr": round(0.01 + number / 100_000, 5)})
        if number:
            text = (ROOT / "params.yaml").read_text()
            changed = text.replace("  lr: 0.01\n", f"  lr: {made.train.lr}\n")
            assert changed != text, "params.yaml has another learning rate than the tutorial's"
            Path("params.yaml").write_text(changed)
        # The run is replayed from the files: a recorder for each training would take longer.
        with redirect_stdout(sys.stderr), patch.object(train, "live_run", MagicMock()):
            for stage in (generate, train, evaluate, export, track):
                stage.main(made)
        dump_yaml("dvc.lock", locked(made))
        assert number or Path("dvc.lock").read_text() == committed, "DVC writes something else"
        keep_outs()
        if number:
            run(Path.cwd(), "git", "commit", "--quiet", "--all", f"--message=lr {made.train.lr}")


def locked(made: Params) -> dict[str, Any]:
    """Return the content of dvc.lock for the result in the working directory."""
    commands = yaml.safe_load(declared.DVC_YAML.read_text())["stages"]
    stages: dict[str, Any] = {}
    for name, stage in declared.stages().items():
        # New values for each: YAML would write a list that two stages share as a reference.
        values = made.model_dump(mode="json")
        stages[name] = {
            "cmd": commands[name]["cmd"],
            "deps": [hashed(path) for path in sorted(stage["deps"])],
            "params": {"params.yaml": {key: at(values, key) for key in sorted(stage["params"])}},
            "outs": [hashed(path) for path in sorted(stage["outs"])],
        }
    return {"schema": "2.0", "stages": stages}


def at(values: dict[str, Any], key: str) -> Any:
    """Return the value of a dotted key."""
    for name in key.split("."):
        values = values[name]
    return values


def hashed(path: str) -> dict[str, Any]:
    """Return the entry of a file or a folder in dvc.lock."""
    place = Path(path)
    inside = [entry for entry in place.rglob("*") if entry.is_file()] if place.is_dir() else []
    entry = {"path": path, "hash": "md5", "md5": dvc_md5.of(place)}
    if place.is_dir():
        size = sum(file.stat().st_size for file in inside)
        return entry | {"size": size, "nfiles": len(inside)}
    return entry | {"size": place.stat().st_size}


def keep_outs() -> None:
    """Put the outputs that git does not have into DVC's cache."""
    stages = declared.stages().items()
    outs = [out for name, stage in stages if name != "track" for out in stage["outs"]]
    for path in (git.ask("check-ignore", *outs) or "").splitlines():
        md5 = dvc_md5.of(Path(path))
        kept = Path(".dvc/cache/files/md5") / md5[:2] / md5[2:]
        kept.parent.mkdir(parents=True, exist_ok=True)
        if not kept.exists():
            shutil.copyfile(path, kept)


def looking_up(rounds: int, count: int) -> Pairs:
    """Return the seconds of looking up one result and all results, in each round."""
    folder = Path.cwd()
    make_results(count)
    pairs: Pairs = []
    for number in range(rounds):
        sides = {"one": [], "all": ["--all"]}
        seconds = {
            side: run(folder, "python", "-m", "pipeline.track", *sides[side])
            for side in turns(sides, number)
        }
        pairs.append((seconds["one"], seconds["all"]))
        print(f"looking up: round {number + 1} of {rounds}", file=sys.stderr)
    opened = store.open_store("abline")
    runs = opened.client.search_runs([opened.experiment_id], max_results=2 * count)
    assert len(runs) == count, f"{len(runs)} runs of {count} results"
    return pairs


def lookup_table(pairs: Pairs, count: int) -> str:
    """Return the table of `looking_up` in Markdown."""
    one, everything = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratios = [b / a for a, b in pairs]
    return "\n".join(
        [
            "| results that have their run | time, s | ratio | range |",
            "|---|---|---|---|",
            f"| 1, `python -m pipeline.track` | {one:.2f} | 1 | |",
            f"| {count}, `python -m pipeline.track --all` | {everything:.2f} | {summary(ratios)} |",
        ]
    )


def main() -> None:
    """Measure and print three tables in Markdown."""
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--metrics", type=int, default=5000, help="to log (5,000)")
    parser.add_argument("--seconds", type=float, default=60, help="of a bare training (60)")
    parser.add_argument("--threads", type=int, default=1, help="to train with (1)")
    parser.add_argument("--results", type=int, default=200, help="to look up (200)")
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    for name in list(os.environ):
        if name.startswith(("DVC_", "MLFLOW_", "GIT_")):
            del os.environ[name]
    with tempfile.TemporaryDirectory() as work:
        clone = Path(work) / "abline"
        # No history: only the results that are made here are looked up.
        run(Path(work), "git", "clone", "--quiet", "--depth=1", ROOT.as_uri(), str(clone))
        with chdir(clone):
            print(logging_table(logging(Path(work), asked.rounds, asked.metrics), asked.metrics))
            print()
            with patch.dict(os.environ, DVC_ROOT=work):  # the clone's store is for the results
                print(training_table(asked.rounds, asked.seconds))
            print()
            print(lookup_table(looking_up(asked.rounds, asked.results), asked.results))


if __name__ == "__main__":
    main()
