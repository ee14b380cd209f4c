"""Summaries of random rows in folds of any kind, by the rows of each fold."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.columns import in_memory
from pipeline.columns.summary import FoldPlaces, Summary
from pipeline.tables.table import Table

Rows = NDArray[np.int64]


def features(count: int) -> tuple[str, ...]:
    """Return names of features."""
    return tuple(f"x{place}" for place in range(count))


def table_of(x: NDArray[np.float64], y: NDArray[np.float64]) -> Table:
    """Return a table of features and one target. x: [rows, features]; y: [rows]."""
    return Table((*features(x.shape[1]), "y"), np.column_stack([x, y]))


def in_folds(
    x: NDArray[np.float64], y: NDArray[np.float64], folds: Sequence[tuple[Rows, Rows]]
) -> Summary:
    """Return the summary of rows in folds. folds: training rows and test rows of each.

    Rows that are in the same of these sets make a part, as few as there can be.
    """
    sides = [side for fold in folds for side in fold]
    member = np.array([np.isin(np.arange(len(y)), side) for side in sides])
    kinds, part = np.unique(member, axis=1, return_inverse=True)
    whole = in_memory.summary_of(table_of(x, y), None, ("y",))
    sums = [
        in_memory.summary_of(table_of(x[part == place], y[part == place]), None, ("y",)).train
        for place in range(kinds.shape[1])
    ]
    places = [tuple(np.flatnonzero(kinds[row]).tolist()) for row in range(len(sides))]
    return replace(
        whole,
        parts=tuple(sums),
        fold_places=tuple(
            FoldPlaces(test=test, training=training)
            for training, test in zip(places[::2], places[1::2], strict=True)
        ),
    )
