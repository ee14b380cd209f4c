"""The condition number of a design matrix, and its Gram matrix with columns scaled to length 1."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.normal_equations import BallSolution, NormalEquations
from pipeline.exact.rounding import precision

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class UnitLength:
    """The Gram matrix of columns scaled to length 1, and its inverse M, to some 12 digits."""

    gram: Floats
    """[columns, columns]"""
    inverse: Floats
    """[columns, columns]: M_ij / √(M_ii M_jj), between −1 and 1"""
    roots: Floats
    """[columns]: √M_ii, at most 1e300. The residual of column i from the other columns has the
    length 1 / √M_ii."""

    @classmethod
    def of(cls, equations: NormalEquations) -> "UnitLength":
        """Compute the matrices of the columns of `equations`."""
        columns = range(len(equations.columns))

        def numbers(balls: BallSolution) -> list[Any]:
            gram, inverse = balls.scaled_matrix, balls.scaled_inverse
            lengths = [gram[i, i].sqrt() for i in columns]
            roots = [inverse[i, i].sqrt() for i in columns]
            return [
                *(gram[i, j] / (lengths[i] * lengths[j]) for i in columns for j in columns),
                *(inverse[i, j] / (roots[i] * roots[j]) for i in columns for j in columns),
                *(length * root for length, root in zip(lengths, roots, strict=True)),
            ]

        for bits in equations.precisions():
            with precision(bits):
                balls = numbers(equations.at(bits))
                # Not correctly rounded, because only four digits are shown. Not from fractions,
                # which for hundreds of columns would take longer than everything else.
                if all(b.is_finite() and b.rad() < abs(b.mid()) * 2**-40 + 2**-60 for b in balls):
                    break
        values = np.array([min(float(ball.mid()), 1e300) for ball in balls])
        size = len(columns)
        gram, inverse = values[: 2 * size**2].reshape(2, size, size)
        return cls(gram, inverse, values[2 * size**2 :])


def condition_number(unit: UnitLength) -> float:
    """Return the condition number of a design matrix with columns scaled to length 1.

    The ratio of its largest to its smallest singular value (Belsley, Kuh and Welsch, *Regression
    Diagnostics*, 1980), to four digits; 1 without a column.
    """
    if not len(unit.roots):
        return 1.0
    share = unit.roots / unit.roots.max()
    # The largest eigenvalue of a matrix is computed to nearly all digits, the smallest is not.
    largest = np.linalg.eigvalsh(unit.gram)[-1]
    largest_of_inverse = np.linalg.eigvalsh(share[:, None] * unit.inverse * share)[-1]
    return float(f"{unit.roots.max() * math.sqrt(largest * largest_of_inverse):.4g}")
