"""The Gram matrix of a table, without rounding error: the inner products of its columns.

The normal equations lose half of the digits only because their matrix is rounded. Here it is not.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from operator import add, lshift, sub

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Gram:
    """The inner products of the columns of a table [1 ...], exactly.

    The inner product of columns i and j is entries[i][j] · 2^(exponents[i] + exponents[j]). If rows
    have weights, each counts as often as its weight says; `rows` is their number all the same.
    """

    rows: int
    exponents: tuple[int, ...]
    entries: tuple[tuple[int, ...], ...]

    @classmethod
    def of_no_rows(cls, columns: int) -> "Gram":
        """Return the Gram matrix of no rows. columns: number of columns, without the ones."""
        width = 1 + columns
        return cls(0, (0,) * width, ((0,) * width,) * width)

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

    def __sub__(self, other: "Gram") -> "Gram":
        """Return the Gram matrix of the rows of this table that are not in the other one.

        other: of some of the rows. Without cancellation, and canonical.
        """
        assert len(self.exponents) == len(other.exponents)
        if not other.rows:
            return self.canonical()
        exponents = tuple(map(min, self.exponents, other.exponents))
        pairs = zip(self._with_exponents(exponents), other._with_exponents(exponents), strict=True)
        entries = tuple(tuple(map(sub, row, other_row)) for row, other_row in pairs)
        rows = self.rows - other.rows
        assert rows >= 0
        assert all(row[place] >= 0 for place, row in enumerate(entries))
        return Gram(rows, exponents, entries).canonical()

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
        the exponent 0, or the largest one below with which the sum of the weights is an integer;
        each other column, from the first to the last, the largest one with which its inner products
        with itself and with the columns before it are integers.
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
            elif square:
                total = _factors_of_two(square) + 2 * self.exponents[0]
                largest.append(min(0, total // 2))
            exponents.append(min(largest) if square else 0)
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

    @property
    def weight(self) -> Fraction:
        """The sum of the weights of the rows: their number if they have none."""
        return self.inner_product(0, 0)

    def chosen(self, places: Sequence[int]) -> "Gram":
        """Return the matrix of some columns, in this order. places: the ones come first."""
        exponents = tuple(self.exponents[place] for place in places)
        entries = tuple(tuple(self.entries[i][j] for j in places) for i in places)
        return Gram(self.rows, exponents, entries)

    def with_whole_weight(self) -> "Gram":
        """Return the matrix of the same rows, with weights 4^n times as large: their sum is whole.

        The ones have exponent 0, and entries[0][0] is the sum. No solution depends on the unit of
        the weights.
        """
        if not self.exponents[0]:
            return self
        gram = self.canonical()
        ones = gram.exponents[0]
        return Gram(gram.rows, tuple(each - ones for each in gram.exponents), gram.entries)

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
        return self.inner_product(i, i) - self.inner_product(0, i) ** 2 / self.weight

    def means(self) -> NDArray[np.float64]:
        """Return the mean of each column except the ones, correctly rounded: [columns − 1]."""
        weight = self.weight
        return np.array([float(self.inner_product(0, i) / weight) for i in self._columns()])

    def deviations(self, centre: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
        """Return the standard deviation of each column except the ones: [columns − 1].

        The root of the variation over the number or the weight of the rows, right to within the
        last digit.
        centre: [columns − 1], to take the deviations from these numbers, and not from the means.
        """
        weight = self.weight
        mean_squares = [self.variation(i) / weight for i in self._columns()]
        if centre is not None:
            for i, point in zip(self._columns(), centre.tolist(), strict=True):
                distance = self.inner_product(0, i) / weight - Fraction(point)
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
