"""Rows that are kept as they are: rows that were drawn, and rows with extreme values."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pipeline.exact.slice_plan import Bounds
from pipeline.tables.table import array, one_chunk

Places = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class SampledRows:
    """Rows, each with its place: the number of rows of its side before it.

    pieces: tables with their places [rows], in any order.
    """

    schema: pa.Schema
    pieces: tuple[tuple[pa.Table, Places], ...]

    @classmethod
    def of_no_rows(cls, schema: pa.Schema) -> "SampledRows":
        """Return no rows."""
        return cls(schema, ())

    @classmethod
    def of(cls, rows: pa.Table, chosen: NDArray[np.bool_], before: int) -> "SampledRows":
        """Return the rows of which `chosen` is True. before: place of the first row."""
        if not chosen.any():
            return cls(rows.schema, ())
        kept = rows if chosen.all() else rows.filter(array(chosen, pa.bool_()))
        return cls(rows.schema, ((kept, before + np.flatnonzero(chosen)),))

    def __add__(self, other: "SampledRows") -> "SampledRows":
        """Return the rows of both."""
        return SampledRows(self.schema, self.pieces + other.pieces)

    @property
    def places(self) -> Places:
        """Place of each row, in the order of the pieces: [rows]."""
        return np.concatenate([np.empty(0, np.int64), *(places for _, places in self.pieces)])

    def in_order(self) -> pa.Table:
        """Return the rows in the order of their places."""
        if not self.pieces:
            return pa.Table.from_batches([], self.schema)  # its empty_table() imports pandas
        whole = pa.concat_tables([rows for rows, _ in self.pieces])
        order = np.argsort(self.places, kind="stable")
        return take(whole, order)

    def without(self, places: Places) -> "SampledRows":
        """Return the rows that have other places than these."""
        kept = []
        for rows, own in self.pieces:
            other = ~np.isin(own, places)
            if other.any():
                kept.append((rows.filter(array(other, pa.bool_())), own[other]))
        return SampledRows(self.schema, tuple(kept))


@dataclass(frozen=True)
class Extremes:
    """For each column the first row with its smallest value, and the first with its largest.

    smallest, largest: the values, [columns]; inf and −inf without rows.
    smallest_place, largest_place: the places of these rows, [columns].
    rows: these rows, each once.
    """

    smallest: Floats
    smallest_place: Places
    largest: Floats
    largest_place: Places
    rows: SampledRows

    @classmethod
    def of_no_rows(cls, schema: pa.Schema, columns: int) -> "Extremes":
        """Return the extremes of no rows."""
        places = np.full(columns, -1)
        infinity = np.full(columns, np.inf)
        return cls(infinity, places, -infinity, places, SampledRows.of_no_rows(schema))

    def __add__(self, other: "Extremes") -> "Extremes":
        """Return the extremes of the rows of both."""
        if not other.rows.pieces:
            return self
        if not self.rows.pieces:
            return other
        low = _comes_first(self.smallest, self.smallest_place, other.smallest, other.smallest_place)
        high = _comes_first(-self.largest, self.largest_place, -other.largest, other.largest_place)
        smallest_place = np.where(low, self.smallest_place, other.smallest_place)
        largest_place = np.where(high, self.largest_place, other.largest_place)
        places = np.concatenate([smallest_place, largest_place])
        both = self.rows + other.rows
        kept = both.without(np.setdiff1d(both.places, places))
        rows = SampledRows(both.schema, ((kept.in_order(), np.sort(kept.places)),))
        return Extremes(
            np.where(low, self.smallest, other.smallest),
            smallest_place,
            np.where(high, self.largest, other.largest),
            largest_place,
            rows,
        )

    def with_rows(self, ranges: "Ranges", rows: pa.Table, order: Places, before: int) -> "Extremes":
        """Return the extremes of these rows and `rows`, at least one.

        ranges: of the parts of `rows`. order: the index in `rows` of each row of the parts.
        before: place of the first of `rows`.
        """
        low, low_row = _first(ranges.smallest, order[ranges.smallest_row])
        high, high_row = _first(-ranges.largest, order[ranges.largest_row])
        low_place, high_place = before + low_row, before + high_row
        lower = _comes_first(low, low_place, self.smallest, self.smallest_place)
        higher = _comes_first(high, high_place, -self.largest, self.largest_place)
        # Nearly always the rows have no value that is more extreme, and none is copied.
        chosen = np.unique([*low_row[lower], *high_row[higher]]).astype(np.int64)
        if not len(chosen):
            return self
        kept = SampledRows(rows.schema, ((take(rows, chosen), before + chosen),))
        return self + Extremes(low, low_place, -high, high_place, kept)


@dataclass(frozen=True)
class Ranges:
    """The ranges of the columns in consecutive parts of rows, and the first row of each bound.

    smallest, largest: [parts, columns]; inf and −inf of a part without rows.
    smallest_row, largest_row: index of the first row with that value, [parts, columns].
    """

    smallest: Floats
    smallest_row: Places
    largest: Floats
    largest_row: Places

    @classmethod
    def of(cls, numbers: Floats, ends: Sequence[int]) -> "Ranges":
        """Return the ranges. numbers: [rows, columns], column-major. ends: of each part."""
        shape = len(ends), numbers.shape[1]
        low_row, high_row = np.zeros((2, *shape), np.int64)
        low, high = np.full(shape, np.inf), np.full(shape, -np.inf)
        columns = np.arange(shape[1])
        for part, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
            if begin < end:
                piece = numbers[begin:end]
                low_row[part] = begin + piece.argmin(axis=0)
                high_row[part] = begin + piece.argmax(axis=0)
                low[part], high[part] = (
                    numbers[low_row[part], columns],
                    numbers[high_row[part], columns],
                )
        # 0.0 is added because of the two zeros, of which one or the other would come first.
        return cls(low + 0.0, low_row, high + 0.0, high_row)

    @property
    def bounds(self) -> Bounds:
        """The range of each column in all parts together."""
        return self.smallest.min(axis=0), self.largest.max(axis=0)


def _first(values: Floats, rows: Places) -> tuple[Floats, Places]:
    """Return the smallest value of each column and the first row that has it: [columns] each.

    values, rows: [parts, columns].
    """
    smallest: Floats = values.min(axis=0)
    first: Places = np.where(values == smallest, rows, np.iinfo(np.int64).max).min(axis=0)
    return smallest, first


def _comes_first(
    values: Floats, places: Places, other_values: Floats, other_places: Places
) -> NDArray[np.bool_]:
    """Return True where a value is smaller, or is equal and has the smaller place: [columns]."""
    equal = (values == other_values) & (places < other_places)
    first: NDArray[np.bool_] = (values < other_values) | equal
    return first


def take(rows: pa.Table, places: Places) -> pa.Table:
    """Return the rows at these places, in this order."""
    return rows.take(array(places, pa.int64())).combine_chunks()


@dataclass(frozen=True)
class InOrder:
    """Rows of a table in another order; a column at a time is copied. order: a permutation."""

    rows: pa.Table
    order: Places

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return len(self.order)

    @cached_property
    def _indices(self) -> pa.Array:
        return array(self.order, pa.int64())

    def column(self, name: str) -> pa.Array:
        """Return a column in this order: [rows]."""
        # Arrow's check of the indices takes as long as the copy.
        return pc.take(one_chunk(self.rows.column(name)), self._indices, boundscheck=False)
