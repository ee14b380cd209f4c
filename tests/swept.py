"""A noisy table in folds, and jobs on it, for the tests of sweeps."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from conftest import job

from pipeline.columns import in_memory
from pipeline.columns.blocks import TableFile
from pipeline.columns.part import Part
from pipeline.columns.summary import Summary, each_part_in_turn
from pipeline.settings.params import Params
from pipeline.tables.table import Table

FEATURES = ("a", "b", "c")
TARGETS = ("y", "z")
NAMES = (*FEATURES, *TARGETS)


def values(rows: int = 200) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return features of different means and sizes, and noisy targets: [rows, columns]."""
    random = np.random.default_rng(0)
    x = random.standard_normal((rows, 3)) * [1, 0.5, 2] + [0, 1, -1]
    y = x @ random.standard_normal((3, 2)) + 1 + random.standard_normal((rows, 2))
    return np.hstack([x, y])


def table(rows: np.ndarray[Any, np.dtype[np.float64]]) -> Table:
    """Return rows as a table."""
    return Table(NAMES, rows, frozenset(), frozenset())


def summary(folds: int = 4, test_rows: int = 50) -> Summary:
    """Return the summary of `values`, the last rows held out, the others dealt to folds."""
    rows = values()
    train = rows[: len(rows) - test_rows]
    whole = in_memory.summary_of(table(train), table(rows[len(train) :]), TARGETS)
    parts = tuple(part(train[fold::folds]) for fold in range(folds))
    return replace(whole, parts=parts, fold_places=each_part_in_turn(folds))


def part(rows: np.ndarray[Any, np.dtype[np.float64]]) -> Part:
    """Return the sums of some rows."""
    return in_memory.summary_of(table(rows), None, TARGETS).train


class NoRows(TableFile):
    """Rows that must not be read: the summary is enough."""

    def __init__(self) -> None:
        pass

    def blocks(self, *_: Any, **__: Any) -> Iterator[Table]:
        """Fail."""
        raise AssertionError("the rows were read")


def swept_job(**changes: Any) -> Params:
    """Return a job on `summary`, whose loss is a mean, with other values."""
    usual: dict[str, Any] = {}
    usual |= {"data__features": [*FEATURES], "data__targets": [*TARGETS], "evaluate__queries": []}
    usual |= {"data__source": "data/raw/a.csv", "data__test_fraction": 0.25}
    usual |= {"train__reduction": "mean", "train__reduce_rows": True}
    return job(**(usual | changes))
