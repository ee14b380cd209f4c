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
from functools import reduce
from operator import add, lshift

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from pipeline.exact import cores
from pipeline.exact.products import Product, Products, own_product
from pipeline.exact.slice_plan import MOST_BITS, Floats, SlicePlan
from pipeline.exact.slices import Slicer, exact_rows

# A thread takes so many rows at a time: they have a plan of their own.
PIECE_ROWS = 65_536

# Numbers of the slices of a block, and its rows.
CACHED_NUMBERS, FEWEST_ROWS, MOST_ROWS = 131_072, 1_024, 16_384

SMALL_BLOCK_ROWS = 64

INTEGER_ROWS_AT_A_TIME = 16_384

# More threads than this would mostly wait for Python's lock.
MOST_THREADS = 8


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


def gram_matrix(*tables: Floats, piece: int = PIECE_ROWS, product: Product = own_product) -> Gram:
    """Return the Gram matrix of tables side by side, with a column of ones before them.

    tables: [rows, columns] each, of finite float32 or float64, in any memory order.
    piece: number of rows that a thread takes at a time, at most PIECE_ROWS. product: multiplies
    slices. Both change nothing in the result, which is in canonical form.
    """
    assert 0 < piece <= PIECE_ROWS
    rows, width = len(tables[0]), 1 + sum(table.shape[1] for table in tables)
    pieces = [[table[at : at + piece] for table in tables] for at in range(0, rows, piece)]
    if len(pieces) <= 1:
        total = _of_piece(pieces[0], product) if pieces else _no_rows(width)
    else:
        threads = min(cores.available(), MOST_THREADS)
        with cores.one_blas_thread(), ThreadPoolExecutor(threads) as pool:
            parts = _in_threads(pool, pieces, product, most_waiting=2 * threads)
            total = reduce(add, parts, _no_rows(width))
    return total.canonical()


def _in_threads(
    pool: ThreadPoolExecutor,
    pieces: Sequence[Sequence[Floats]],
    product: Product,
    most_waiting: int,
) -> Iterator[Gram]:
    """Yield the Gram matrix of each piece; at most `most_waiting` wait in memory to be added."""
    waiting: deque[Future[Gram]] = deque()
    for piece in pieces:
        if len(waiting) == most_waiting:
            yield waiting.popleft().result()
        waiting.append(pool.submit(_of_piece, piece, product))
    while waiting:
        yield waiting.popleft().result()


def gram_matrices(
    *tables: Floats, ends: Sequence[int], product: Product = own_product
) -> tuple[Gram, ...]:
    """Return the Gram matrix of each part of the rows, computed in the calling thread alone.

    tables: as for `gram_matrix`, of some ten thousand rows. ends: the end of each part, whose rows
    follow those of the part before it. BLAS must be limited to one thread
    (`cores.one_blas_thread`).
    The sum of the parts is the Gram matrix of all rows.
    """
    if not len(tables[0]):
        return (_no_rows(1 + sum(table.shape[1] for table in tables)),) * len(ends)
    piece = _Piece(tables, product)
    return tuple(piece.gram(begin, end) for begin, end in zip([0, *ends], ends, strict=False))


def _of_piece(tables: Sequence[Floats], product: Product) -> Gram:
    return _Piece(tables, product).gram(0, len(tables[0]))


class _Piece:
    """Some rows of tables side by side, with a plan and buffers to multiply them."""

    def __init__(self, tables: Sequence[Floats], product: Product) -> None:
        """tables: [rows, columns] each, of at least one row and at most PIECE_ROWS."""
        self._tables = tables
        plan = SlicePlan.of(tables)
        # A block of slices stays in the cache.
        self._block = min(max(CACHED_NUMBERS // int(plan.slices.sum()), FEWEST_ROWS), MOST_ROWS)
        self._exact_rows = max(exact_rows(tables, plan), SMALL_BLOCK_ROWS)
        self._slicer = Slicer(plan, min(self._block, len(tables[0])))
        self._products = Products(self._slicer, product)

    def gram(self, begin: int, end: int) -> Gram:
        """Return the Gram matrix of the rows from `begin` to `end`."""
        tables, products = self._tables, self._products
        total = _no_rows(1 + sum(table.shape[1] for table in tables))
        waiting: list[Floats] = []
        # A number too large for its slices may overflow; its row is then multiplied as integers.
        with np.errstate(over="ignore", invalid="ignore"):
            for start in range(begin, end, self._block):
                rows = [table[start : min(start + self._block, end)] for table in tables]
                slices, unfit = self._slicer.cut(rows)
                unfit |= self._add(slices)
                if products.full:
                    total += Gram(*products.taken())
                if unfit.any():
                    waiting.append(np.column_stack([table[unfit] for table in rows]))
        total += Gram(*products.taken())
        # Not all at once: as Python's integers they would fill the memory.
        for start in range(0, sum(map(len, waiting)), INTEGER_ROWS_AT_A_TIME):
            few = np.concatenate(waiting)[start : start + INTEGER_ROWS_AT_A_TIME]
            total += _multiply_integers(few)
        return total

    def _add(self, slices: Floats) -> NDArray[np.bool_]:
        """Add the product of slices; return the rows with numbers too large for it: [rows]."""
        rows = slices.shape[1]
        unfit = np.zeros(rows, dtype=bool)
        if rows <= self._exact_rows and self._products.add(slices):
            return unfit
        if rows > SMALL_BLOCK_ROWS:
            half = rows // 2
            return np.concatenate([self._add(slices[:, :half]), self._add(slices[:, half:])])
        largest = np.ldexp(2.0**MOST_BITS, self._slicer.units)[:, None]
        unfit |= ~(np.abs(slices) <= largest).all(axis=0)
        slices[:, unfit] = 0
        # A product of two numbers has at most 46 bits.
        exact = self._products.add(slices)
        assert exact
        return unfit


def _no_rows(width: int) -> Gram:
    return Gram(0, (0,) * width, ((0,) * width,) * width)


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
