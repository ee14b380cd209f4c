"""Rows that stay where they are give the summary and the sample that copied rows give."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from own_tables import own_job, put

from pipeline import generate
from pipeline.settings import files
from pipeline.settings.params import Params
from pipeline.tables import table

WRITTEN = (files.SUMMARY, files.SAMPLE, files.COLUMNS)


def contents(params: Params, keep_rows: bool) -> dict[Path, bytes]:
    """Run `generate` and return what it writes, without the tables."""
    data = params.data.model_copy(update={"keep_rows": keep_rows})
    generate.main(params.model_copy(update={"data": data}))
    has_rows = table.row_count(files.TRAIN) > 0
    assert has_rows is keep_rows
    return {path: path.read_bytes() for path in WRITTEN}


def numbers(rows: int, seed: int = 0) -> pa.Table:
    random = np.random.default_rng(seed)
    columns = {name: random.normal(size=rows) for name in ("x", "z", "y")}
    columns["x"][::7] = -0.0
    return pa.table(columns)


def put_parts(*sizes: int, **options: Any) -> None:
    for number, rows in enumerate(sizes):
        path = put(b"", f"parts/{number}.parquet")
        pq.write_table(numbers(rows, number), path, **options)


@pytest.mark.parametrize("fraction", [0.0, 0.2])
def test_the_same_bytes_as_of_copied_rows(workspace: Path, fraction: float) -> None:
    put_parts(70_000, 1, 140_000, row_group_size=20_000)
    params = own_job("data/raw/parts", fraction=fraction, seed=3)
    assert contents(params, keep_rows=False) == contents(params, keep_rows=True)
