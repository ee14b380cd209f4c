"""The 95 % prediction interval of a linear fit as its numbers: what the ONNX file computes with."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

EPS = float(np.finfo(np.float64).eps)  # twice the unit roundoff


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

    def half_width(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """For x [rows, features]: [rows, targets]. Infinite where a square overflows."""
        return np.sqrt(self._square(x)[0])[:, None] * self.scale

    def rounding_bound(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far two correct evaluations of `half_width` may differ: [rows, targets].

        With e_j = (p + 2) ε Σ_i |x_i − centre_i| |factor_ij| for each z_j and p features, whatever
        the order of sums and with or without fused multiply-add (Higham, *Accuracy and Stability of
        Numerical Algorithms*, 2002, section 3.1), the sums under the root differ by at most
        Σ (2|z_j| + e_j) e_j and their own p + 3 roundings, and the roots by that over a root.
        """
        square, apart = self._square(x)
        with np.errstate(over="ignore", invalid="ignore"):
            root = np.sqrt(square)
            bound: NDArray[np.float64] = (apart / root + 3 * EPS * root)[:, None] * self.scale
        return np.where(np.isfinite(bound), bound, np.inf)

    def _square(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """What stands under the root, and how far two evaluations of it may differ: [rows] each.

        Added up column by column, without BLAS, as `Line.predict`.
        """
        features = len(self.centre)
        with np.errstate(over="ignore", invalid="ignore"):
            offset = x - self.centre
            square = np.full(len(x), self.constant)
            apart = np.zeros(len(x))
            for slopes in self.factor.T:
                z, magnitude = np.zeros(len(x)), np.zeros(len(x))
                for column, slope in zip(offset.T, slopes, strict=True):
                    z += column * slope
                    magnitude += np.abs(column * slope)
                error = (features + 2) * EPS * magnitude
                square += z * z
                apart += (2 * np.abs(z) + error) * error
            return square, apart + (features + 3) * EPS * square
