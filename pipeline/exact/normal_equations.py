"""The normal equations of independent columns, and their solution.

Integers and fractions are computed exactly, all other numbers in balls whose precision doubles
until each ball rounds to one float.
"""

import itertools
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import cached_property
from typing import Any

from flint import arb, arb_mat, fmpz_mat

from pipeline.exact.gram import Gram
from pipeline.exact.rank import independent_columns
from pipeline.exact.rounding import certain, enclose, exactly, precision, settled, shift

FIRST_BITS = 128
# A ball that still rounds to two floats at this precision holds a zero or a tie.
TIE_BITS = 4096

# With more columns, sums of squares are not computed as fractions, which would grow too long.
MOST_COLUMNS_OF_FRACTIONS = 64


class NormalEquations:
    """XᵀX β = Xᵀy for the independent columns of a table and some targets, as integers."""

    def __init__(self, gram: Gram, columns: tuple[int, ...], targets: tuple[int, ...]) -> None:
        """gram: the Gram matrix of [1 ...]; columns, targets: places in it.

        The columns are independent and in order.
        """
        self.gram, self.columns, self.targets = gram, columns, targets
        self._solutions: dict[int, BallSolution] = {}

    @property
    def place_of_ones(self) -> int | None:
        """Place of the column of ones among the columns; None if it is not one of them."""
        return 0 if self.columns and self.columns[0] == 0 else None

    @cached_property
    def perfect(self) -> list[bool]:
        """For each target, True if it is a combination of the columns: no residual is left."""
        return [
            target in independent_columns(self.gram, [*self.columns, target])[1]
            for target in self.targets
        ]

    @cached_property
    def exact(self) -> list[list[Fraction]]:
        """The solution as fractions: for each target, the coefficient of each column."""
        entries, exponents = self.gram.entries, self.gram.exponents
        left = fmpz_mat([[entries[i][j] for j in self.columns] for i in self.columns])
        right = fmpz_mat([[entries[i][j] for j in self.targets] for i in self.columns])
        solution = left.solve(right)
        return [
            [
                Fraction(int(solution[i, j].p), int(solution[i, j].q))
                * Fraction(2) ** (exponents[target] - exponents[column])
                for i, column in enumerate(self.columns)
            ]
            for j, target in enumerate(self.targets)
        ]

    @cached_property
    def exact_squares(self) -> list[Fraction]:
        """The residual sum of squares of each target as a fraction."""
        inner_product = self.gram.inner_product
        return [
            inner_product(target, target)
            - sum(
                (
                    coefficient * inner_product(column, target)
                    for coefficient, column in zip(coefficients, self.columns, strict=True)
                ),
                Fraction(0),
            )
            for coefficients, target in zip(self.exact, self.targets, strict=True)
        ]

    def squares(self) -> tuple[Fraction, ...]:
        """Return the residual sums of squares: exact for few columns, else to FIRST_BITS."""
        if len(self.columns) <= MOST_COLUMNS_OF_FRACTIONS:
            return tuple(self.exact_squares)
        for bits in self.precisions():
            with precision(bits):
                balls = self.at(bits).squares
                if all(b.is_zero() or b.rel_accuracy_bits() >= FIRST_BITS for b in balls):
                    return tuple(exactly(ball.mid()) for ball in balls)
        raise AssertionError("unreachable: there are always more bits")

    def precisions(self) -> Iterator[int]:
        """Yield numbers of bits to compute with, each twice the number before, without end.

        At a number that is left out the matrix cannot be told from a singular one.
        """
        for doubling in itertools.count():
            bits = FIRST_BITS << doubling
            with precision(bits):
                try:
                    self.at(bits)
                except ZeroDivisionError:
                    continue
            yield bits

    def at(self, bits: int) -> "BallSolution":
        """Return the solution at a precision of `bits`, which must be the working precision."""
        if bits not in self._solutions:
            self._solutions[bits] = BallSolution(self)
        return self._solutions[bits]

    def rounded(
        self, numbers: Callable[["BallSolution"], list[Any]], dtype: str = "float64"
    ) -> list[float]:
        """Return the balls that `numbers` computes from the solution, correctly rounded."""
        for bits in self.precisions():
            with precision(bits):
                values = [certain(ball, dtype) for ball in numbers(self.at(bits))]
                if None not in values:
                    return [value for value in values if value is not None]
            if bits >= TIE_BITS:
                break
        # Only zeros and ties are left, which the solution as fractions settles; and balls without
        # digits, because the matrix is nearly singular at these bits, too: they get more bits.
        for bits in self.precisions():
            if bits < TIE_BITS:
                continue
            with precision(bits):
                balls = numbers(BallSolution(self, exact=True))
                if all(
                    certain(ball, dtype) is not None or ball.rel_accuracy_bits() >= TIE_BITS // 2
                    for ball in balls
                ):
                    return [settled(ball, dtype) for ball in balls]
        raise AssertionError("unreachable: there are always more bits")


class BallSolution:
    """Solution in balls; the working precision must be the same when it is made and used.

    Columns and targets are scaled by powers of two to lengths near 1.
    """

    def __init__(self, equations: NormalEquations, exact: bool = False) -> None:
        """exact: enclose the solution as fractions, instead of solving in balls.

        Raises ZeroDivisionError if the matrix cannot be told from a singular one.
        """
        self._equations, self._exact = equations, exact
        entries, columns = equations.gram.entries, equations.columns
        scales = self._scales(columns)
        rows = [
            [shift(entries[i][j], a + b) for j, b in zip(columns, scales, strict=True)]
            for i, a in zip(columns, scales, strict=True)
        ]
        self.scaled_matrix = arb_mat(rows) if columns else arb_mat(0, 0)
        self.scaled_inverse = self.scaled_matrix.inv()
        # A coefficient of a scaled column, shifted by its unit, is the coefficient of the column.
        self._units = [
            scale - equations.gram.exponents[i] for i, scale in zip(columns, scales, strict=True)
        ]

    def _scales(self, columns: tuple[int, ...]) -> list[int]:
        entries = self._equations.gram.entries
        return [-(entries[i][i].bit_length() // 2) for i in columns]

    @cached_property
    def inverse(self) -> Any:
        """The inverse of the Gram matrix of the columns: an arb_mat."""
        inverse = self.scaled_inverse * 1
        for i, a in enumerate(self._units):
            for j, b in enumerate(self._units):
                inverse[i, j] = shift(self.scaled_inverse[i, j], a + b)
        return inverse

    @cached_property
    def _right(self) -> list[list[Any]]:
        """The scaled right-hand side of each target."""
        equations = self._equations
        entries, columns, targets = equations.gram.entries, equations.columns, equations.targets
        return [
            [
                shift(entries[i][target], a + b)
                for i, a in zip(columns, self._scales(columns), strict=True)
            ]
            for target, b in zip(targets, self._scales(targets), strict=True)
        ]

    @cached_property
    def _scaled_solution(self) -> list[list[Any]]:
        places = range(len(self._units))
        return [
            [sum((self.scaled_inverse[i, k] * right[k] for k in places), arb(0)) for i in places]
            for right in self._right
        ]

    @cached_property
    def solution(self) -> list[list[Any]]:
        """For each target, the coefficient of each column."""
        equations = self._equations
        if self._exact:
            return [[enclose(value) for value in column] for column in equations.exact]
        exponents, targets = equations.gram.exponents, equations.targets
        return [
            [
                shift(value, unit + exponents[target] - scale)
                for value, unit in zip(scaled, self._units, strict=True)
            ]
            for scaled, target, scale in zip(
                self._scaled_solution, targets, self._scales(targets), strict=True
            )
        ]

    @cached_property
    def squares(self) -> list[Any]:
        """The residual sum of squares of each target."""
        equations = self._equations
        if self._exact:
            return [enclose(value) for value in equations.exact_squares]
        entries, exponents = equations.gram.entries, equations.gram.exponents
        squares = []
        for place, (target, scale) in enumerate(
            zip(equations.targets, self._scales(equations.targets), strict=True)
        ):
            terms = zip(self._scaled_solution[place], self._right[place], strict=True)
            explained = sum((value * right for value, right in terms), arb(0))
            rest = shift(entries[target][target], 2 * scale) - explained
            squares.append(
                arb(0) if equations.perfect[place] else shift(rest, 2 * (exponents[target] - scale))
            )
        return squares

    def coefficients(self) -> list[Any]:
        """Return the coefficients of each target, one target after the other."""
        return [coefficient for column in self.solution for coefficient in column]
