"""Rows with the largest errors of the model: largest_errors.csv."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.columns.plan import Plan
from pipeline.columns.queries import cells
from pipeline.columns.sample import CURE
from pipeline.measures.split import Split
from pipeline.settings.errors import UserError
from pipeline.tables import row_groups, source_numbers

Values = dict[int, list[Any]]
"""The raw values of some rows, as the user's table has them, by the number of rows before each."""

HELD_OUT, TRAINING = "held out", "training"

FIGURES = ("target", "rows", "file", "row", "actual", "predicted", "error")
COLUMN = "column "
"""What stands before a column's name: no name of a column can be taken for one of the figures."""


def header(features: Sequence[str]) -> list[str]:
    """Return the header of largest_errors.csv. features: names of the raw columns."""
    return [*FIGURES, *(f"{COLUMN}{name}" for name in features)]


def rows(
    targets: Sequence[str],
    split: Split,
    values: Callable[[Sequence[int]], Mapping[int, Sequence[Any]]],
    *,
    held_out: bool,
    numbers: Path | None,
) -> Iterator[list[Any]]:
    """Return the rows of largest_errors.csv: for each target up to 20, the largest error first.

    split: the rows held out, or the training rows if there are none. values: the raw values of rows
    by their places; read from the table, because a model does not have all of them: of a column
    that is only in terms, or of a level that is rare. numbers: the file of
    `source_numbers` that says where they stand; None if the rows were left where they are, of which
    it is not known. file and row are the place in the user's table, as in influence.csv. error:
    actual − predicted. Raises UserError if the file is missing, damaged or of other rows.
    """
    kept = split.errors.largest
    every = values(sorted({place for each in kept for place in each.places.tolist()}))
    for index, (target, largest) in enumerate(zip(targets, kept, strict=True)):
        places = largest.places.tolist()
        found = source_numbers.read(places, numbers) if numbers else [(None, None)] * len(places)
        each = zip(places, found, largest.rows, largest.predicted.tolist(), strict=True)
        for own, place, row, predicted in each:
            actual = float(row[split.features + index])
            name = HELD_OUT if held_out else TRAINING
            figures = [target, name, *place, actual, predicted, actual - predicted]
            yield [*figures, *every[own]]


def values_in(path: Path, plan: Plan, places: Sequence[int]) -> Values:
    """Return the values of rows of data/train.parquet or data/test.parquet, by their places.

    Only their row groups are read, one at a time. Raises UserError if the file is damaged, or does
    not have the rows.
    """
    found: Values = {}
    with row_groups.opened(path) as file:
        for inside, rows in row_groups.at(file, places, plan.features):
            found |= dict(zip(inside, cells(rows, plan), strict=True))
    if missing := {*places} - {*found}:
        raise UserError(f"{path}: it has no row {min(missing) + 1:,}; {CURE}")
    return found


def values_of(rows: pa.Table, plan: Plan, places: Sequence[int]) -> Values:
    """Return the values of typed rows that are in memory, by their places there."""
    return dict(zip(places, cells(rows.take([*places]), plan), strict=True))
