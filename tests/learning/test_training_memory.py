"""A table of any size is trained on in the same memory, by any module."""

import subprocess
import sys
from pathlib import Path

import pytest
from large_tables import PEAK, put_large_tables
from own_tables import environment_of_tests

COLUMNS, BLOCKS = 50, 100
MEGABYTES = 600
"""Above the imports. The tables have several times that."""

PROGRAM = f"""{PEAK}
import sys
from functools import partial
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
    model__hidden=[16],
    model__activation="tanh",
    train__epochs=2,
    train__batch_size=int(sys.argv[1]) or None,
    train__reduction="mean",
    train__optimizer="adam",
)
torch.optim.Adam([torch.zeros(1)])  # its first use imports as much again
before = peak()
tables = (TableFile(path, read_plan(), ("y",)) for path in (files.TRAIN, files.TEST))
_, history = training.train(params, *tables, summary=read_summary())
(first, _), (last, _) = history
assert last < first
print(f"{{peak() - before:.0f}}")
"""


@pytest.mark.slow
@pytest.mark.parametrize("batch_size", [4096, 0])
def test_memory_does_not_grow_with_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch_size: int
) -> None:
    """0: all rows at once."""
    monkeypatch.chdir(tmp_path)
    block = put_large_tables(COLUMNS, BLOCKS, BLOCKS // 4)
    assert block.nbytes * BLOCKS > 4 * MEGABYTES * 2**20
    told = subprocess.check_output(
        [sys.executable, "-c", PROGRAM, str(batch_size)], env=environment_of_tests(), text=True
    )
    assert int(told.splitlines()[-1]) < MEGABYTES
