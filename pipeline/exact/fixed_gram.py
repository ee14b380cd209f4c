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
from pipeline.exact.products import EXACT, MOST_SUMS

Floats = NDArray[np.float64]

HIGH_BITS = 17
"""Bits of the first slice of a number of the size of its column. A number 2^9 times as large still
leaves its square below 2^53."""
LOW_BITS = 21
"""Bits of the second slice. Its unit is 2^-38 of the size of the column."""
MOST_ROWS = 1024
"""Rows that are added at a time, whose slices stay in the cache. The squares of the second slices
stay below 2^53."""
FIT = 2.0**3
"""A row whose numbers are at most so many times the size of their column fits among MOST_ROWS."""

HIGH_ROUNDER, LOW_ROUNDER = 1.5 * 2.0 ** (52 - HIGH_BITS), 1.5 * 2.0 ** (52 - HIGH_BITS - LOW_BITS)


class FixedGram:
    """The sum of the products of columns that are rounded to a fixed unit each."""

    def __init__(self, exponents: Sequence[int]) -> None:
        """exponents: the numbers of each column are about 2^exponent in size: [columns]."""
        # All columns are counted in one unit: NumPy adds one number to all faster than columns.
        self._sizes = tuple(exponents)
        self._scales = [(i, 2.0**-each) for i, each in enumerate(exponents) if each]
        self._exponents = tuple(each - HIGH_BITS - LOW_BITS for each in exponents)
        units = np.repeat([-HIGH_BITS, -HIGH_BITS - LOW_BITS], len(exponents))
        self._limits, self._per_unit = np.ldexp(EXACT, 2 * units), np.ldexp(1.0, -units)
        size = len(units)
        self._sum, self._diagonal = np.zeros((size, size)), np.zeros(size)
        self._integers, self._sums = np.zeros((size, size), np.int64), 0
        self._total = np.zeros((size, size), object)
        self._rows, self._others = 0, GramSums(len(exponents))
        self._slices = np.empty((size, MOST_ROWS))

    def add(self, table: Floats) -> None:
        """Add at most MOST_ROWS rows of finite numbers. table: [columns, rows]; it may change."""
        for column, scale in self._scales:
            table[column] *= scale
        product = self._product(table)
        if not (product.diagonal() < self._limits).all():
            large = (np.abs(table) > FIT).any(axis=0)
            self._set_aside(table[:, large])
            table[:, large] = 0
            product = self._product(table)
        diagonal = product.diagonal()
        total = self._diagonal + diagonal
        if (total < self._limits).all():
            self._sum += product
            self._diagonal = total
        else:
            self._flush()
            self._sum, self._diagonal = product, diagonal.copy()
        self._rows += table.shape[1]

    def _product(self, table: Floats) -> Floats:
        """Return the products of the slices of a table."""
        columns, rows = table.shape
        slices = self._slices[:, :rows]
        high, low = slices[:columns], slices[columns:]
        # Adding and subtracting 1.5 · 2^52 units rounds to a multiple of the unit.
        np.add(table, HIGH_ROUNDER, out=high)
        np.subtract(high, HIGH_ROUNDER, out=high)
        np.subtract(table, high, out=low)
        np.add(low, LOW_ROUNDER, out=low)
        np.subtract(low, LOW_ROUNDER, out=low)
        product: Floats = slices @ slices.T
        return product

    def _set_aside(self, table: Floats) -> None:
        """Add rows that do not fit among others, rounded to the same units."""
        # A number of 2^51 units or more is a multiple of one half at worst: it stays.
        rounded = table + LOW_ROUNDER - LOW_ROUNDER
        rows = np.where(np.abs(table) < 2.0 ** (51 - HIGH_BITS - LOW_BITS), rounded, table).T
        self._others.add(rows, ends=[len(rows)])

    def _flush(self) -> None:
        """Add the sum to the integers."""
        self._sum *= self._per_unit[:, None]
        self._sum *= self._per_unit
        self._integers += self._sum.astype(np.int64)
        self._sums += 1
        if self._sums == MOST_SUMS:
            self._total += self._integers.astype(object)
            self._integers[:], self._sums = 0, 0

    def taken(self) -> Gram:
        """Return the matrix of the columns, without ones; nothing may be added any more."""
        self._flush()
        total, columns = self._total + self._integers.astype(object), len(self._exponents)
        high, mixed, low = (
            total[:columns, :columns],
            total[columns:, :columns],
            total[columns:, columns:],
        )
        entries = (high << (2 * LOW_BITS)) + ((mixed + mixed.T) << LOW_BITS) + low
        gram = Gram(self._rows, self._exponents, tuple(map(tuple, entries.tolist())))
        (others,) = self._others.taken()
        if not others.rows:
            return gram
        whole, scales = others.chosen(range(1, columns + 1)), self._sizes
        exponents = tuple(map(add, whole.exponents, scales))
        return replace(gram + replace(whole, exponents=exponents), rows=self._rows)


class FullGram:
    """The same of few rows, with all bits of their numbers."""

    def __init__(self, exponents: Sequence[int]) -> None:
        """exponents: as for FixedGram; only their number counts."""
        self._columns = len(exponents)
        self._sums = GramSums(self._columns)

    def add(self, table: Floats) -> None:
        """Add rows of finite numbers. table: [columns, rows]."""
        self._sums.add(table.T, ends=[table.shape[1]])

    def taken(self) -> Gram:
        """Return the matrix of the columns, without ones; nothing may be added any more."""
        (gram,) = self._sums.taken()
        return gram.chosen(range(1, self._columns + 1))
