"""What generate holds in memory does not grow with the rows, nor with the source's row groups."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from large_tables import PEAK
from own_tables import environment_of_tests

from pipeline.columns.summary import read_summary
from pipeline.settings import files

COLUMNS, ROWS = 50, 3_000_000
MEGABYTES = 600
"""Above the imports. The table has twice that."""

MEASURED = f"""{PEAK}
import sys
from unittest.mock import patch
from conftest import job
from pipeline import generate
from pipeline.compute import in_place, pool
from pipeline.exact import gram_sums
from pipeline.tables import raw_table

made = {{"data__generate__x": None, "data__generate__rows": {ROWS}}}
made |= {{"data__features": [f"x{{n}}" for n in range({COLUMNS - 1})], "data__targets": ["y"]}}
made |= {{"data__generate__weight": None, "data__test_fraction": 0.2, "evaluate__queries": []}}
own = {{"data__source": "data/raw/t.parquet", "data__features": []}} if sys.argv[1:] else {{}}
asked = job(**made | own)

before = peak()
with patch.object(pool.cores, "available", lambda: 8):
    generate.main(asked)
print(f"{{peak() - before:.0f}}")
"""


def check_peak(*arguments: str) -> None:
    """Run generate, and compare its peak memory with what is allowed."""
    told = subprocess.check_output(
        [sys.executable, "-c", MEASURED, *arguments], env=environment_of_tests(), text=True
    )
    assert files.TRAIN.stat().st_size + files.TEST.stat().st_size > 1.9 * MEGABYTES * 10**6
    summary = read_summary()
    assert summary.train.rows + summary.test.rows == ROWS
    assert int(told) < MEGABYTES


@pytest.mark.slow
def test_a_source_of_one_row_group(workspace: Path) -> None:
    # Numbers that repeat: small on the disk, and of full size in memory.
    names = [*(f"x{number}" for number in range(COLUMNS - 1)), "y"]
    values = np.random.default_rng(0).standard_normal(1_000)
    columns = [np.roll(values, number).repeat(ROWS // 1_000) for number in range(COLUMNS)]
    files.RAW.mkdir(parents=True)
    pq.write_table(pa.table(columns, names=names), files.RAW / "t.parquet", row_group_size=ROWS)
    assert pq.ParquetFile(files.RAW / "t.parquet").num_row_groups == 1
    check_peak("own")


@pytest.mark.slow
def test_a_table_that_is_made(workspace: Path) -> None:
    check_peak()
