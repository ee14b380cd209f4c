"""Time the pass over a table on threads and on Dask's workers: `python benchmarks/workers.py`.

The pass is what generate does after its tables are written: each row group of data/train.parquet is
read, encoded and summed up. One table of random float32, one thread, two threads, and two workers
of a Dask cluster on this machine with one thread each, one after the other, over several rounds.
The result is the ratio within a round, because the machine's own speed changes from minute to
minute. The seconds of processors depend less on what else the machine does: if two threads need no
more of them than one, they are twice as fast on two free cores. Then the parts of the cost model of
docs/beyond-one-machine.md, a row group at a time: reading, arithmetic, adding, and the bytes that
travel, for several numbers of columns.
"""

import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, chdir, contextmanager
from functools import partial
from pathlib import Path
from unittest.mock import patch

import numpy as np
import psutil
from rounds import ROOT, arguments, summary

from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import Plan, RowCounts
from pipeline.compute import own_rows
from pipeline.compute.draws import DrawnFolds, Draws, Side
from pipeline.compute.mapping import CLUSTER, workers
from pipeline.compute.own_rows import OwnRows
from pipeline.compute.summarize import Layout, no_rows, summarize
from pipeline.exact import cores
from pipeline.settings import files
from pipeline.tables import table
from pipeline.tables.table import ROWS_PER_ROW_GROUP

SIDES = {"1 thread": 1, "2 threads": 2, "2 Dask workers": 0}
FOLDS = 5
IN_TASK = 4
"""Row groups of a small table's task."""
KEEP_MEMORY = {
    "DASK_DISTRIBUTED__NANNY__PRE_SPAWN_ENVIRON": (
        '{"MALLOC_TRIM_THRESHOLD_": 268435456, "MALLOC_MMAP_THRESHOLD_": 268435456}'
    )
}
"""Dask's own setting gives memory back after each block: docs/beyond-one-machine.md."""


def names(columns: int) -> list[str]:
    """Return the names of features and a target."""
    return [*(f"x{number}" for number in range(columns)), "y"]


def make(folder: Path, rows: int, columns: int) -> dict[Side, Path]:
    """Write a training table of random float32, and a test table without rows."""
    schema = table.number_schema(names(columns), frozenset(names(columns)))
    draws = np.random.default_rng(0)
    paths: dict[Side, Path] = {"train": folder / files.TRAIN, "test": folder / files.TEST}
    with table.writer(paths["test"], schema), table.writer(paths["train"], schema) as file:
        for begin in range(0, rows, ROWS_PER_ROW_GROUP):
            size = min(ROWS_PER_ROW_GROUP, rows - begin)
            values = np.asfortranarray(draws.standard_normal((size, columns + 1), np.float32))
            numbers = table.Table(
                tuple(names(columns)), values.astype(float, order="F"), frozenset(names(columns))
            )
            file.write(table.to_arrow(numbers))
    return paths


def plan_of(rows: int, columns: int) -> Plan:
    """Return the plan of features that are numbers."""
    learnt = tuple(
        NumberColumn(name=name, missing_rows=0, fill=None, indicator=False, min=-9, max=9)
        for name in names(columns)[:-1]
    )
    counts = RowCounts(source=rows, dropped={}, training=rows, test=0)
    return Plan(rows=counts, excluded=(), columns=learnt)


def processor_seconds() -> float:
    """Return the processor time of this process and of the cluster's."""
    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def timed(paths: dict[Side, Path], plan: Plan, threads: int) -> tuple[float, bytes]:
    """Return the seconds of a pass, and its sums. threads: 0 for the cluster."""
    with patch.object(cores, "available", lambda: threads or 1):
        begin = time.perf_counter()
        known, _ = own_rows.summarized(paths, plan, ("y",), 0, DrawnFolds(0, FOLDS))
        seconds = time.perf_counter() - begin
    return seconds, repr([part.as_json() for part in known.parts]).encode()


@contextmanager
def dask(folder: Path) -> Iterator[str]:
    """Run a scheduler and two workers of one thread; yield the scheduler's address."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), **KEEP_MEMORY}
    place = folder / "scheduler.json"
    common = ("--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(place))
    commands = [("scheduler", "--port", "0", *common)]
    commands += [("worker", "--nthreads", "1", *common)] * 2
    with ExitStack() as stack:
        for command in commands:
            started = subprocess.Popen(
                [sys.executable, "-m", "dask", *command],
                cwd=folder,
                env=environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(started.wait)
            stack.callback(started.terminate)
        import distributed

        with distributed.Client(scheduler_file=str(place)) as client:
            client.wait_for_workers(2)
            address: str = client.scheduler.address
        yield address


@contextmanager
def paused(processes: list[psutil.Process]) -> Iterator[None]:
    """Stop processes for a while: a cluster that waits takes a seventh of a core."""
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


def compare(folder: Path, rows: int, columns: int, rounds: int) -> None:
    """Print the ratios of the three sides."""
    paths, plan = make(folder, rows, columns), plan_of(rows, columns)
    seconds: dict[str, list[float]] = {side: [] for side in SIDES}
    processors: dict[str, list[float]] = {side: [] for side in SIDES}
    sums = set()
    with dask(folder) as address:
        os.environ[CLUSTER] = address
        with workers() as cluster:  # the workers import what they need
            cluster.prepare([])
        timed(paths, plan, 0)
        for number in range(rounds):
            for side, threads in SIDES.items():
                os.environ[CLUSTER] = "" if threads else address
                with paused(psutil.Process().children(recursive=True) if threads else []):
                    before = processor_seconds()
                    took, known = timed(paths, plan, threads)
                    seconds[side].append(took)
                    processors[side].append(processor_seconds() - before)
                sums.add(known)
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
    assert len(sums) == 1, "the bytes depend on who computed them"
    print(f"{rows:,} × {columns} float32\n")
    print("| pass on | time, s | processors, s | times as fast | range |")
    print("|---|---|---|---|---|")
    for side, times in seconds.items():
        ratios = [a / b for a, b in zip(seconds["1 thread"], times, strict=True)]
        medians = f"{statistics.median(times):.2f} | {statistics.median(processors[side]):.2f}"
        print(f"| {side} | {medians} | {summary(ratios)} |", flush=True)


def parts(folder: Path, columns: int) -> str:
    """Return the cells of the cost model: of a row group, and of a task of four."""
    count = 2 * IN_TASK * ROWS_PER_ROW_GROUP
    paths, plan = make(folder, count, columns), plan_of(count, columns)
    rows: dict[Side, int] = {"train": 1_000 * count, "test": 0}
    layout = Layout(plan, ("y",), Draws(0, DrawnFolds(0, FOLDS), rows, columns + 1))
    fragment = OwnRows(paths["train"], "train")
    work = partial(summarize, layout=layout)

    def fastest(function: Callable[[], object]) -> float:
        times = []
        for _ in range(5):
            begin = time.perf_counter()
            function()
            times.append(time.perf_counter() - begin)
        return 1e3 * min(times)

    with cores.one_blas_thread():
        task = range(IN_TASK)
        one, other = work(fragment, task), work(fragment, range(IN_TASK, 2 * IN_TASK))
        read = fastest(partial(lambda: [*fragment.read(task)])) / IN_TASK
        whole = fastest(partial(work, fragment, task)) / IN_TASK
        start = no_rows(layout, table.schema(paths["train"])) + other
        add = fastest(partial(lambda: start + one))
    there = len(pickle.dumps((work, fragment, task))) / 1e3
    back = len(pickle.dumps(one)) / 1e3
    raw = 4 * ROWS_PER_ROW_GROUP * (columns + 1) / 1e3
    return f"{read:.1f} | {whole - read:.1f} | {add:.2f} | {raw:,.0f} | {there:.1f} | {back:,.0f}"


def main() -> None:
    """Measure and print two Markdown tables."""
    parser = arguments(__doc__, rounds=3)
    parser.add_argument("--rows", type=int, default=8_000_000, help="of the table (8,000,000)")
    parser.add_argument("--columns", type=int, default=32, help="of the table (32)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work, chdir(work):
        compare(Path(work), asked.rows, asked.columns, max(1, asked.rounds))
        print("\n| columns | read, ms | compute, ms | add, ms | rows, kB | there, kB | back, kB |")
        print("|---|---|---|---|---|---|---|")
        for columns in (10, 50, 300):
            print(f"| {columns} | {parts(Path(work), columns)} |", flush=True)


if __name__ == "__main__":
    main()
