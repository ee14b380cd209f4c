"""Mean difference of two models' squared errors on the same rows or folds, with its 95 % interval.

Both models answer the same rows, so a row that is hard for one is hard for the other: the
differences, row by row, scatter much less than the errors do. Their mean has a t distribution with
rows − 1 degrees of freedom (the paired t test). With weights it is the weighted mean: frequencies
count as rows; of precisions the variance is that of a ratio, n/(n − 1) · Σ w²(d − mean)² / (Σ w)²,
which holds whatever the variances of the differences are, and which is the other one if all are 1.

Differences of folds are not independent, because the fits of folds share training rows: their mean
scatters more than it seems to. The corrected interval is that of Nadeau and Bengio, *Inference for
the generalization error*, Machine Learning 52, 2003.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pipeline.exact import student
from pipeline.exact.exact_sum import exact_sum, weighted_sum
from pipeline.exact.rounding import precision
from pipeline.measures.model_errors import TOO_LARGE
from pipeline.settings.errors import UserError
from pipeline.settings.keys.weight_settings import Weights

CONFIDENCE = Fraction(95, 100)
FEW_ROWS = 30
"""Of fewer rows the interval is rough: squared errors are skewed, and t takes them for normal."""


@dataclass(frozen=True)
class PairedDifference:
    """Mean squared errors of two models on the same rows, or in the same folds.

    pairs: number of rows, or of folds. first, other: the mean squared error of each. mean: other −
    first; below 0 the other is better. low, high: the 95 % interval of `mean`; None with one pair.
    """

    pairs: int
    first: float
    other: float
    mean: float
    low: float | None
    high: float | None

    @property
    def is_noise(self) -> bool:
        """True if the interval contains 0, or if there is no interval."""
        return self.low is None or self.high is None or self.low <= 0 <= self.high


class DifferenceSums:
    """Sums over rows, from which the paired difference is computed. Blocks may have any size."""

    def __init__(self, weights: Weights | None = None) -> None:
        """weights: what the weights of the rows are, if they have weights."""
        self.rows = 0
        self._frequencies = weights is not None and weights.are_frequencies
        self._weight = Fraction(0)
        self._shift = 0.0
        self._first = self._other = self._centred = self._squares = Fraction(0)
        # For the variance of a ratio: Σ w², Σ w² d and Σ w² d².
        self._of_squares = [Fraction(0)] * 3

    def add(
        self,
        first: NDArray[np.float64],
        other: NDArray[np.float64],
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        """Add the squared errors of some rows: [rows] each. weights: of these rows.

        Raises UserError if one is beyond what float64 holds.
        """
        if not len(first):
            return
        differences = other - first
        if not self.rows:
            # Around any value near their mean, the squares lose no digits.
            self._shift = float(differences[0])
        with np.errstate(over="ignore", invalid="ignore"):
            centred = differences - self._shift
            squares = centred * centred
        if not (
            np.isfinite(first).all() and np.isfinite(other).all() and np.isfinite(squares).all()
        ):
            raise UserError(TOO_LARGE)
        weight = Fraction(len(first)) if weights is None else exact_sum(weights)
        self.rows += int(weight) if self._frequencies else len(first)
        self._weight += weight
        sums = [_weighted(each, weights) for each in (first, other, centred, squares)]
        self._first += sums[0]
        self._other += sums[1]
        self._centred += sums[2]
        self._squares += sums[3]
        if weights is not None and not self._frequencies:
            roots = weights * weights
            new = [exact_sum(roots), _weighted(centred, roots), _weighted(squares, roots)]
            self._of_squares = [a + b for a, b in zip(self._of_squares, new, strict=True)]

    def result(self) -> PairedDifference:
        """Return the paired difference of the rows that were added. There must be one."""
        rows, weight = self.rows, self._weight
        first, other = self._first / weight, self._other / weight
        mean = float(other - first)
        low = high = None
        if rows > 1:
            if any(self._of_squares):
                total, linear, square = self._of_squares
                centre = self._centred / weight
                scatter = square - 2 * centre * linear + centre**2 * total
                variance = max(Fraction(0), scatter) * rows / (rows - 1) / weight**2
            else:
                variation = max(Fraction(0), self._squares - self._centred**2 / rows)
                variance = variation / (rows - 1) / rows
            reach = _quantile(rows - 1) * math.sqrt(variance)
            low, high = mean - reach, mean + reach
        return PairedDifference(rows, float(first), float(other), mean, low, high)


def _weighted(values: NDArray[np.float64], weights: NDArray[np.float64] | None) -> Fraction:
    return weighted_sum(values[:, None], weights)


def in_folds(
    first: Sequence[float], other: Sequence[float], sizes: Sequence[tuple[int, int]]
) -> PairedDifference:
    """Return the paired difference of the mean squared errors in at least two folds.

    first, other: [folds]. sizes: numbers of training rows and of test rows of each fold. The
    variance of the differences is not divided by the folds J but multiplied with 1/J + ρ/(1 − ρ),
    where ρ, the correlation of two folds' differences, is taken as the test rows' share of a fold's
    rows. For equal folds that is 1/J + test rows/training rows, as Nadeau and Bengio have it; for
    others ρ is the mean share, since Var(mean) and E(variance) depend on the mean correlation
    alone.
    """
    folds = len(sizes)
    before, after = (sum(map(Fraction, errors)) / folds for errors in (first, other))
    differences = [Fraction(b) - Fraction(a) for a, b in zip(first, other, strict=True)]
    mean = after - before
    variance = sum((each - mean) ** 2 for each in differences) / (folds - 1)
    share = sum(Fraction(test, training + test) for training, test in sizes) / folds
    reach = _quantile(folds - 1) * math.sqrt(variance * (Fraction(1, folds) + share / (1 - share)))
    ends = float(mean) - reach, float(mean) + reach
    return PairedDifference(folds, float(before), float(after), float(mean), *ends)


def _quantile(degrees_of_freedom: int) -> float:
    with precision(128):
        return float(student.quantile(CONFIDENCE, degrees_of_freedom).mid())
