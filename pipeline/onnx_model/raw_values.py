"""Values of a raw column that are worth a try: usual ones, and those that are easy to get wrong."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.category import CategoryColumn
from pipeline.columns.date import GAP, SECONDS_PER_DAY, DateColumn, part_of
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import AnyColumn
from pipeline.onnx_model.contract_inputs import Float

ODD_TEXTS = ("", " ", "unseen", "Ärger", "A\u0308rger", "naïve 東京", "😀🏠", "None", "nan", "a\0b")
"""Among them: accents in two forms, characters of four bytes, and NUL."""

LAST_DAY = 2**31 - 1  # of Arrow's date32


def usual(column: AnyColumn, dtype: Float) -> NDArray[Any]:
    """Return values that the plan answers: every level, and both ends of a range."""
    if isinstance(column, NumberColumn):
        return np.array([column.min, column.min / 2 + column.max / 2, column.max], dtype)
    if isinstance(column, CategoryColumn):
        levels = [level.name for level in column.levels]
        unseen = ["unseen"] if column.unseen != "refuse" else []
        return _texts([*levels, *([""] if column.has_missing else []), *unseen])
    return np.array([column.min, column.max, *_days_of_every_level(column)], np.int64)


def odd(column: AnyColumn, dtype: Float) -> NDArray[Any]:
    """Return values that the plan answers or refuses: gaps, unseen levels, extremes."""
    if isinstance(column, NumberColumn):
        kind = np.finfo(dtype)
        tiny = [float(kind.smallest_normal), float(kind.smallest_subnormal)]
        beyond = [2 * column.min - column.max, 2 * column.max - column.min]
        with np.errstate(over="ignore"):
            return np.array([np.nan, 0.0, -0.0, *tiny, *beyond, np.inf, -np.inf], dtype)
    if isinstance(column, CategoryColumn):
        return _texts([*ODD_TEXTS, *_like_levels(column)])
    days = [date(*each).toordinal() - _EPOCH for each in _ODD_DATES]
    days += [-_EPOCH, -_EPOCH - 366, -1_000_000, LAST_DAY, -LAST_DAY]
    moments = [column.min - 1, column.max + 1, *_moments(column, days)]
    return np.array([GAP, *within_arrow(column, np.array(moments))], np.int64)


def within_arrow(column: DateColumn, moments: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return moments as near as Arrow's date32 has them."""
    return np.clip(moments, -LAST_DAY, LAST_DAY) if column.unit == "days" else moments


_EPOCH = date(1970, 1, 1).toordinal()
_ODD_DATES = (
    *((1, 1, 1), (1600, 2, 29), (1899, 12, 31), (1900, 2, 28), (1900, 3, 1), (1969, 12, 31)),
    *((1970, 1, 1), (2000, 2, 29), (2000, 3, 1), (2024, 2, 29), (2038, 1, 20), (2100, 2, 28)),
    *((2100, 3, 1), (2100, 12, 31), (2400, 2, 29), (9999, 12, 31)),
)


def _days_of_every_level(column: DateColumn) -> list[int]:
    """Return moments that together have every month and weekday of the training rows."""
    last = column.max if column.unit == "days" else column.max // SECONDS_PER_DAY
    # Twenty days at a time: each month and, after seven steps, each weekday.
    days = [*range(last - 700, last + 1, 20)]
    # Twelve years have each month with each weekday, for a table whose dates are all Mondays.
    recent = np.arange(last, last - 12 * 366, -1)
    parts = {part: part_of(recent, part, "days") for part in column.levels}
    answered = np.logical_and.reduce(
        [np.isin(parts[part], levels) for part, levels in column.levels.items()]
        or [np.ones(len(recent), np.bool_)]
    )
    for part, levels in column.levels.items():
        for level in levels:
            days += recent[answered & (parts[part] == level)][:1].tolist()
    return _moments(column, days)


def _moments(column: DateColumn, days: Sequence[int]) -> list[int]:
    """Return days in the column's unit: if it is seconds, an instant of each day."""
    if column.unit == "days":
        return list(days)
    return [day * SECONDS_PER_DAY + (day * 7919) % SECONDS_PER_DAY for day in days]


def _like_levels(column: CategoryColumn) -> list[str]:
    """Return texts that differ from a level by a blank, its case, or a letter at its end."""
    return [
        text
        for level in column.levels[:3]
        for text in (level.name + " ", " " + level.name, level.name.swapcase(), level.name[:-1])
    ]


def _texts(values: Sequence[str]) -> NDArray[Any]:
    return np.array(list(dict.fromkeys(values)), np.object_)
