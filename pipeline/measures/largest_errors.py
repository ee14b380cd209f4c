"""Rows with the largest errors of the model: largest_errors.csv."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.category import CategoryColumn
from pipeline.columns.date import DateColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import AnyColumn, Plan
from pipeline.columns.queries import iso
from pipeline.measures.split import Split
from pipeline.tables import source_numbers

HELD_OUT, TRAINING = "held out", "training"

FIGURES = ("target", "rows", "file", "row", "actual", "predicted", "error")
COLUMN = "column "
"""What stands before a column's name: no name of a column can be taken for one of the figures."""


def header(features: Sequence[str]) -> list[str]:
    """Return the header of largest_errors.csv. features: names of the raw columns."""
    return [*FIGURES, *(f"{COLUMN}{name}" for name in features)]


def rows(
    plan: Plan,
    targets: Sequence[str],
    split: Split,
    *,
    held_out: bool,
    numbers: Path | None,
) -> Iterator[list[Any]]:
    """Return the rows of largest_errors.csv: for each target up to 20, the largest error first.

    split: the rows held out, or the training rows if there are none. numbers: the file of
    `source_numbers` that says where they stand; None if the rows were left where they are, of which
    it is not known. file and row are the place in the user's table, as in influence.csv. error:
    actual − predicted. Raises UserError if the file is missing, damaged or of other rows.
    """
    for index, (target, largest) in enumerate(zip(targets, split.errors.largest, strict=True)):
        places = largest.places.tolist()
        found = source_numbers.read(places, numbers) if numbers else [(None, None)] * len(places)
        for place, row, predicted in zip(
            found, largest.rows, largest.predicted.tolist(), strict=True
        ):
            actual = float(row[split.features + index])
            name = HELD_OUT if held_out else TRAINING
            figures = [target, name, *place, actual, predicted, actual - predicted]
            yield [*figures, *values(plan, row[: split.features])]


def values(plan: Plan, encoded: NDArray[np.float64]) -> list[Any]:
    """Return the raw values of a row: a number, a level, a date or its parts; None for a gap.

    encoded: [encoded names]. A gap that was filled without an indicator is the fill value; a value
    that the model gets only through terms is None, too.
    """
    begin, result = 0, []
    for column in plan.columns:
        end = begin + len(plan.names_in_model(column))
        is_whole = end - begin == len(column.encoded_names)
        result.append(_value(column, encoded[begin:end].tolist()) if is_whole else None)
        begin = end
    return result


def _value(column: AnyColumn, numbers: Sequence[float]) -> Any:
    if isinstance(column, NumberColumn):
        return None if column.indicator and numbers[1] else numbers[0]
    if isinstance(column, CategoryColumn):
        levels = zip(column.encoded_levels, numbers, strict=True)
        return next((level for level, is_one in levels if is_one), column.reference)
    return _date(column, numbers)


def _date(column: DateColumn, numbers: Sequence[float]) -> str:
    parts = {part: column.references[part] for part in column.levels}
    for (part, level), value in zip(column.numbers(), numbers, strict=True):
        if level is None:
            parts[part] = int(value)
        elif value:
            parts[part] = level
    days = parts.pop("days", None)
    texts = [f"{part} {parts[part]}" for part in column.parts if part in parts]
    if days is not None:
        whole = column.model_copy(update={"unit": "days"})
        texts = [iso(days, whole), *(text for text in texts if text.startswith("hour"))]
    return ", ".join(texts)
