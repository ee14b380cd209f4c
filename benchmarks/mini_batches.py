"""Time an epoch of mini-batches from Parquet beside tensors in memory: part of `make bench`.

All sides train the same linear module by SGD in the same loop, on the same float32 rows, in turn
within each round; the result is the ratio of the speeds within a round. Ours shuffles, by a seed:
from the file, read in windows while the module computes, or held in memory, as `train` holds a
table of this size. Beside it are slices of a tensor in the order of the rows, slices of a tensor
shuffled by index, and `DataLoader` over `TensorDataset`, shuffled. `reading alone` is the reading
and shuffling without any arithmetic.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from rounds import ROOT, arguments, summary, turns
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

sys.path.insert(0, str(ROOT))

from pipeline.columns.blocks import TableFile
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import Plan, RowCounts
from pipeline.learning import tensors
from pipeline.learning.batches import InMemory
from pipeline.learning.tensors import Pair
from pipeline.learning.windows import InFile
from pipeline.tables import table
from pipeline.tables.table import Table

Batches = Callable[[int], Iterable[Pair]]
"""Function from the size of a batch to the batches of an epoch."""

OURS, IN_MEMORY, READING = "from Parquet", "held in memory", "from Parquet, reading alone"


def make(path: Path, rows: int, features: int) -> TableFile:
    """Write random float32 rows as `generate` does."""
    draws = np.random.default_rng(0)
    names = [f"x{place}" for place in range(features)]
    values = np.empty((rows, features + 1), order="F")
    for column in values.T:
        column[:] = draws.standard_normal(rows, np.float32)
    table.write(path, Table((*names, "y"), values, frozenset([*names, "y"])))
    about = {"missing_rows": 0, "fill": None, "indicator": False, "min": -9.0, "max": 9.0}
    columns = tuple(NumberColumn.model_validate({"name": name} | about) for name in names)
    counted = RowCounts(source=rows, dropped={}, training=rows, test=0)
    return TableFile(path, Plan(rows=counted, excluded=(), columns=columns), ("y",))


def prepared(features: tuple[str, ...], rows: Table) -> Pair:
    """Return the features and the target as tensors of float32."""
    x = tensors.of_columns(rows, features, torch.float32)
    return x, tensors.of_columns(rows, ("y",), torch.float32)


def sides(file: TableFile) -> dict[str, Batches]:
    """Return what is timed; all have the same rows."""
    prepare = partial(prepared, file.features)
    parts = [prepare(block) for block in file.blocks()]
    x, y = (torch.cat(tensors_) for tensors_ in zip(*parts, strict=True))
    in_file = InFile(file, prepare, torch.float32, torch.device("cpu"))
    in_memory = InMemory(x, y)
    shuffle = np.random.default_rng(0)

    def shuffled(size: int) -> Iterable[Pair]:
        for rows in torch.split(torch.randperm(len(x)), size):
            yield x[rows], y[rows]

    def in_order(size: int) -> Iterable[Pair]:
        for begin in range(0, len(x), size):
            yield x[begin : begin + size], y[begin : begin + size]

    def loader(size: int) -> Iterable[Pair]:
        return DataLoader(TensorDataset(x, y), batch_size=size, shuffle=True)

    return {
        OURS: lambda size: in_file.batches(size, shuffle),
        IN_MEMORY: lambda size: in_memory.batches(size, shuffle),
        "slices, in order": in_order,
        "slices, shuffled": shuffled,
        "DataLoader": loader,
        READING: lambda size: in_file.batches(size, shuffle),
    }


def seconds_of_epoch(batches: Iterable[Pair], features: int, rows: int) -> float:
    """Return the seconds of an epoch of SGD."""
    torch.manual_seed(0)
    module, criterion = nn.Linear(features, 1), nn.MSELoss()
    optimizer = torch.optim.SGD(module.parameters(), lr=1e-4)
    begin, epoch_loss = time.perf_counter(), 0.0
    for x, y in batches:
        loss = criterion(module(x), y)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        epoch_loss += loss.item() * len(x) / rows
    assert epoch_loss > 0
    return time.perf_counter() - begin


def seconds_of_reading(batches: Iterable[Pair]) -> float:
    """Return the seconds until the last batch is there."""
    begin = time.perf_counter()
    for _ in batches:
        pass
    return time.perf_counter() - begin


def main() -> None:
    """Time each side in each round, and print a table in Markdown."""
    parser = arguments(__doc__, rounds=5)
    parser.add_argument("--rows", type=int, default=2_000_000, help="of the table (2,000,000)")
    parser.add_argument("--features", type=int, default=32, help="of the table (32)")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        timed = sides(make(Path("table.parquet"), asked.rows, asked.features))
        print(f"An epoch of {asked.rows:,} × {asked.features} float32\n")
        print(f"| batch | | s | speed {OURS} / its | range | speed {IN_MEMORY} / its | range |")
        print("|---|---|---|---|---|---|---|")
        for size in (256, 4_096):
            seconds: dict[str, list[float]] = {name: [] for name in timed}
            for number in range(asked.rounds):
                for name in turns(timed, number):
                    batches = timed[name](size)
                    if name == READING:
                        seconds[name].append(seconds_of_reading(batches))
                    else:
                        time_taken = seconds_of_epoch(batches, asked.features, asked.rows)
                        seconds[name].append(time_taken)
                print(f"round {number + 1} of {asked.rounds}", file=sys.stderr)
            for name, times in seconds.items():
                cells = []
                for ours in (OURS, IN_MEMORY):
                    pairs = zip(times, seconds[ours], strict=True)
                    cells.append(summary([theirs / own for theirs, own in pairs]))
                shown = " | ".join([f"{size:,}", name, f"{statistics.median(times):.2f}", *cells])
                print(f"| {shown} |", flush=True)


if __name__ == "__main__":
    main()
