"""Slices of few bits of the columns of a table, whose matrix products float64 computes exactly.

Each column is cut into slices, so that an ordinary float64 matrix product of two of them is exact
in whatever order BLAS adds (Ozaki, Ogita, Oishi and Rump, *Error-free transformations of matrix
multiplication by using fast routines of matrix multiplication and its applications*, 2012).
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]  # float32 or float64

# A slice holds signed digits of base 2^21, at most 2^20 in size: a product of two has 40 bits, and
# the sum of 4,096 of them 52.
SLICE_BITS = 21
BLOCK_ROWS = 4_096

# float64 numbers of one size need 3 slices, float32 numbers 2. A row that needs more than this does
# not fit.
MOST_SLICES = 4

# Beyond 2^400 and 2^-400 the numbers of the method itself might over- or underflow.
SAFE_EXPONENT = 400


@dataclass(frozen=True)
class Plan:
    """Size and number of slices of each column, the column of ones included."""

    exponents: NDArray[np.int64]
    """[columns]: every number of a column is below 2^exponent."""
    slices: NDArray[np.int64]
    """[columns]: number of slices that hold nearly all numbers of a column."""

    @classmethod
    def of(cls, tables: Sequence[Floats]) -> "Plan":
        """Return the plan of tables side by side: sizes from all rows, slices from a sample.

        tables: [rows, columns] each, with at least one row.
        """
        largest = np.concatenate([_largest(table) for table in tables]).astype(np.float64)
        exponents = np.frexp(np.append(1.0, largest))[1].astype(np.int64)
        rows = len(tables[0])
        step = max(1, rows // BLOCK_ROWS)
        sample = np.column_stack([table[::step][:BLOCK_ROWS] for table in tables])
        sample = sample.T.astype(np.float64)
        bits = exponents[1:, None] - _lowest_bits(sample)
        bits[sample == 0] = 0
        # Of many rows, the 0.1 % that need most bits are few enough to be multiplied as integers.
        # Of few rows, every row must fit.
        percentage = 99.9 if rows > BLOCK_ROWS else 100
        wanted = (
            np.percentile(bits, percentage, axis=1, method="higher") if len(bits) else np.empty(0)
        )
        # The first digit has one bit less: it is rounded, not cut.
        slices = np.clip(-(-(np.append(1, wanted) + 1) // SLICE_BITS), 1, MOST_SLICES)
        return cls(exponents, slices.astype(np.int64))


def _largest(table: Floats) -> Floats:
    """Return the largest absolute value of each column: [columns]."""
    # In blocks, which stay in the cache: along the columns of a row-major table NumPy is slow.
    starts = range(0, len(table), BLOCK_ROWS)
    blocks = [np.abs(table[start : start + BLOCK_ROWS]).max(axis=0) for start in starts]
    largest: Floats = np.max(blocks, axis=0)
    return largest


def _lowest_bits(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the exponent of the lowest bit of each number; any exponent for a zero."""
    mantissas, exponents = np.frexp(values)
    digits = np.ldexp(mantissas, 53).astype(np.int64)
    lowest = (digits & -digits).astype(np.float64)
    return (exponents - 53 + np.frexp(lowest)[1] - 1).astype(np.int64)


class Slicer:
    """Cutter of blocks of rows into slices, with buffers that are used again for each block.

    Slices are ordered by level: the first slice of every column, then the second of each column
    that has two, and so on.
    """

    def __init__(self, plan: Plan, block: int) -> None:
        """block: the most rows that `cut` is given at a time."""
        extreme = np.abs(plan.exponents) > SAFE_EXPONENT
        self._extreme_columns = np.flatnonzero(extreme)
        # A column of extreme numbers is scaled to numbers near 1.
        self._scale = np.where(extreme, plan.exponents, 0)
        tops = plan.exponents - self._scale
        # Columns with many slices first: the slices of a level are then of the leading columns.
        order = np.argsort(-plan.slices, kind="stable")
        self._place = np.argsort(order, kind="stable")  # of each column in the buffers
        self._counts = [int((plan.slices > level).sum()) for level in range(plan.slices.max())]
        # The digits of a level are multiples of its unit; adding and subtracting 1.5 · 2^52 units
        # rounds to such a multiple.
        units = [
            tops[order[:count]] - (SLICE_BITS - 1) - SLICE_BITS * level
            for level, count in enumerate(self._counts)
        ]
        self._rounders = [np.ldexp(1.5, 52 + unit)[:, None] for unit in units]
        self._units = np.concatenate(units)
        self._per_unit = np.ldexp(1.0, -self._units)
        self.column = np.concatenate([order[:count] for count in self._counts])
        """[slices]: the column of each slice"""
        self._values = np.empty((len(tops), block))
        self._slices = np.empty((sum(self._counts), block))

    @property
    def units(self) -> NDArray[np.int64]:
        """[slices]: the exponent of the power of two that each slice is a multiple of."""
        units: NDArray[np.int64] = self._units + self._scale[self.column]
        return units

    def cut(self, tables: Sequence[Floats]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Cut tables side by side: return their slices [slices, rows] and the rows that do not fit.

        tables: [rows, columns] each. The slices of rows that do not fit are zeros. Both arrays are
        overwritten by the next call.
        """
        rows = len(tables[0])
        values, slices = self._values[:, :rows], self._slices[:, :rows]
        self._fill(values, tables)
        unfit = np.zeros(rows, dtype=bool)
        for column in self._extreme_columns:
            place = self._place[column]
            scaled = np.ldexp(values[place], -self._scale[column])
            unfit |= np.ldexp(scaled, self._scale[column]) != values[place]
            values[place] = scaled
        start = 0
        for rounder, count in zip(self._rounders, self._counts, strict=True):
            rest, digits = values[:count], slices[start : start + count]
            np.add(rest, rounder, out=digits)
            np.subtract(digits, rounder, out=digits)
            np.subtract(rest, digits, out=rest)
            start += count
        if values.any():
            unfit |= values.any(axis=0)
        if unfit.any():
            slices[:, unfit] = 0
        return slices, unfit

    def _fill(self, values: NDArray[np.float64], tables: Sequence[Floats]) -> None:
        """Copy the columns of [1 tables] to their places in `values` [columns, rows]."""
        values[self._place[0]] = 1.0
        begin = 1
        for table in tables:
            end = begin + table.shape[1]
            places = self._place[begin:end]
            # Nearly always columns in a row, which NumPy copies in half the time.
            in_a_row = len(places) and bool((np.diff(places) == 1).all())
            values[slice(places[0], places[-1] + 1) if in_a_row else places] = table.T
            begin = end

    def products(self, slices: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the inner products of slices [slices, rows], in their units: [slices, slices]."""
        products = slices @ slices.T
        products *= self._per_unit[:, None]
        products *= self._per_unit
        integers: NDArray[np.int64] = products.astype(np.int64)
        return integers

    def joined(self, products: NDArray[Any]) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
        """Return the inner products of the columns, from the sums of the products of their slices.

        products: [slices, slices], integers. Gives the exponents and the entries of a Gram matrix.
        """
        units = self.units
        exponents = np.full(len(self._place), np.iinfo(np.int64).max)
        np.minimum.at(exponents, self.column, units)
        shifts = (units - exponents[self.column]).astype(object)
        entries = np.zeros((len(exponents),) * 2, dtype=object)
        begins = np.cumsum([0, *self._counts]).tolist()
        for begin, end in itertools.pairwise(begins):
            for other_begin, other_end in itertools.pairwise(begins):
                own, others = slice(begin, end), slice(other_begin, other_end)
                shift = shifts[own, None] + shifts[others]
                target = np.ix_(self.column[own], self.column[others])
                entries[target] += products[own, others].astype(object) << shift
        return tuple(exponents.tolist()), tuple(map(tuple, entries.tolist()))
