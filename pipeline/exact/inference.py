"""Standard errors, tests and 95 % intervals of a least-squares solution, in balls.

Errors are taken as independent, normally distributed and of one size. Each function takes a
solution at the working precision and the degrees of freedom of the residuals, at least one.
"""

import functools
import itertools
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from flint import arb, ctx

from pipeline.exact import student
from pipeline.exact.normal_equations import BallSolution
from pipeline.exact.rounding import enclose

CONFIDENCE = Fraction(95, 100)


def residual_std_errors(balls: BallSolution, degrees_of_freedom: int) -> list[Any]:
    """Return the residual standard error of each target."""
    return [(squares / degrees_of_freedom).sqrt() for squares in balls.squares]


def std_errors(balls: BallSolution, degrees_of_freedom: int) -> list[Any]:
    """Return the standard errors of the coefficients, one target after the other."""
    variances = [balls.inverse[i, i] for i in range(balls.inverse.nrows())]
    return [(s / degrees_of_freedom * v).sqrt() for s in balls.squares for v in variances]


def t_values(balls: BallSolution, degrees_of_freedom: int) -> list[Any]:
    """Return each coefficient over its standard error; zero where there is no error."""
    pairs = zip(balls.coefficients(), std_errors(balls, degrees_of_freedom), strict=True)
    return [arb(0) if error.is_zero() else value / error for value, error in pairs]


def p_values(balls: BallSolution, degrees_of_freedom: int) -> list[Any]:
    """Return the two-sided p-value of each coefficient."""
    return [student.p_value(t, degrees_of_freedom) for t in t_values(balls, degrees_of_freedom)]


def confidence_ends(balls: BallSolution, degrees_of_freedom: int, side: int) -> list[Any]:
    """Return the lower (side −1) or upper (side 1) end of each coefficient's interval."""
    reach = _quantile(degrees_of_freedom, ctx.prec) * side
    pairs = zip(balls.coefficients(), std_errors(balls, degrees_of_freedom), strict=True)
    return [value + error * reach for value, error in pairs]


def answers(
    balls: BallSolution, degrees_of_freedom: int, query: Sequence[Fraction]
) -> list[list[Any]]:
    """Return the answer to each target, and the low and high ends of the prediction intervals.

    query: the value of each independent column. Without degrees of freedom there are no ends.
    """
    x = [enclose(value) for value in query]
    values = [
        sum((a * b for a, b in zip(x, column, strict=True)), arb(0)) for column in balls.solution
    ]
    if not degrees_of_freedom:
        return [values]
    variance = arb(1)
    for i, a in enumerate(x):
        variance += a * sum((balls.inverse[i, j] * b for j, b in enumerate(x)), arb(0))
    quantile = _quantile(degrees_of_freedom, ctx.prec)
    half_widths = [(s / degrees_of_freedom * variance).sqrt() * quantile for s in balls.squares]
    return [
        values,
        [value - half for value, half in zip(values, half_widths, strict=True)],
        [value + half for value, half in zip(values, half_widths, strict=True)],
    ]


def interval_numbers(balls: BallSolution, degrees_of_freedom: int, intercept: bool) -> list[Any]:
    """Return `factor`, row by row, and `scale` of an `Interval`; the columns are all kept.

    The factor is the Cholesky factor of the inverse without the intercept's row and column.
    """
    size = range(int(intercept), balls.inverse.nrows())
    factor = cholesky([[balls.inverse[i, j] for j in size] for i in size])
    quantile = _quantile(degrees_of_freedom, ctx.prec)
    scale = [error * quantile for error in residual_std_errors(balls, degrees_of_freedom)]
    return [*itertools.chain(*factor), *scale]


def cholesky(matrix: list[list[Any]]) -> list[list[Any]]:
    """Return the lower triangular matrix whose product with its transpose is `matrix`."""
    lower = [[arb(0)] * len(matrix) for _ in matrix]
    for j, row in enumerate(lower):
        pivot = matrix[j][j] - sum((entry * entry for entry in row[:j]), arb(0))
        row[j] = pivot.sqrt()
        for i in range(j + 1, len(matrix)):
            rest = sum((a * b for a, b in zip(lower[i][:j], row[:j], strict=True)), arb(0))
            lower[i][j] = (matrix[i][j] - rest) / row[j]
    return lower


@functools.cache
def _quantile(degrees_of_freedom: int, bits: int) -> Any:
    """Return the t of CONFIDENCE at the working precision, which is `bits`."""
    assert bits == ctx.prec
    return student.quantile(CONFIDENCE, degrees_of_freedom)
