"""Statistics of the columns of typed rows, from which the plan is learnt."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import repeat
from operator import add
from typing import Literal, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.category import CategoryStatistics
from pipeline.columns.column import Times, Values
from pipeline.columns.date import GAP, DateStatistics, integers, part_of
from pipeline.columns.median import Counts, Search
from pipeline.columns.number import NumberStatistics
from pipeline.settings.keys.column_settings import (
    CategorySettings,
    ColumnSettings,
    DatePart,
    DateSettings,
    NumberSettings,
)
from pipeline.settings.keys.weight_settings import Weights
from pipeline.tables.table import numbers

ColumnStatistics: TypeAlias = NumberStatistics | CategoryStatistics | DateStatistics


@dataclass(frozen=True)
class Statistics:
    """Statistics of some rows; those of blocks add exactly, in any order.

    columns: of each feature, by its name. repeated: rows that they stand for by their frequencies,
    0 without these.
    """

    rows: int = 0
    columns: Mapping[str, ColumnStatistics] = field(default_factory=dict)
    repeated: int = 0

    def __add__(self, other: "Statistics") -> "Statistics":
        """Return the statistics of the rows of both."""
        if not self.rows or not other.rows:
            return other if other.rows else self
        columns = {name: added(each, other.columns[name]) for name, each in self.columns.items()}
        return Statistics(self.rows + other.rows, columns, self.repeated + other.repeated)


def of_rows(
    settings: Mapping[str, ColumnSettings],
    rows: pa.Table,
    weights: Weights | None = None,
    summed: Collection[str] = (),
) -> Statistics:
    """Return the statistics of a block. rows: the features by name, and the column of weights.

    Frequencies count as rows: levels, means and medians are those of the rows that each stands for.
    Precisions change none of them, as they say nothing of how often a value occurs.
    summed: the columns of numbers whose mean is wanted, although no gap is filled with it.
    """
    times = times_of(rows, weights)
    columns = {
        name: of_column(each, rows.column(name), times, name in summed)
        for name, each in settings.items()
    }
    repeated = 0
    if times is not None:
        # In two halves: a sum of frequencies may leave int64.
        repeated = (int(np.sum(times >> 32)) << 32) + int(np.sum(times & 0xFFFFFFFF))
    return Statistics(rows.num_rows, columns, repeated)


def times_of(rows: pa.Table, weights: Weights | None) -> Times | None:
    """Return how many equal rows each row stands for: [rows]; None if each is one row."""
    if weights is None or not weights.are_frequencies:
        return None
    return numbers(rows.column(weights.by)).astype(np.int64)


def of_column(
    settings: ColumnSettings, values: Values, times: Times | None = None, summed: bool = False
) -> ColumnStatistics:
    """Return the statistics of a column in a block. values: [rows]. times: see Times.

    summed: see `of_rows`.
    """
    if isinstance(settings, NumberSettings):
        return NumberStatistics.of(settings, values, times, summed)
    if isinstance(settings, CategorySettings):
        return CategoryStatistics.of(settings, values, times)
    assert isinstance(settings, DateSettings)
    return DateStatistics.of(settings, values, times)


def added(one: ColumnStatistics, other: ColumnStatistics) -> ColumnStatistics:
    """Return the statistics of the rows of both, of the same column."""
    assert type(one) is type(other)
    return one + other  # type: ignore[operator]


@dataclass(frozen=True)
class Measured:
    """The numbers of a column that are counted. part: of a date, whose column has this unit."""

    column: str
    part: DatePart | None = None
    unit: Literal["days", "seconds"] = "days"

    def of(self, values: Values) -> NDArray[np.float64]:
        """Return the numbers of a block, NaN for a gap: [rows]. values: of the column, [rows]."""
        if self.part is None:
            return numbers(values)
        moments = integers(values, self.unit)
        parts = part_of(moments, self.part, self.unit)
        return np.where(moments == GAP, np.nan, parts.astype(np.float64))


CountColumn: TypeAlias = Callable[[Measured, Search], Counts]
"""Returns the sum of `Search.counts` over all training rows of the numbers of a column."""


def count_in(
    blocks: Callable[[str], Iterable[Values]], weights: Weights | None = None
) -> CountColumn:
    """Return what counts the numbers of a column. blocks: gives its values, block by block."""

    def count(measured: Measured, search: Search) -> Counts:
        times: Iterable[Times | None] = repeat(None)
        if weights is not None and weights.are_frequencies:
            times = (numbers(values).astype(np.int64) for values in blocks(weights.by))
        pairs = zip(blocks(measured.column), times, strict=False)
        return reduce(add, (search.counts(measured.of(values), own) for values, own in pairs))

    return count
