"""Mean difference of two models' squared errors on the same rows, with its 95 % interval.

Both models answer the same rows, so a row that is hard for one is hard for the other: the
differences, row by row, scatter much less than the errors do. Their mean has a t distribution with
rows − 1 degrees of freedom (the paired t test).
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pipeline.exact import student
from pipeline.exact.exact_sum import exact_sum
from pipeline.exact.rounding import precision
from pipeline.report.model_errors import TOO_LARGE
from pipeline.settings.errors import UserError

CONFIDENCE = Fraction(95, 100)
FEW_ROWS = 30
"""Of fewer rows the interval is rough: squared errors are skewed, and t takes them for normal."""


@dataclass(frozen=True)
class PairedDifference:
    """Mean squared errors of two models on the same rows.

    first, other: the mean squared error of each. mean: other − first; below 0 the other is better.
    low, high: the 95 % interval of `mean`; None with one row.
    """

    rows: int
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

    def __init__(self) -> None:
        self.rows = 0
        self._shift = 0.0
        self._first = self._other = self._centred = self._squares = Fraction(0)

    def add(self, first: NDArray[np.float64], other: NDArray[np.float64]) -> None:
        """Add the squared errors of some rows: [rows] each.

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
        self.rows += len(first)
        self._first += exact_sum(first)
        self._other += exact_sum(other)
        self._centred += exact_sum(centred)
        self._squares += exact_sum(squares)

    def result(self) -> PairedDifference:
        """Return the paired difference of the rows that were added. There must be one."""
        rows = self.rows
        first, other = self._first / rows, self._other / rows
        mean = float(other - first)
        low = high = None
        if rows > 1:
            variation = max(Fraction(0), self._squares - self._centred**2 / rows)
            error = math.sqrt(variation / (rows - 1) / rows)
            with precision(128):
                t = float(student.quantile(CONFIDENCE, rows - 1).mid())
            low, high = mean - t * error, mean + t * error
        return PairedDifference(rows, float(first), float(other), mean, low, high)
