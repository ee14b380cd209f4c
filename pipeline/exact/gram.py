"""The Gram matrix of a table, without rounding error: the products of its columns with each other.

Normal equations lose half of the digits only because the matrix in them is rounded. Here it is not.
Each column is cut into slices of few bits, so that an ordinary float64 matrix product of two slices
is exact in whatever order BLAS adds (Ozaki, Ogita, Oishi and Rump, *Error-free transformations of
matrix multiplication by using fast routines of matrix multiplication and its applications*, 2012).
The few rows that do not fit into the slices are multiplied as integers, by FLINT.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from pipeline.exact import cores

Floats = NDArray[Any]  # float32 or float64

# A slice holds signed digits of base 2^21, at most 2^20 in size: a product of two has 40 bits, and
# the sum of 4,096 of them 52.
DIGIT = 21
BLOCK = 4_096

# float64 numbers of one size need 3 slices, float32 numbers 2. Rows that would need more than this
# are multiplied as integers.
SLICES = 4

# Blocks in a piece of the table: so many that it is worth a thread's while, and no more than that
# their sums of 2^52 each fit into int64.
SHORTEST, LONGEST = 16, 1_024

# More threads than this would mostly wait for Python's lock.
THREADS = 8

# Beyond these exponents the numbers of the method itself might over- or underflow.
EXTREME = 400

# Rows that FLINT takes at a time.
PIECE = 16_384


@dataclass(frozen=True)
class Gram:
    """The inner products of the columns [1, ...] of a table, exactly.

    That of columns i and j is entries[i][j] · 2^(exponents[i] + exponents[j]). Those of two tables
    with the same columns add up to that of both.
    """

    rows: int
    exponents: tuple[int, ...]
    entries: tuple[tuple[int, ...], ...]

    def __add__(self, other: "Gram") -> "Gram":
        """The Gram matrix of the rows of both."""
        common = tuple(map(min, self.exponents, other.exponents))
        mine, theirs = self._at(common), other._at(common)
        entries = tuple(
            tuple(a + b for a, b in zip(row, other_row, strict=True))
            for row, other_row in zip(mine, theirs, strict=True)
        )
        return Gram(self.rows + other.rows, common, entries)

    def _at(self, exponents: tuple[int, ...]) -> list[list[int]]:
        shifts = [mine - asked for mine, asked in zip(self.exponents, exponents, strict=True)]
        return [
            [entry << (a + b) for entry, b in zip(row, shifts, strict=True)]
            for row, a in zip(self.entries, shifts, strict=True)
        ]

    def inner(self, i: int, j: int) -> Fraction:
        """The inner product of columns i and j; column 0 is that of ones."""
        exponent = self.exponents[i] + self.exponents[j]
        return Fraction(self.entries[i][j]) * Fraction(2) ** exponent

    def variation(self, i: int) -> Fraction:
        """The sum of the squares of column i around its mean."""
        return self.inner(i, i) - self.inner(0, i) ** 2 / self.rows

    def means(self) -> NDArray[np.float64]:
        """The mean of each column but the ones, correctly rounded."""
        return np.array([float(self.inner(0, i) / self.rows) for i in self._columns()])

    def deviations(self) -> NDArray[np.float64]:
        """The standard deviation (over the rows, not one less) of each column but the ones."""
        return np.array([_root(self.variation(i) / self.rows) for i in self._columns()])

    def _columns(self) -> range:
        return range(1, len(self.exponents))


def _root(square: Fraction) -> float:
    """The square root, to within the last digit, of a number that may be beyond float64."""
    if not square:
        return 0.0
    half = (square.numerator.bit_length() - square.denominator.bit_length()) // 2
    return math.ldexp(math.sqrt(square / Fraction(4) ** half), half)


def gram(*tables: Floats, block: int = BLOCK) -> Gram:
    """The Gram matrix of tables side by side, with a column of ones put before them.

    tables: [rows, columns] each, of finite float32 or float64, in any memory order.
    block: how many rows to take at a time, at most BLOCK; the result is the same bits for any.
    """
    assert 0 < block <= BLOCK
    rows, width = len(tables[0]), sum(table.shape[1] for table in tables)
    if not rows:
        return _nothing(width + 1)
    plan = _Plan.of(tables)
    threads = min(cores.available(), THREADS)
    # More pieces than threads: where other programs use the cores too, some threads get less done.
    size = min(max(SHORTEST, math.ceil(rows / (threads * 8) / block)), LONGEST) * block
    pieces = [[table[start : start + size] for table in tables] for start in range(0, rows, size)]
    if rows <= block:
        exact, rest = _sum(tables, plan, block)
    else:
        with cores.one_blas_thread(), ThreadPoolExecutor(threads) as pool:
            ahead = 2 * threads
            exact, rest = _total(_each(pool, pieces, plan, block, ahead), size // block, width + 1)
    return rest + _together(exact, _Cutter(plan, block), plan, rows - rest.rows)


Part = tuple[NDArray[np.int64], "Gram"]
"""The products of a piece's slices, and the Gram matrix of rows that do not fit in them."""


def _each(
    pool: ThreadPoolExecutor,
    pieces: Sequence[Sequence[Floats]],
    plan: "_Plan",
    block: int,
    ahead: int,
) -> Iterator[Part]:
    """Compute the parts of all pieces, of which at most `ahead` wait to be added."""
    waiting: deque[Future[Part]] = deque()
    for piece in pieces:
        if len(waiting) == ahead:
            yield waiting.popleft().result()
        waiting.append(pool.submit(_sum, piece, plan, block))
    while waiting:
        yield waiting.popleft().result()


def _total(parts: Iterator[Part], blocks: int, width: int) -> tuple[NDArray[Any], Gram]:
    """Return the sum of parts, which is exact: their order is of no account.

    blocks: at most so many are in a part; their sums go to Python's integers when int64 is full.
    """
    exact, rest = np.array(0, dtype=object), _nothing(width)
    held, sums = 0, np.array(0, dtype=np.int64)
    for products, left in parts:
        if held + blocks > LONGEST:
            exact, held, sums = exact + sums, 0, np.array(0, dtype=np.int64)
        sums, held = sums + products, held + blocks
        rest += left
    return exact + sums, rest


def _nothing(width: int) -> Gram:
    return Gram(0, (0,) * width, ((0,) * width,) * width)


def _sum(tables: Sequence[Floats], plan: "_Plan", block: int) -> Part:
    """Return the products of a piece's slices, and the Gram matrix of rows that do not fit in them.

    tables: [rows, columns] each, side by side, of at most LONGEST blocks.
    """
    cutter = _Cutter(plan, block)
    sums = np.zeros((len(cutter.units),) * 2, dtype=np.int64)
    scale = -(cutter.units[:, None] + cutter.units)
    rest = _nothing(len(plan.exponents))
    left: list[Floats] = []
    for start in range(0, len(tables[0]), block):
        taken = [table[start : start + block] for table in tables]
        slices, lost = cutter.cut(taken)
        sums += np.ldexp(slices @ slices.T, scale).astype(np.int64)
        if lost.any():
            left.append(np.column_stack([part[lost] for part in taken]))
            if sum(map(len, left)) >= PIECE:
                rest += _as_integers(np.concatenate(left))
                left = []
    if left:
        rest += _as_integers(np.concatenate(left))
    return sums, rest


@dataclass(frozen=True)
class _Plan:
    """How the columns, that of ones included, are cut."""

    exponents: NDArray[np.int64]
    """[columns]: every number of a column is below 2^exponent."""
    slices: NDArray[np.int64]
    """[columns]: how many slices hold nearly all numbers of a column."""

    @classmethod
    def of(cls, tables: Sequence[Floats]) -> "_Plan":
        """Sizes from all numbers, slices from a sample."""
        largest = np.concatenate([_largest(table) for table in tables]).astype(np.float64)
        exponents = np.frexp(np.append(1.0, largest))[1].astype(np.int64)
        rows = len(tables[0])
        sample = np.column_stack([table[:: max(1, rows // BLOCK)][:BLOCK] for table in tables])
        sample = sample.T.astype(np.float64)
        bits = exponents[1:, None] - _lowest_bits(sample)
        bits[sample == 0] = 0
        # The rows that need more than 99.9 % of the others do are few enough for FLINT, if there
        # are many rows; of few rows, none need go there.
        share = 99.9 if rows > BLOCK else 100
        wanted = np.percentile(bits, share, axis=1, method="higher") if len(bits) else np.empty(0)
        # The first digit has one bit less: it is rounded, not cut.
        slices = np.clip(-(-(np.append(1, wanted) + 1) // DIGIT), 1, SLICES)
        return cls(exponents, slices.astype(np.int64))


def _largest(table: Floats) -> Floats:
    """The largest size of a number in each column."""
    # In blocks, which stay in the cache: along the columns of a row-major table NumPy is slow.
    blocks = [table[start : start + BLOCK] for start in range(0, len(table), BLOCK)]
    largest: Floats = np.max([np.abs(block).max(axis=0) for block in blocks], axis=0)
    return largest


def _lowest_bits(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The exponent of the lowest bit of each number; of a zero, anything."""
    mantissas, exponents = np.frexp(values)
    digits = np.ldexp(mantissas, 53).astype(np.int64)
    lowest = (digits & -digits).astype(np.float64)
    return (exponents - 53 + np.frexp(lowest)[1] - 1).astype(np.int64)


class _Cutter:
    """Cuts blocks of rows into slices, in buffers that are used again and again."""

    def __init__(self, plan: _Plan, block: int) -> None:
        self.extreme = np.flatnonzero(np.abs(plan.exponents) > EXTREME)
        # A column of extreme numbers is scaled to numbers near 1.
        self.scale = np.where(np.abs(plan.exponents) > EXTREME, plan.exponents, 0)
        tops = plan.exponents - self.scale
        self.depth = int(plan.slices.max())
        # Columns with many slices first: each further slice is then of the leading ones.
        self.order = np.argsort(-plan.slices, kind="stable")
        self.counts = [int((plan.slices > level).sum()) for level in range(self.depth)]
        # The digit of each level is a multiple of its unit; adding and taking away 1.5 · 2^52 units
        # rounds to that.
        units = [tops[self.order[:n]] - (DIGIT - 1) - DIGIT * k for k, n in enumerate(self.counts)]
        self.magic = [np.ldexp(1.5, 52 + unit)[:, None] for unit in units]
        self.units = np.concatenate(units)
        self.column = np.concatenate([self.order[:n] for n in self.counts])
        self.values = np.empty((len(tops), block))
        self.slices = np.empty((sum(self.counts), block))

    def cut(self, tables: Sequence[Floats]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """The slices of tables side by side: [slices, rows]; and which rows do not fit.

        tables: [rows, columns] each. The slices of rows that do not fit are zeros.
        """
        n = len(tables[0])
        values, slices = self.values[:, :n], self.slices[:, :n]
        where = np.argsort(self.order, kind="stable")  # of a column, its place in the buffers
        values[where[0]] = 1.0
        begin = 1
        for table in tables:
            end = begin + table.shape[1]
            places = where[begin:end]
            # Nearly always columns in a row, which NumPy copies in half the time.
            in_a_row = len(places) and bool((np.diff(places) == 1).all())
            values[slice(places[0], places[-1] + 1) if in_a_row else places] = table.T
            begin = end
        lost = np.zeros(n, dtype=bool)
        for column in self.extreme:
            place = where[column]
            scaled = np.ldexp(values[place], -self.scale[column])
            lost |= np.ldexp(scaled, self.scale[column]) != values[place]
            values[place] = scaled
        start = 0
        for magic, count in zip(self.magic, self.counts, strict=True):
            rest, digits = values[:count], slices[start : start + count]
            np.add(rest, magic, out=digits)
            np.subtract(digits, magic, out=digits)
            np.subtract(rest, digits, out=rest)
            start += count
        if values.any():
            lost |= values.any(axis=0)
        if lost.any():
            slices[:, lost] = 0
        return slices, lost


def _together(exact: NDArray[Any], cutter: _Cutter, plan: _Plan, rows: int) -> Gram:
    """The Gram matrix of columns from that of their slices."""
    width = len(plan.exponents)
    units = cutter.units + cutter.scale[cutter.column]
    lowest = np.full(width, np.iinfo(np.int64).max)
    np.minimum.at(lowest, cutter.column, units)
    shifts = [int(shift) for shift in units - lowest[cutter.column]]
    entries = [[0] * width for _ in range(width)]
    for row, column, shift in zip(exact, cutter.column, shifts, strict=True):
        target = entries[column]
        for j in range(len(shifts)):
            target[cutter.column[j]] += int(row[j]) << (shift + shifts[j])
    return Gram(rows, tuple(map(int, lowest)), tuple(map(tuple, entries)))


def _as_integers(columns: Floats) -> Gram:
    """The Gram matrix of any numbers that float64 holds, with a column of ones."""
    exponents, table = [0], [[1] * len(columns)]
    for column in columns.T.astype(np.float64):
        mantissas, sizes = np.frexp(column)
        digits = np.ldexp(mantissas, 53).astype(np.int64)
        lowest = np.where(digits == 0, np.iinfo(np.int32).max, sizes)
        base = int(lowest.min()) if digits.any() else 53
        shifts = np.where(digits == 0, 0, sizes - base)
        table.append([d << s for d, s in zip(digits.tolist(), shifts.tolist(), strict=True)])
        exponents.append(base - 53)
    matrix = fmpz_mat(table)
    product = matrix * matrix.transpose()
    entries = tuple(tuple(int(entry) for entry in row) for row in product.tolist())
    return Gram(len(columns), tuple(exponents), entries)
