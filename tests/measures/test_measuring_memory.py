"""A table of any size is measured in the same memory."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from large_tables import PEAK, put_large_tables
from own_tables import environment_of_tests

COLUMNS, BLOCKS = 50, 250
MEGABYTES = 600
"""Above the imports. The table has ten times that."""

PROGRAM = f"""{PEAK}
from unittest.mock import patch
import numpy as np
from pipeline import evaluate
from pipeline.columns.plan import read_plan
from pipeline.columns.summary import read_summary
from pipeline.compute import pool
from pipeline.learning.line import Line
from pipeline.measures import measuring, metrics
from pipeline.pictures import residual_plots

before = peak()
line = Line(np.zeros((1, {COLUMNS - 1})), np.zeros(1), np.zeros({COLUMNS - 1}))
with patch.object(pool.cores, "available", lambda: 4):
    train, test = measuring.splits(
        read_summary(), measuring.Model(read_plan(), ("y",), line.predict, is_line=True)
    )
residual_plots.residuals(Path("residuals.svg"), {{"training rows": train}}, ["y"])
print(metrics.of_model(train, line, "mean")["mae"])
print(f"{{peak() - before:.0f}}")
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    block = put_large_tables(COLUMNS, BLOCKS, 0)
    assert block.nbytes * BLOCKS > 10 * MEGABYTES * 2**20
    told = subprocess.check_output([sys.executable, "-c", PROGRAM], env=environment_of_tests())
    error, megabytes = map(float, told.split())
    assert error == pytest.approx(np.abs(block[:, -1]).mean())
    assert megabytes < MEGABYTES
