"""The plan of a piece of a table: how each column is cut into slices of few bits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]  # float32 or float64
Integers = NDArray[np.int64]
Bounds = tuple[NDArray[np.float64], NDArray[np.float64]]
"""The smallest and the largest number of each column: [columns] each."""

# The first slice of a column holds integers below 2^bits, each further one integers of one bit
# less: the digits of the numbers in base 2^bits. The fewer bits, the larger the blocks that float64
# multiplies exactly.
SLICE_BITS = (20, 21, 22, 23)
MOST_BITS = SLICE_BITS[-1]

# Larger blocks are worth so many times the slices.
MORE_SLICES = 1.1

# Numbers of one size need 2 slices as float32 and 3 as float64. A row that needs more than this,
# or as many bits in smaller slices, does not fit.
MOST_SLICES = 4

# The rows from which the bits of a column are estimated.
SAMPLE_ROWS = 512

# Bits more than the sample has: one row in some ten thousand needs them.
MARGIN = 4

# Beyond 2^400 and 2^-400 the numbers of the method itself might over- or underflow.
SAFE_EXPONENT = 400

# Rows whose columns NumPy compares at a time: along short rows it is ten times slower.
ROWS_IN_A_ROW = 64

CLOSED = 10_000
"""The bits of a way that a column cannot take."""


@dataclass(frozen=True)
class SlicePlan:
    """Unit and number of slices of each column of [1 ...]: arrays of [columns]."""

    bits: int
    """Bits of a slice."""
    units: Integers
    """The numbers of a column are taken as multiples of 2^unit."""
    slices: Integers
    centres: NDArray[np.float64]
    """What is subtracted from a column, exactly: then it needs fewer slices. Mostly 0."""
    checked: NDArray[np.bool_]
    """True if numbers may lie between the multiples: rows with such a number do not fit."""
    scales: Integers
    """A column of extreme numbers is divided by 2^scale; else 0."""
    tops: Integers
    """The numbers of a column are below 2^top."""

    @classmethod
    def of(
        cls,
        tables: Sequence[Floats],
        bounds: Bounds | None = None,
        slice_bits: Sequence[int] = SLICE_BITS,
    ) -> "SlicePlan":
        """Return the plan of tables side by side: ranges from all rows, bits from a sample.

        tables: [rows, columns] each, with at least one row. bounds: of their columns, if known.
        slice_bits: the bits that a slice may have, rising.
        """
        columns, most = _Columns(tables, bounds or bounds_of(tables)), slice_bits[-1]
        fewest = columns.slices(most).sum()
        fitting = (b for b in slice_bits if columns.slices(b, MARGIN).sum() <= MORE_SLICES * fewest)
        return columns.plan(next(fitting, most))

    def suits(self, tables: Sequence[Floats], bounds: Bounds) -> bool:
        """Return True if the plan, made for some rows, is exact for these, too.

        The numbers of checked columns may have lower bits: then the rows do not fit.
        """
        sizes = _Sizes(tables, bounds)
        unit = self.units + self.scales
        multiples = self.checked | (sizes.smallest > 0) & (sizes.certain_unit >= unit)
        half = np.maximum(sizes.high - self.centres, self.centres - sizes.low)
        near = (half == 0) | (_size(half) - unit <= self.bits * self.slices)
        centred = self.centres != 0
        around = ~centred | near & (sizes.top - unit <= 53)
        return bool(((sizes.top <= self.tops) & multiples & around).all())


class _Sizes:
    """What the ranges of the columns of [1 ...] say of the sizes of their numbers: [columns]."""

    def __init__(self, tables: Sequence[Floats], bounds: Bounds) -> None:
        self.low, self.high = (np.concatenate([np.ones(1), ends]) for ends in bounds)
        mantissas = [(1, 1), *((_mantissa(table), table.shape[1]) for table in tables)]
        self.top = _size(np.maximum(np.abs(self.low), np.abs(self.high)))
        self.smallest = np.maximum(np.maximum(self.low, -self.high), 0)
        self.certain_unit = _size(self.smallest) - np.repeat(*np.transpose(mantissas))


class _Columns(_Sizes):
    """What is known of the columns of [1 ...], and three ways to take them as multiples of a unit.

    Certain: zero is not in the range, so that no number has a lower bit than the smallest one can
    have. Centred: besides, a number in the range is subtracted. Seen: a sample has no lower bits.
    """

    def __init__(self, tables: Sequence[Floats], bounds: Bounds) -> None:
        super().__init__(tables, bounds)
        step = max(1, len(tables[0]) // SAMPLE_ROWS)
        rows = np.column_stack([table[::step][:SAMPLE_ROWS] for table in tables])
        sample = np.vstack([np.ones(len(rows)), rows.T.astype(np.float64)])
        self.certain_bits = np.where(self.smallest > 0, self.top - self.certain_unit, CLOSED)
        with np.errstate(over="ignore"):
            self._find_centres(self.low, self.high, sample.mean(axis=1))
        lowest = np.where(sample == 0, np.iinfo(np.int32).max, _lowest_bits(sample)).min(axis=1)
        self.lowest = np.minimum(lowest, self.top - 1)
        # A few numbers larger than this may be left out.
        self.sample_top = np.minimum(self.top, _size(np.abs(sample).max(axis=1)) + 2)

    def _find_centres(self, low: Floats, high: Floats, means: Floats) -> None:
        # If all numbers fit into 53 bits of one unit, the difference to one of them does, too.
        is_open = (self.certain_bits <= 53) & (np.abs(self.top) <= SAFE_EXPONENT)
        # No finer than needed: the digits of the centre are multiplied, too.
        grid = np.maximum(self.certain_unit, _size(high - low) - 3)
        centres = np.ldexp(np.rint(np.ldexp(means, -grid)), grid)
        self.centres = np.clip(np.where(is_open, centres, low), low, high)
        half = np.maximum(high - self.centres, self.centres - low)
        bits = np.where(half == 0, 1, _size(half) - self.certain_unit)
        self.centred_bits = np.where(is_open, bits, CLOSED)

    def _seen_bits(self, bits: int, margin: int) -> tuple[Integers, Integers]:
        """Return the size of the largest number that fits, and the number of slices."""
        few = _slices(self.sample_top - self.lowest, bits, margin)
        all_fit = _slices(self.top - self.lowest, bits, margin)
        tops = np.where(few < all_fit, self.sample_top, self.top)
        most = MOST_SLICES if bits >= SLICE_BITS[0] else -(-MOST_SLICES * MOST_BITS // bits)
        return tops, np.minimum(few, most)

    def slices(self, bits: int, margin: int = 0) -> Integers:
        """Return the number of slices of each column, of so many bits.

        margin: bits for numbers with more bits than the sample has, if there is more than a slice.
        """
        _, seen = self._seen_bits(bits, margin)
        certain = np.minimum(_slices(self.certain_bits, bits), _slices(self.centred_bits, bits))
        return np.minimum(seen, certain)

    def plan(self, bits: int) -> SlicePlan:
        """Return the plan with slices of so many bits."""
        slices = self.slices(bits)
        # A range that is certain needs no look at the numbers, a centre one more operation.
        is_certain = _slices(self.certain_bits, bits) == slices
        is_centred = (_slices(self.centred_bits, bits) == slices) & ~is_certain
        checked = ~is_certain & ~is_centred
        tops, _ = self._seen_bits(bits, 0)
        # All bits of the slices; of a single one not all, because large digits make small blocks.
        single = np.minimum(self.lowest, tops - bits + MARGIN)
        seen_units = np.where(slices == 1, single, tops - bits * slices)
        tops = np.where(checked, tops, self.top)
        scales = np.where(np.abs(tops) > SAFE_EXPONENT, tops, 0)
        units = np.where(checked, seen_units, self.certain_unit) - scales
        centres = np.where(is_centred, self.centres, 0.0)
        return SlicePlan(bits, units, slices, centres, checked, scales, self.top)


def _slices(wanted: Integers, bits: int, margin: int = 0) -> Integers:
    """Return how many slices numbers need; with a margin if they need more than one."""
    slices: Integers = np.maximum(1, -(-(wanted + np.where(wanted > bits, margin, 0)) // bits))
    return slices


def _mantissa(table: Floats) -> int:
    return 24 if table.dtype == np.float32 else 53


def _size(values: Floats) -> NDArray[np.int64]:
    """Return the least n for which |value| < 2^n; 0 for zero."""
    return np.frexp(values)[1].astype(np.int64)


def bounds_of(tables: Sequence[Floats]) -> Bounds:
    """Return the bounds of the columns of tables side by side, with at least one row."""
    low, high = zip(*map(_range, tables), strict=True)
    return np.concatenate(low).astype(np.float64), np.concatenate(high).astype(np.float64)


def _range(table: Floats) -> tuple[Floats, Floats]:
    """Return the smallest and the largest number of each column: [columns] each."""
    rows, columns = table.shape
    whole = rows // ROWS_IN_A_ROW * ROWS_IN_A_ROW
    if not (table.flags.c_contiguous and whole):
        return table.min(axis=0), table.max(axis=0)
    long_rows = table[:whole].reshape(-1, ROWS_IN_A_ROW * columns)
    ends = [long_rows.min(axis=0), long_rows.max(axis=0)]
    low, high = (end.reshape(ROWS_IN_A_ROW, columns) for end in ends)
    rest = table[whole:]
    return np.vstack([low, rest]).min(axis=0), np.vstack([high, rest]).max(axis=0)


def _lowest_bits(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the exponent of the lowest bit of each number; any exponent for a zero."""
    mantissas, exponents = np.frexp(values)
    digits = np.ldexp(mantissas, 53).astype(np.int64)
    lowest = (digits & -digits).astype(np.float64)
    return (exponents - 53 + np.frexp(lowest)[1] - 1).astype(np.int64)
