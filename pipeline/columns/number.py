"""A column of numbers: as it is, with a fill value for gaps and perhaps an indicator of them."""

import math
from fractions import Fraction
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.column import Bools, EmptyColumnError, LearntColumn, Values
from pipeline.settings.column_settings import NumberSettings
from pipeline.tables.table import numbers


class NumberColumn(LearntColumn):
    """A column of numbers."""

    arrow_types = (pa.float64(), pa.float32())

    kind: Literal["number"] = "number"
    fill: float | None
    """The number in the place of a gap; null: a gap is refused."""
    indicator: bool
    """True if a second number says whether the value was missing."""
    min: float
    max: float

    @classmethod
    def learn(cls, name: str, settings: NumberSettings, values: Values) -> "NumberColumn":
        """Learn from the training rows. values: [rows], NaN for a gap.

        The mean is the exact sum over the number of rows, the median of an even number of rows the
        mean of the two in the middle; each is rounded once.
        Raises EmptyColumnError if every value is missing.
        """
        column = numbers(values)
        known = column[~np.isnan(column)]
        if not len(known):
            raise EmptyColumnError
        fill: float | None = None
        if settings.missing == "mean":
            from pipeline.exact.gram import gram_matrix  # with FLINT 30 ms, for means alone

            fill = float(gram_matrix(known[:, None]).means()[0])
        elif settings.missing == "median":
            fill = _median(known)
        elif isinstance(settings.missing, float):
            fill = settings.missing
        return cls(
            name=name,
            missing_rows=len(column) - len(known),
            fill=fill,
            indicator=settings.indicator,
            min=float(known.min()),
            max=float(known.max()),
        )

    @property
    def encoded_names(self) -> tuple[str, ...]:
        """See LearntColumn.encoded_names."""
        return (self.name, f"{self.name}[missing]") if self.indicator else (self.name,)

    @property
    def takes_gaps(self) -> bool:
        """See LearntColumn.takes_gaps."""
        return self.fill is not None

    def count_gaps(self, values: Values) -> int:
        """See LearntColumn.count_gaps."""
        return int(np.isnan(numbers(values)).sum())

    def encode(self, values: Values, out: NDArray[np.float64]) -> Bools:
        """See LearntColumn.encode."""
        column = numbers(values)
        gaps = np.isnan(column)
        out[:, 0] = column
        if self.indicator:
            out[:, 1] = gaps
        if self.fill is None:
            out[gaps] = math.nan
            return gaps
        out[gaps, 0] = self.fill
        return np.zeros(len(column), np.bool_)

    def in_range(self, values: Values) -> Bools:
        """See LearntColumn.in_range."""
        column = numbers(values)
        inside: Bools = (column >= self.min) & (column <= self.max)
        return inside | np.isnan(column) if self.fill is not None and self.missing_rows else inside


def _median(values: NDArray[np.float64]) -> float:
    """Return the median, rounded once: the sum of two large numbers may be beyond float64."""
    middle = len(values) // 2
    low = middle - 1 + len(values) % 2
    ordered = np.partition(values, (low, middle))
    return float((Fraction(ordered[low].item()) + Fraction(ordered[middle].item())) / 2)
