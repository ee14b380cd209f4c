"""A table of any size is measured in the same memory."""

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
from pipeline.tables import table
from pipeline.tables.table import ROWS_PER_ROW_GROUP

COLUMNS, BLOCKS = 50, 250
MEGABYTES = 600
"""Above the imports. The table has ten times that."""

PROGRAM = f"""
import resource
from pathlib import Path
from unittest.mock import patch
import numpy as np
from pipeline import evaluate
from pipeline.columns.plan import read_plan
from pipeline.columns.summary import read_summary
from pipeline.compute import pool
from pipeline.learning.line import Line
from pipeline.report import measuring, metrics, residual_plots

# The system's limit of `ulimit -d`: all memory but that of files. `ulimit -v` counts what a thread
# reserves and does not use, too.
pages = int(Path("/proc/self/statm").read_text().split()[5])
most = pages * resource.getpagesize() + {MEGABYTES} * 2**20
resource.setrlimit(resource.RLIMIT_DATA, (most, most))
line = Line(np.zeros((1, {COLUMNS - 1})), np.zeros(1), np.zeros({COLUMNS - 1}))
with patch.object(pool.cores, "available", lambda: 4):
    train, test = measuring.splits(
        read_summary(), measuring.Model(read_plan(), ("y",), line.predict, is_line=True)
    )
residual_plots.residuals(Path("residuals.svg"), {{"training rows": train}}, ["y"])
print(metrics.of_model(train, line, "mean")["mae"])
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    files.TRAIN.parent.mkdir()
    names = [*(f"x{index}" for index in range(COLUMNS - 1)), "y"]
    # Sorted numbers of few values: a small file for a large table.
    few = np.random.default_rng(0).normal(size=(COLUMNS, 16))
    block = np.sort(np.repeat(few, ROWS_PER_ROW_GROUP // 16, axis=1)).T
    assert block.nbytes * BLOCKS > 10 * MEGABYTES * 2**20
    rows = pa.table(dict(zip(names, block.T.copy(), strict=True)))
    with pq.ParquetWriter(files.TRAIN, rows.schema, use_dictionary=True) as file:
        for _ in range(BLOCKS):
            file.write_table(rows, row_group_size=ROWS_PER_ROW_GROUP)
    for path, some in ((files.TEST, rows.slice(0, 0)), (files.SAMPLE, rows)):
        with table.writer(path, rows.schema) as written:
            written.write(some)
    one = part_of(block)
    folds = [reduce(add, [one] * (BLOCKS // 5))] * 5
    summary = Summary(
        tuple(names[:-1]),
        ("y",),
        frozenset(),
        frozenset(),
        tuple(folds),
        type(one).of_no_rows(COLUMNS),
        SampleRows(ROWS_PER_ROW_GROUP, 0, 0),
    )
    files.write_bytes(files.SUMMARY, summary.as_bytes())
    files.write_json(files.COLUMNS, number_plan(names[:-1]).model_dump(mode="json"))
    told = subprocess.check_output([sys.executable, "-c", PROGRAM], env=environment_of_tests())
    assert float(told) == pytest.approx(np.abs(block[:, -1]).mean())
