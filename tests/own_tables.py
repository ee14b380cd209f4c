"""A user's own tables: written by tests, and read by the pipeline."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import ROOT, environment, job
from numpy.typing import NDArray

from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables import raw_table

PAIR = "x,y\n1,2\n"
OR_LET = "\n  or let `python -m pipeline.describe"
"""What the end of a message begins with that has lines to paste."""


def own_job(
    path: str = "data/raw/t.csv",
    features: tuple[str, ...] = (),
    targets: Sequence[str] | dict[str, str] = ("y",),
    fraction: float = 0.0,
    seed: int = 0,
) -> Params:
    """Return a job on a user's table."""
    return job(
        seed=seed,
        data__source=path,
        data__features=list(features),
        data__targets=targets if isinstance(targets, dict) else list(targets),
        data__test_fraction=fraction,
        evaluate__queries=[],
    )


def put(content: str | bytes | pa.Table, name: str = "t.csv") -> Path:
    """Write a file into data/raw/."""
    path = files.RAW / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, pa.Table):
        pq.write_table(content, path)
    else:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def values(path: str = "data/raw/t.csv", **asked: Any) -> NDArray[np.float64]:
    """Return all the rows of a user's table."""
    return np.concatenate([*raw_table.find(own_job(path, **asked).data).values()])


def paths(pattern: str) -> list[str]:
    """Return the files of `data.source`."""
    return [str(path) for path in raw_table.find(own_job(pattern).data).paths]


def refusal(
    content: str | bytes | pa.Table | None = None, path: str = "data/raw/t.csv", **asked: Any
) -> str:
    """Return the message that refuses a user's table; content is first written to it."""
    if content is not None:
        put(content, Path(path).name)
    with pytest.raises(UserError) as caught:
        values(path, **asked)
    return str(caught.value)


def parquet(**columns: Any) -> pa.Table:
    """Return a table of Arrow arrays or lists."""
    return pa.table(columns)


def rows_csv(first: int, last: int) -> str:
    """Return a CSV of the rows y = x / 7, x from `first` to `last` - 1."""
    return "x,y\n" + "".join(f"{row},{row / 7}\n" for row in range(first, last))


def environment_of_tests() -> dict[str, str]:
    """Return an environment in which pipeline and conftest can be imported, and DVC is absent."""
    return environment(PYTHONPATH=f"{Path.cwd()}{os.pathsep}{ROOT / 'tests'}")
