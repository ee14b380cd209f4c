"""The Gram matrix of many rows whose numbers are rounded to a fixed unit of their column.

Each number is two slices, integers of few bits, which float64 multiplies exactly in whatever order
BLAS adds. The units follow from the sizes that the columns are known to have, and not from the
numbers: so the matrix has the same bits however rows are divided, on every CPU.
"""

from collections.abc import Sequence
from dataclasses import replace
from operator import add

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.gram import Gram
from pipeline.exact.gram_sums import GramSums
from pipeline.exact.products import EXACT

Floats = NDArray[np.float64]

HIGH_BITS = 17
"""Bits of the first slice of a number of the size of its column. A number 2^9 times as large still
leaves its square below 2^53."""
LOW_BITS = 21
"""Bits of the second slice. Its unit is 2^-38 of the size of the column."""
MOST_ROWS = 1024
"""Rows that are added at a time, whose slices stay in the cache. The squares of the second slices
stay below 2^53."""
MOST_SUMS = 256
"""Sums below 2^53 of which int64 holds twice as many, and more."""
FIT = 2.0**3
"""A row whose numbers are at most so many times the size of their column fits among MOST_ROWS."""

LARGEST_SQUARES = 0.9 * 2.0 ** (53 - 2 * HIGH_BITS)
"""If squares add up to less, those of the first slices add up to less than 2^53."""

HIGH_ROUNDER, LOW_ROUNDER = 1.5 * 2.0 ** (52 - HIGH_BITS), 1.5 * 2.0 ** (52 - HIGH_BITS - LOW_BITS)


class FixedGram:
    """The sum of the products of columns that are rounded to a fixed unit each."""

    def __init__(self, sizes: Sequence[int], factors: int | None = None) -> None:
        """sizes: the numbers of each column are about 2^size in size: [columns].

        factors: products with so many columns, the last ones, are wanted; None: with all.
        """
        self._sizes, columns = tuple(sizes), len(sizes)
        self._factors = columns if factors is None else factors
        units = np.repeat([-HIGH_BITS, -HIGH_BITS - LOW_BITS], columns)
        ends = np.array([[columns], [2 * columns]])
        self._places = (ends + np.arange(-self._factors, 0)).ravel()
        """The slices of the factors."""
        self._limits = np.ldexp(EXACT, 2 * units[self._places])
        self._per_unit = np.ldexp(1.0, -units[:, None] - units[self._places])
        self._integers, self._sums = np.zeros(self._per_unit.shape, np.int64), 0
        self._total = np.zeros(self._per_unit.shape, object)
        self._rows, self._others = 0, GramSums(columns)
        self._slices = np.empty((2 * columns, MOST_ROWS))

    def add(self, table: Floats, times: Floats | None = None) -> None:
        """Add at most MOST_ROWS rows of finite numbers.

        table: [columns, rows], in units of the sizes of its columns; it may change. times: how
        often each row counts, for all pieces or for none: [rows]; then any number of rows, with the
        same bits as if they were repeated.
        """
        if times is not None:
            self._set_aside(table, times)
            self._rows += table.shape[1]
            return
        product = self._product(table)
        if product is None:
            large = (np.abs(table) > FIT).any(axis=0)
            self._set_aside(table[:, large])
            table[:, large] = 0
            product = self._product(table)
            assert product is not None
        self._integers += (product * self._per_unit).astype(np.int64)
        self._rows, self._sums = self._rows + table.shape[1], self._sums + 1
        if self._sums == MOST_SUMS:
            self._flush()

    def _product(self, table: Floats) -> Floats | None:
        """Return the products of the slices of a table; None if they may not be exact."""
        columns, rows = table.shape
        others = table[: columns - self._factors]
        # The sum of all squares takes a third of the time, and nearly always is small enough.
        if np.vdot(others, others) >= LARGEST_SQUARES:
            squares = np.einsum("ij,ij->i", others, others)
            if not (squares < LARGEST_SQUARES).all():
                return None
        slices = self._slices[:, :rows]
        high, low = slices[:columns], slices[columns:]
        # Adding and subtracting 1.5 · 2^52 units rounds to a multiple of the unit.
        np.add(table, HIGH_ROUNDER, out=high)
        np.subtract(high, HIGH_ROUNDER, out=high)
        np.subtract(table, high, out=low)
        np.add(low, LOW_ROUNDER, out=low)
        np.subtract(low, LOW_ROUNDER, out=low)
        factors = slices if self._factors == columns else slices[self._places]
        product: Floats = slices @ factors.T
        squares = product[self._places, np.arange(len(self._places))]
        return product if (squares < self._limits).all() else None

    def _set_aside(self, table: Floats, times: Floats | None = None) -> None:
        """Add rows that do not fit among others, rounded to the same units."""
        # A number of 2^51 units or more is a multiple of one half at worst: it stays.
        rounded = table + LOW_ROUNDER - LOW_ROUNDER
        rows = np.where(np.abs(table) < 2.0 ** (51 - HIGH_BITS - LOW_BITS), rounded, table).T
        self._others.add(rows, ends=[len(rows)], weights=times)

    def _flush(self) -> None:
        """Add the integers, before they are too large, to those of Python."""
        self._total += self._integers.astype(object)
        self._integers[:], self._sums = 0, 0

    def taken(self) -> Gram:
        """Return the matrix of the columns, without ones; nothing may be added any more.

        Of columns that are no factors the products with each other have no meaning.
        """
        self._flush()
        columns, factors = len(self._sizes), self._factors
        (high, mixed), (other, low) = (
            (half[:, :factors], half[:, factors:])
            for half in (self._total[:columns], self._total[columns:])
        )
        entries = np.zeros((columns, columns), object)
        found = (high << (2 * LOW_BITS)) + ((mixed + other) << LOW_BITS) + low
        entries[:, columns - factors :], entries[columns - factors :] = found, found.T
        exponents = tuple(size - HIGH_BITS - LOW_BITS for size in self._sizes)
        gram = Gram(self._rows, exponents, tuple(map(tuple, entries.tolist())))
        (others,) = self._others.taken()
        if not others.rows:
            return gram
        return replace(gram + _of_columns(others, self._sizes), rows=self._rows)


class FullGram:
    """The same of few rows, with all bits of their numbers."""

    def __init__(self, sizes: Sequence[int], _factors: int | None = None) -> None:
        """sizes: as for FixedGram. The products with all columns are made."""
        self._sizes, self._sums = sizes, GramSums(len(sizes))

    def add(self, table: Floats, times: Floats | None = None) -> None:
        """Add rows of finite numbers. table, times: as for FixedGram."""
        self._sums.add(table.T, ends=[table.shape[1]], weights=times)

    def taken(self) -> Gram:
        """Return the matrix of the columns, without ones; nothing may be added any more."""
        (gram,) = self._sums.taken()
        return _of_columns(gram, self._sizes)


def _of_columns(gram: Gram, sizes: Sequence[int]) -> Gram:
    """Return the matrix without ones, of columns whose numbers are in units of 2^size each."""
    own = gram.chosen(range(1, len(sizes) + 1))
    return replace(own, exponents=tuple(map(add, own.exponents, sizes)))
