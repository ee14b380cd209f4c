"""The 95 % prediction interval of a linear fit as numbers, and the rounding error of using them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EPS = float(np.finfo(np.float64).eps)  # twice the unit roundoff
NUMBERS_AT_A_TIME, FEWEST_ROWS, MOST_ROWS = 2**17, 256, 4096
"""Rows of a block: its arrays stay in the cache, which makes 300 features three times faster."""


@dataclass(frozen=True)
class Interval:
    """Half the width of the 95 % prediction interval as a function of x, in float64.

    scale · √(constant + |(x − centre) · factor|²): a sum of squares, so that no rounding makes it
    negative, whatever the correlation of the columns.
    """

    centre: NDArray[np.float64]
    """[features]: the means of the training rows, or zeros without an intercept"""
    factor: NDArray[np.float64]
    """[features, features], lower triangular: times its transpose it is the inverse of the Gram
    matrix of the columns around `centre`"""
    constant: float
    """1 for the new measurement's own scatter, and 1/rows for the intercept if there is one"""
    scale: NDArray[np.float64]
    """[targets]: the residual standard error times the t of 95 %"""

    def half_width(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return half the width at x [rows, features], and a bound of its rounding error.

        [rows, targets] each; infinite where a square overflows. Two evaluations in float64 differ
        by no more than the bound, whatever the order of sums and with or without fused
        multiply-add (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, section 3.1).
        With e_j = (p + 2) ε Σ_i |x_i − centre_i| |factor_ij| for each z_j and p features, the sums
        under the root differ by at most Σ (2|z_j| + e_j) e_j and p + 3 roundings of their own, and
        the roots by the difference of the sums over a root.
        """
        square, square_bound = np.empty(len(x)), np.empty(len(x))
        size = NUMBERS_AT_A_TIME // max(1, len(self.centre))
        size = min(max(size, FEWEST_ROWS), MOST_ROWS)
        for begin in range(0, len(x), size):
            rows = slice(begin, begin + size)
            square[rows], square_bound[rows] = self._square(x[rows])
        with np.errstate(over="ignore", invalid="ignore"):
            root = np.sqrt(square)
            half_width = root[:, None] * self.scale
            bound = (square_bound / root + 3 * EPS * root)[:, None] * self.scale
        return half_width, np.where(np.isfinite(bound), bound, np.inf)

    def change(self, differences: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return by how much half the width changes at the most if each x changes by so much.

        differences: [rows, features]; the result: [rows, targets]. A root of a sum of squares
        changes by no more than the root of the sum of squares of the changes.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            sizes = np.zeros(differences.shape)
            for column, slopes in zip(differences.T, np.abs(self.factor), strict=True):
                sizes += column[:, None] * slopes
            root = np.sqrt((sizes * sizes).sum(axis=1))
            change = root[:, None] * self.scale * (1 + EPS * len(self.centre))
        return np.where(np.isnan(change), np.inf, change)

    def _square(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the number under the root, and a bound of its rounding error: [rows] each.

        Terms are added one by one, without BLAS, so that the bits are the same on every CPU.
        """
        features = len(self.centre)
        z, magnitude = np.zeros(x.shape), np.zeros(x.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            # Lower triangular: feature number `count` has that many factors.
            for count, (column, slopes) in enumerate(
                zip((x - self.centre).T, self.factor, strict=True), 1
            ):
                term = column[:, None] * slopes[:count]
                z[:, :count] += term
                magnitude[:, :count] += np.abs(term)
            square, bound = np.full(len(x), self.constant), np.zeros(len(x))
            for z_j, magnitude_j in zip(z.T, magnitude.T, strict=True):
                error = (features + 2) * EPS * magnitude_j
                square += z_j * z_j
                bound += (2 * np.abs(z_j) + error) * error
            return square, bound + (features + 3) * EPS * square
