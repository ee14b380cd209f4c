"""The 95 % prediction interval of a linear fit as its numbers: what the ONNX file computes with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EPS = float(np.finfo(np.float64).eps)  # twice the unit roundoff
BLOCK = 4096  # rows that are computed at a time


@dataclass(frozen=True)
class Interval:
    """How far a 95 % prediction interval reaches to either side, in float64.

    scale · √(constant + |(x − centre) · factor|²): a sum of squares, so that no rounding makes it
    negative, whatever the columns' correlation.
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
        """How far it reaches at x [rows, features], and by how much two evaluations may differ.

        [rows, targets] each; infinite where a square overflows.
        With e_j = (p + 2) ε Σ_i |x_i − centre_i| |factor_ij| for each z_j and p features, whatever
        the order of sums and with or without fused multiply-add (Higham, *Accuracy and Stability of
        Numerical Algorithms*, 2002, section 3.1), the sums under the root differ by at most
        Σ (2|z_j| + e_j) e_j and their own p + 3 roundings, and the roots by that over a root.
        """
        square, apart = np.empty(len(x)), np.empty(len(x))
        for begin in range(0, len(x), BLOCK):
            rows = slice(begin, begin + BLOCK)
            square[rows], apart[rows] = self._square(x[rows])
        with np.errstate(over="ignore", invalid="ignore"):
            root = np.sqrt(square)
            reach = root[:, None] * self.scale
            bound = (apart / root + 3 * EPS * root)[:, None] * self.scale
        return reach, np.where(np.isfinite(bound), bound, np.inf)

    def _square(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What stands under the root, and how far two evaluations of it may differ: [rows] each.

        Added up term by term, without BLAS, so that the bits are the same on every CPU.
        """
        features = len(self.centre)
        z, magnitude = np.zeros(x.shape), np.zeros(x.shape)
        with np.errstate(over="ignore", invalid="ignore"):
            # Below the diagonal, that is, each feature up to its own column.
            for count, (column, slopes) in enumerate(
                zip((x - self.centre).T, self.factor, strict=True), 1
            ):
                term = column[:, None] * slopes[:count]
                z[:, :count] += term
                magnitude[:, :count] += np.abs(term)
            square, apart = np.full(len(x), self.constant), np.zeros(len(x))
            for part, size in zip(z.T, magnitude.T, strict=True):
                error = (features + 2) * EPS * size
                square += part * part
                apart += (2 * np.abs(part) + error) * error
            return square, apart + (features + 3) * EPS * square
