"""Statistics of the columns of typed rows, from which the plan is learnt."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import TypeAlias

import pyarrow as pa

from pipeline.columns.category import CategoryStatistics
from pipeline.columns.column import Values
from pipeline.columns.date import DateStatistics
from pipeline.columns.median import Counts, Search
from pipeline.columns.number import NumberStatistics
from pipeline.settings.column_settings import (
    CategorySettings,
    ColumnSettings,
    DateSettings,
    NumberSettings,
)
from pipeline.tables.table import numbers

ColumnStatistics: TypeAlias = NumberStatistics | CategoryStatistics | DateStatistics


@dataclass(frozen=True)
class Statistics:
    """Statistics of some rows; those of blocks add exactly, in any order.

    columns: of each feature, by its name.
    """

    rows: int = 0
    columns: Mapping[str, ColumnStatistics] = field(default_factory=dict)

    def __add__(self, other: "Statistics") -> "Statistics":
        """Return the statistics of the rows of both."""
        if not self.rows or not other.rows:
            return other if other.rows else self
        columns = {name: added(each, other.columns[name]) for name, each in self.columns.items()}
        return Statistics(self.rows + other.rows, columns)


def of_rows(settings: Mapping[str, ColumnSettings], rows: pa.Table) -> Statistics:
    """Return the statistics of a block. rows: the features by name."""
    columns = {name: of_column(each, rows.column(name)) for name, each in settings.items()}
    return Statistics(rows.num_rows, columns)


def of_column(settings: ColumnSettings, values: Values) -> ColumnStatistics:
    """Return the statistics of a column in a block. values: [rows]."""
    if isinstance(settings, NumberSettings):
        return NumberStatistics.of(settings, values)
    if isinstance(settings, CategorySettings):
        return CategoryStatistics.of(settings, values)
    assert isinstance(settings, DateSettings)
    return DateStatistics.of(settings, values)


def added(one: ColumnStatistics, other: ColumnStatistics) -> ColumnStatistics:
    """Return the statistics of the rows of both, of the same column."""
    assert type(one) is type(other)
    return one + other  # type: ignore[operator]


CountColumn: TypeAlias = Callable[[str, Search], Counts]
"""Returns the sum of `Search.counts` over all training rows of the column of this name."""


def count_in(blocks: Callable[[str], Iterable[Values]]) -> CountColumn:
    """Return what counts the numbers of a column. blocks: gives its values, block by block."""

    def count(name: str, search: Search) -> Counts:
        return reduce(add, (search.counts(numbers(values)) for values in blocks(name)))

    return count
