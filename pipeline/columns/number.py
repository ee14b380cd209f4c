"""A column of numbers: as it is, with a fill value for gaps and perhaps an indicator of them."""

import math
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import Field

from pipeline.columns.column import Bools, EmptyColumnError, LearntColumn, Times, Values
from pipeline.columns.median import Count, median
from pipeline.settings.keys.column_settings import NumberSettings
from pipeline.tables.table import numbers, put_numbers

if TYPE_CHECKING:
    from pipeline.exact.gram import Gram


@dataclass(frozen=True)
class NumberStatistics:
    """What the plan is learnt from: of a block, or of several, which add exactly.

    missing, known: numbers of rows. total: for the mean: the Gram matrix of the known values.
    Rows that stand for several equal ones count as these.
    """

    missing: int = 0
    known: int = 0
    smallest: float = math.inf
    largest: float = -math.inf
    total: "Gram | None" = None

    @classmethod
    def of(
        cls,
        settings: NumberSettings,
        values: Values,
        times: Times | None = None,
        summed: bool = False,
    ) -> "NumberStatistics":
        """Return the statistics of a block. values: [rows], NaN for a gap. times: see Times.

        summed: True if the mean is wanted, although no gap is filled with it.
        """
        column = numbers(values)
        # NaN propagates through the minimum: a cheap test of the whole column.
        is_whole = len(column) > 0 and not np.isnan(column.min())
        is_known = slice(None) if is_whole else ~np.isnan(column)
        known, own = column[is_known], None if times is None else times[is_known]
        rows = len(column) if times is None else int(times.sum())
        known_rows = len(known) if own is None else int(own.sum())
        if not len(known):
            return cls(missing=rows)
        total = None
        if settings.missing == "mean" or summed:
            from pipeline.exact.gram_sums import gram_matrix  # with FLINT 30 ms, for means alone

            weights = None if own is None else own.astype(np.float64)
            total = gram_matrix(known[:, None], weights=weights)
        # 0.0 is added because of the two zeros, of which one or the other would come first.
        low, high = float(known.min()) + 0.0, float(known.max()) + 0.0
        return cls(rows - known_rows, known_rows, low, high, total)

    def __add__(self, other: "NumberStatistics") -> "NumberStatistics":
        """Return the statistics of the rows of both."""
        totals = [each.total for each in (self, other) if each.total]
        return NumberStatistics(
            self.missing + other.missing,
            self.known + other.known,
            min(self.smallest, other.smallest),
            max(self.largest, other.largest),
            reduce(add, totals) if totals else None,
        )


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
    mean: Annotated[float | None, Field(exclude_if=lambda mean: mean is None)] = None
    """Mean of the values that are not missing, if the model gets no number of the column itself,
    so that the summary of the table has no sum of them."""

    @classmethod
    def learnt(
        cls,
        name: str,
        settings: NumberSettings,
        of_rows: NumberStatistics,
        count: Count,
        summed: bool = False,
    ) -> "NumberColumn":
        """Return the column that the statistics of the training rows give.

        The mean is the exact sum over the number of rows, the median of an even number of rows the
        mean of the two in the middle; each is rounded once. count: for the median; see there.
        summed: see NumberStatistics.of.
        Raises EmptyColumnError if every value is missing.
        """
        if not of_rows.known:
            raise EmptyColumnError
        fill: float | None = None
        mean = None if of_rows.total is None else float(of_rows.total.means()[0])
        if settings.missing == "mean":
            fill = mean
        elif settings.missing == "median":
            fill = median(of_rows.known, count)
        elif isinstance(settings.missing, float):
            fill = settings.missing
        return cls(
            name=name,
            missing_rows=of_rows.missing,
            fill=fill,
            indicator=settings.indicator,
            min=of_rows.smallest,
            max=of_rows.largest,
            mean=mean if summed else None,
        )

    @property
    def encoded_names(self) -> tuple[str, ...]:
        """See LearntColumn.encoded_names."""
        return (self.name, f"{self.name}[missing]") if self.indicator else (self.name,)

    @property
    def takes_gaps(self) -> bool:
        """See LearntColumn.takes_gaps."""
        return self.fill is not None

    def encode(self, values: Values, out: NDArray[np.float64]) -> Bools:
        """See LearntColumn.encode."""
        put_numbers(values, out[:, 0])
        gaps = np.isnan(out[:, 0])
        if self.indicator:
            out[:, 1] = gaps
        if not gaps.any():
            return gaps
        if self.fill is None:
            out[gaps] = math.nan
            return gaps
        out[gaps, 0] = self.fill
        return np.zeros(len(gaps), np.bool_)

    def in_range(self, values: Values) -> Bools:
        """See LearntColumn.in_range."""
        column = numbers(values)
        inside: Bools = (column >= self.min) & (column <= self.max)
        return inside | np.isnan(column) if self.fill is not None and self.missing_rows else inside
