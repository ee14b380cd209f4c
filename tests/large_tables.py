"""Tables of many rows that are small files: one block of sorted numbers, again and again."""

from functools import reduce
from operator import add

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from mixed_tables import number_plan
from numpy.typing import NDArray
from sums import part_of

from pipeline.columns.part import Part
from pipeline.columns.summary import SampleRows, Summary, each_part_in_turn
from pipeline.settings import files
from pipeline.tables import table
from pipeline.tables.table import ROWS_PER_ROW_GROUP

PEAK = """
import re
from pathlib import Path
def peak():
    \"\"\"Return the peak memory of this process in MB, as a control group counts it.\"\"\"
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s*(\\d+) kB", status)[1]) / 1024
"""
"""Text of a function. Not the limits of `ulimit -v` and `-d`: these count what Arrow, threads and
OpenBLAS reserve and do not use, 1.5 GB of a training that uses 0.5 GB."""


def put_large_tables(columns: int, train: int, test: int) -> NDArray[np.float64]:
    """Write what `generate` writes of features x0, x1, … and a target y; return the block.

    train, test: blocks of each table. The sample is one block of training rows.
    """
    files.TRAIN.parent.mkdir()
    names = [*(f"x{index}" for index in range(columns - 1)), "y"]
    # Few values, so that dictionaries make the files small.
    few = np.random.default_rng(0).normal(size=(columns, 16))
    block: NDArray[np.float64] = np.sort(np.repeat(few, ROWS_PER_ROW_GROUP // 16, axis=1)).T
    rows = pa.table(dict(zip(names, block.T.copy(), strict=True)))
    for path, blocks in ((files.TRAIN, train), (files.TEST, test)):
        with pq.ParquetWriter(path, rows.schema, use_dictionary=True) as file:
            for _ in range(blocks):
                file.write_table(rows, row_group_size=ROWS_PER_ROW_GROUP)
    with table.writer(files.SAMPLE, rows.schema) as sample:
        sample.write(rows)
    one = part_of(block)
    none = Part.of_no_rows(columns)
    summary = Summary(
        features=tuple(names[:-1]),
        targets=("y",),
        float32=frozenset(),
        exact=frozenset(),
        parts=(reduce(add, [one] * (train // 5)),) * 5,
        fold_places=each_part_in_turn(5),
        test=reduce(add, [one] * test, none),
        sample=SampleRows(ROWS_PER_ROW_GROUP, 0, 0),
    )
    files.write_bytes(files.SUMMARY, summary.as_bytes())
    files.write_json(files.COLUMNS, number_plan(names[:-1]).model_dump(mode="json"))
    return block
