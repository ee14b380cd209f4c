"""A table of any size is trained on in the same memory, by any module."""

import subprocess
import sys
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mixed_tables import number_plan
from own_tables import environment_of_tests
from sums import part_of

from pipeline.columns.summary import SampleRows, Summary
from pipeline.settings import files
from pipeline.tables.table import ROWS_PER_ROW_GROUP

COLUMNS, BLOCKS = 50, 100
MEGABYTES = 600
"""Above the imports. The tables have several times that."""

PROGRAM = f"""
import resource, sys
from functools import partial
from pathlib import Path
import torch
from torch import nn
from conftest import job
from pipeline.columns.blocks import TableFile
from pipeline.columns.plan import read_plan
from pipeline.columns.summary import read_summary
from pipeline.learning import module, training
from pipeline.settings import files

names = [f"x{{place}}" for place in range({COLUMNS - 1})]
params = job(
    data__features=names,
    data__generate__x=None,
    data__generate__rows=2,
    data__generate__weight=[[1.0]] * {COLUMNS - 1},
    data__test_fraction=0.2,
    evaluate__queries=[],
    model__standardize=True,
    train__epochs=2,
    train__batch_size=int(sys.argv[1]) or None,
    train__reduction="mean",
    train__optimizer="adam",
)
module.build = lambda _, *sizes: nn.Sequential(
    nn.Linear(sizes[0], 16), nn.Tanh(), nn.Linear(16, sizes[1])
)
torch.optim.Adam([torch.zeros(1)])  # its first use imports as much again
# As `ulimit -d`: all memory but that of files.
pages = int(Path("/proc/self/statm").read_text().split()[5])
most = pages * resource.getpagesize() + {MEGABYTES} * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (most, most))
tables = (TableFile(path, read_plan(), ("y",)) for path in (files.TRAIN, files.TEST))
_, history = training.train(params, *tables, summary=read_summary())
(first, _), (last, _) = history
assert last < first
"""


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [4096, 0])
def test_memory_does_not_grow_with_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    """0: all rows at once."""
    monkeypatch.chdir(tmp_path)
    files.TRAIN.parent.mkdir()
    names = [*(f"x{index}" for index in range(COLUMNS - 1)), "y"]
    # Sorted numbers of few values: a small file for a large table.
    few = np.random.default_rng(0).normal(size=(COLUMNS, 16))
    block = np.sort(np.repeat(few, ROWS_PER_ROW_GROUP // 16, axis=1)).T
    assert block.nbytes * BLOCKS > 4 * MEGABYTES * 2**20
    rows = pa.table(dict(zip(names, block.T.copy(), strict=True)))
    for path, blocks in ((files.TRAIN, BLOCKS), (files.TEST, BLOCKS // 4)):
        with pq.ParquetWriter(path, rows.schema, use_dictionary=True) as file:
            for _ in range(blocks):
                file.write_table(rows, row_group_size=ROWS_PER_ROW_GROUP)
    one = part_of(block)
    summary = Summary(
        tuple(names[:-1]),
        ("y",),
        frozenset(),
        frozenset(),
        (reduce(add, [one] * (BLOCKS // 5)),) * 5,
        reduce(add, [one] * (BLOCKS // 4)),
        SampleRows(0, 0, 0),
    )
    files.write_bytes(files.SUMMARY, summary.as_bytes())
    files.write_json(files.COLUMNS, number_plan(names[:-1]).model_dump(mode="json"))
    subprocess.run(
        [sys.executable, "-c", PROGRAM, str(batch_size)], env=environment_of_tests(), check=True
    )
