"""Rows that are kept as they are: rows that were drawn, and rows with extreme values."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.tables.table import array

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

    @classmethod
    def of(cls, rows: pa.Table, numbers: Floats, before: int) -> "Extremes":
        """Return the extremes of rows. numbers: of their columns, [rows, columns].

        before: place of the first row.
        """
        low, high = numbers.argmin(axis=0), numbers.argmax(axis=0)
        columns = np.arange(numbers.shape[1])
        chosen = np.unique([low, high])
        kept = SampledRows(rows.schema, ((take(rows, chosen), before + chosen),))
        return cls(numbers[low, columns], before + low, numbers[high, columns], before + high, kept)

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


def _comes_first(
    values: Floats, places: Places, other_values: Floats, other_places: Places
) -> NDArray[np.bool_]:
    """Return True where a value is smaller, or is equal and has the smaller place: [columns]."""
    equal = (values == other_values) & (places < other_places)
    first: NDArray[np.bool_] = (values < other_values) | equal
    return first


def take(rows: pa.Table, places: NDArray[np.int64]) -> pa.Table:
    """Return the rows at these places, in this order."""
    return rows.take(array(places.astype(np.int64), pa.int64())).combine_chunks()
