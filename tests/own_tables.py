"""A person's own tables, as tests write them, and what generate makes of them."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import job
from numpy.typing import NDArray

from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables import source


def settings(
    path: str = "data/raw/t.csv",
    features: tuple[str, ...] = (),
    targets: tuple[str, ...] = ("y",),
    fraction: float = 0.0,
    seed: int = 0,
) -> Params:
    """A job on a user's table."""
    return job(
        seed=seed,
        data__source=path,
        data__features=list(features),
        data__targets=list(targets),
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
    """All the rows of a source."""
    found = source.find(settings(path, **asked).data)
    return np.concatenate([*found.blocks()])


def refusal(
    content: str | bytes | pa.Table | None = None, path: str = "data/raw/t.csv", **asked: Any
) -> str:
    """What is said of a source, first put there."""
    if content is not None:
        put(content, Path(path).name)
    with pytest.raises(UserError) as caught:
        values(path, **asked)
    return str(caught.value)


def parquet(**columns: Any) -> pa.Table:
    """A table of Arrow arrays or lists."""
    return pa.table(columns)
