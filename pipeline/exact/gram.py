"""The Gram matrix of a table, without rounding error: the inner products of its columns.

The normal equations lose half of the digits only because their matrix is rounded. Here it is not:
blocks of rows are multiplied in slices, exactly, and the few rows that do not fit into the slices
are multiplied as integers, by FLINT.
"""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from fractions import Fraction
from operator import add, lshift
from typing import Any

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from pipeline.exact import cores
from pipeline.exact.slices import BLOCK_ROWS, Floats, Plan, Slicer

# A piece is a number of blocks that one thread takes: enough to be worth the start of a thread, and
# so few that their sums, of 2^52 for each block, fit into int64.
FEWEST_BLOCKS_IN_PIECE, MOST_BLOCKS_IN_PIECE = 16, 1_024

# More threads than this would mostly wait for Python's lock.
MOST_THREADS = 8

INTEGER_ROWS_AT_A_TIME = 16_384


@dataclass(frozen=True)
class Gram:
    """The inner products of the columns of a table [1 ...], exactly.

    The inner product of columns i and j is entries[i][j] · 2^(exponents[i] + exponents[j]).
    """

    rows: int
    exponents: tuple[int, ...]
    entries: tuple[tuple[int, ...], ...]

    def __add__(self, other: "Gram") -> "Gram":
        """Return the Gram matrix of the rows of both tables, which have the same columns."""
        assert len(self.exponents) == len(other.exponents)
        if not self.rows or not other.rows:
            return self if self.rows else other
        exponents = tuple(map(min, self.exponents, other.exponents))
        pairs = zip(self._with_exponents(exponents), other._with_exponents(exponents), strict=True)
        # Not a generator for each row: it takes four times as long.
        entries = tuple(tuple(map(add, row, other_row)) for row, other_row in pairs)
        return Gram(self.rows + other.rows, exponents, entries)

    def _with_exponents(self, exponents: tuple[int, ...]) -> Sequence[Iterable[int]]:
        """Return the entries that give the same inner products with other, smaller exponents."""
        if exponents == self.exponents:
            return self.entries
        shifts = [own - wanted for own, wanted in zip(self.exponents, exponents, strict=True)]
        return [
            map(lshift, row, [a + b for b in shifts])
            for row, a in zip(self.entries, shifts, strict=True)
        ]

    def canonical(self) -> "Gram":
        """Return the same inner products with exponents that depend on nothing else.

        However rows were divided, sliced and added, the result is the same. The column of ones has
        the exponent 0; each other column, from the first to the last, the largest one with which
        its inner products with itself and with the columns before it are integers.
        """
        exponents: list[int] = []
        columns = range(len(self.exponents))
        for j in columns:
            largest = [
                _factors_of_two(self.entries[i][j]) + self.exponents[i] + self.exponents[j] - own
                for i, own in enumerate(exponents)
                if self.entries[i][j]
            ]
            square = self.entries[j][j]
            if j and square:
                largest.append((_factors_of_two(square) + 2 * self.exponents[j]) // 2)
            exponents.append(min(largest) if j and square else 0)
        shifts = [own - new for own, new in zip(self.exponents, exponents, strict=True)]
        entries = tuple(
            tuple(
                entry << shift if (shift := a + b) >= 0 else entry >> -shift
                for entry, b in zip(row, shifts, strict=True)
            )
            for row, a in zip(self.entries, shifts, strict=True)
        )
        return Gram(self.rows, tuple(exponents), entries)

    def inner_product(self, i: int, j: int) -> Fraction:
        """Return the inner product of columns i and j; column 0 is the column of ones."""
        exponent = self.exponents[i] + self.exponents[j]
        return Fraction(self.entries[i][j]) * Fraction(2) ** exponent

    def centred(self, centre: NDArray[np.float64]) -> "Gram":
        """Return the Gram matrix of the same rows less `centre`, which is [columns − 1]."""
        of_ones = self.exponents[0]
        points = [Fraction(0), *map(Fraction, centre.tolist())]
        exponents = tuple(
            # A denominator is a power of two.
            min(own, of_ones + 1 - point.denominator.bit_length()) if point else own
            for own, point in zip(self.exponents, points, strict=True)
        )
        entries = [list(row) for row in self._with_exponents(exponents)]
        # Each column is, in units of 2^exponent, an integer combination of itself and the ones.
        c = [
            int(point * Fraction(2) ** (of_ones - exponent))
            for point, exponent in zip(points, exponents, strict=True)
        ]
        sums, count = entries[0], entries[0][0]
        centred = tuple(
            tuple(
                entry - c_i * sum_j - c_j * (sum_i - c_i * count)
                for entry, sum_j, c_j in zip(row, sums, c, strict=True)
            )
            for row, sum_i, c_i in zip(entries, sums, c, strict=True)
        )
        return Gram(self.rows, exponents, centred)

    def variation(self, i: int) -> Fraction:
        """Return the sum of the squares of column i around its mean."""
        return self.inner_product(i, i) - self.inner_product(0, i) ** 2 / self.rows

    def means(self) -> NDArray[np.float64]:
        """Return the mean of each column except the ones, correctly rounded: [columns − 1]."""
        return np.array([float(self.inner_product(0, i) / self.rows) for i in self._columns()])

    def deviations(self, centre: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return the standard deviation of each column except the ones: [columns − 1].

        The root of the variation over the number of rows, right to within the last digit.
        centre: [columns − 1], to take the deviations from these numbers, and not from the means.
        """
        mean_squares = [self.variation(i) / self.rows for i in self._columns()]
        if centre is not None:
            for i, point in zip(self._columns(), centre.tolist(), strict=True):
                distance = self.inner_product(0, i) / self.rows - Fraction(point)
                mean_squares[i - 1] += distance**2
        return np.array([_root(mean_square) for mean_square in mean_squares])

    def _columns(self) -> range:
        return range(1, len(self.exponents))


def _factors_of_two(entry: int) -> int:
    """Return how often 2 divides an integer that is not 0."""
    return (entry & -entry).bit_length() - 1


def _root(square: Fraction) -> float:
    """Return the square root, right to within the last digit; `square` may be beyond float64."""
    if not square:
        return 0.0
    half = (square.numerator.bit_length() - square.denominator.bit_length()) // 2
    return math.ldexp(math.sqrt(square / Fraction(4) ** half), half)


def gram_matrix(*tables: Floats, block: int = BLOCK_ROWS) -> Gram:
    """Return the Gram matrix of tables side by side, with a column of ones before them.

    tables: [rows, columns] each, of finite float32 or float64, in any memory order.
    block: number of rows to take at a time, at most BLOCK_ROWS; any number gives the same bits.
    """
    assert 0 < block <= BLOCK_ROWS
    rows, width = len(tables[0]), 1 + sum(table.shape[1] for table in tables)
    if not rows:
        return _no_rows(width)
    plan = Plan.of(tables)
    if rows <= block:
        products, unfit = _multiply(tables, plan, block)
    else:
        threads = min(cores.available(), MOST_THREADS)
        # More pieces than threads: a thread beside another busy program gets less done.
        blocks = math.ceil(rows / (threads * 8) / block)
        blocks = min(max(FEWEST_BLOCKS_IN_PIECE, blocks), MOST_BLOCKS_IN_PIECE)
        size = blocks * block
        pieces = [[table[at : at + size] for table in tables] for at in range(0, rows, size)]
        with cores.one_blas_thread(), ThreadPoolExecutor(threads) as pool:
            parts = _in_threads(pool, pieces, plan, block, most_waiting=2 * threads)
            products, unfit = _total(parts, blocks, width)
    exponents, entries = Slicer(plan, block).joined(products)
    return unfit + Gram(rows - unfit.rows, exponents, entries)


def gram_matrices(*tables: Floats, ends: Sequence[int]) -> tuple[Gram, ...]:
    """Return the Gram matrix of each part of the rows, computed in the calling thread alone.

    tables: as for `gram_matrix`, of some ten thousand rows. ends: the end of each part, whose rows
    follow those of the part before it. BLAS must be limited to one thread
    (`cores.one_blas_thread`).
    The sum of the parts is the Gram matrix of all rows.
    """
    width = 1 + sum(table.shape[1] for table in tables)
    if not len(tables[0]):
        return (_no_rows(width),) * len(ends)
    plan = Plan.of(tables)
    matrices = []
    for begin, end in zip([0, *ends], ends, strict=False):
        products, unfit = _multiply([table[begin:end] for table in tables], plan, BLOCK_ROWS)
        exponents, entries = Slicer(plan, BLOCK_ROWS).joined(products)
        matrices.append(unfit + Gram(end - begin - unfit.rows, exponents, entries))
    return tuple(matrices)


Part = tuple[NDArray[np.int64], Gram]
"""Products of the slices of a piece [slices, slices], and the Gram matrix of its unfit rows."""


def _in_threads(
    pool: ThreadPoolExecutor,
    pieces: Sequence[Sequence[Floats]],
    plan: Plan,
    block: int,
    most_waiting: int,
) -> Iterator[Part]:
    """Multiply all pieces; at most `most_waiting` parts wait in memory to be added."""
    waiting: deque[Future[Part]] = deque()
    for piece in pieces:
        if len(waiting) == most_waiting:
            yield waiting.popleft().result()
        waiting.append(pool.submit(_multiply, piece, plan, block))
    while waiting:
        yield waiting.popleft().result()


def _total(parts: Iterator[Part], blocks: int, width: int) -> tuple[NDArray[Any], Gram]:
    """Return the sum of parts, exactly, so that their order changes nothing.

    blocks: the most blocks in a part. A sum that might fill int64 becomes Python's integers.
    width: number of columns, the column of ones included.
    """
    total, unfit = np.array(0, dtype=object), _no_rows(width)
    summed_blocks, sums = 0, np.array(0, dtype=np.int64)
    for products, unfit_of_part in parts:
        if summed_blocks + blocks > MOST_BLOCKS_IN_PIECE:
            total, summed_blocks, sums = total + sums, 0, np.array(0, dtype=np.int64)
        sums, summed_blocks = sums + products, summed_blocks + blocks
        unfit += unfit_of_part
    return total + sums, unfit


def _no_rows(width: int) -> Gram:
    return Gram(0, (0,) * width, ((0,) * width,) * width)


def _multiply(tables: Sequence[Floats], plan: Plan, block: int) -> Part:
    """Return the products of a piece's slices, and the Gram matrix of the rows that do not fit.

    tables: [rows, columns] each, side by side, of at most MOST_BLOCKS_IN_PIECE blocks.
    """
    slicer = Slicer(plan, block)
    sums = np.zeros((len(slicer.column),) * 2, dtype=np.int64)
    unfit = _no_rows(len(plan.exponents))
    waiting: list[Floats] = []
    for start in range(0, len(tables[0]), block):
        rows = [table[start : start + block] for table in tables]
        slices, unfit_rows = slicer.cut(rows)
        sums += slicer.products(slices)
        if unfit_rows.any():
            waiting.append(np.column_stack([part[unfit_rows] for part in rows]))
            if sum(map(len, waiting)) >= INTEGER_ROWS_AT_A_TIME:
                unfit += _multiply_integers(np.concatenate(waiting))
                waiting = []
    if waiting:
        unfit += _multiply_integers(np.concatenate(waiting))
    return sums, unfit


def _multiply_integers(rows: Floats) -> Gram:
    """Return the Gram matrix of [1 rows], for any finite numbers. rows: [rows, columns]."""
    exponents, table = [0], [[1] * len(rows)]
    for column in rows.T.astype(np.float64):
        mantissas, sizes = np.frexp(column)
        digits = np.ldexp(mantissas, 53).astype(np.int64)
        nonzero_sizes = np.where(digits == 0, np.iinfo(np.int32).max, sizes)
        smallest = int(nonzero_sizes.min()) if digits.any() else 53
        shifts = np.where(digits == 0, 0, sizes - smallest)
        table.append([d << s for d, s in zip(digits.tolist(), shifts.tolist(), strict=True)])
        exponents.append(smallest - 53)
    matrix = fmpz_mat(table)
    product = matrix * matrix.transpose()
    entries = tuple(tuple(int(entry) for entry in row) for row in product.tolist())
    return Gram(len(rows), tuple(exponents), entries)
