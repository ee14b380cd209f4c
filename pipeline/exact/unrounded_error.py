"""The squared error of solutions before any rounding, on any rows, from these rows' Gram matrix."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import arb, arb_mat, fmpq

from pipeline.exact.gram import Gram
from pipeline.exact.normal_equations import FIRST_BITS
from pipeline.exact.rounding import certain, exactly, precision, settled, shift
from pipeline.exact.solutions import Solution

BITS = (FIRST_BITS, 512, 2048, 8192)


def mean_squared_errors(gram: Gram, target: int, solutions: Sequence[Solution]) -> list[float]:
    """Return the mean squared error of each solution, correctly rounded.

    gram: of the rows to measure, at least one, with the columns of the solutions. target: its place
    in the matrix.
    """
    errors: list[float | None] = [None] * len(solutions)
    weight = fmpq(*gram.weight.as_integer_ratio())
    for bits in BITS:
        rounded = settled if bits == BITS[-1] else certain
        undecided = [place for place, error in enumerate(errors) if error is None]
        with precision(bits):
            balls = _squares(gram, target, [solutions[place] for place in undecided])
            for place, ball in zip(undecided, balls, strict=True):
                errors[place] = rounded(ball / weight, "float64")
    return [error for error in errors if error is not None]


def squares(gram: Gram, target: int, solution: Solution) -> Fraction:
    """Return the sum of squared errors of a solution: to some 100 bits, or 0 if it is below 1e-600.

    gram, target: as above.
    """
    for bits in BITS:
        with precision(bits):
            (ball,) = _squares(gram, target, [solution])
            if ball.is_finite() and ball.rel_accuracy_bits() >= FIRST_BITS - 28:
                return exactly(ball.mid())
    return Fraction(0)


def _squares(gram: Gram, target: int, solutions: Sequence[Solution]) -> list[Any]:
    """Return balls, which are not finite where a solution has no digits at this precision."""
    if not solutions:
        return []
    width, exponents = len(gram.exponents), gram.exponents
    factors = arb_mat(len(solutions), width)
    for row, solution in enumerate(solutions):
        try:
            balls = solution.balls()
        except ZeroDivisionError:  # at a higher precision the matrix is not singular
            balls = [arb.nan()] * len(solution.columns)
        for column, ball in zip(solution.columns, balls, strict=True):
            factors[row, column] = shift(ball, exponents[column])
        factors[row, target] = -shift(1, exponents[target])
    products = factors * arb_mat([[arb(entry) for entry in row] for row in gram.entries])
    return [
        sum((factors[row, j] * products[row, j] for j in range(width)), arb(0))
        for row in range(len(solutions))
    ]
