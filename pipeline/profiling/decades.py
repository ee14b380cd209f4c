"""Columns of numbers above 0 that span decades, and of which a logarithm is less lopsided."""

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.elementary import log
from pipeline.profiling.columns import Column

LEAST_RATIO = 100.0
"""Of the largest to the smallest number: two decades."""
LEAST_DISTINCT = 20
LEAST_SKEWNESS = 1.0
"""A distribution without one is 0; the exponential distribution has 2."""


def of(column: Column) -> str | None:
    """Return how far the numbers are apart: `the largest is 1,200 times the smallest`.

    None if a number is not above 0, if they span less than two decades, or if their logarithms are
    not much less lopsided (skewness) than they are.
    """
    if not column.low > 0 or not LEAST_RATIO <= column.high / column.low < np.inf:
        return None
    counted = [(_number(text), rows) for text, rows in column.values.items()]
    known = np.array([(value, rows) for value, rows in counted if value > 0], np.float64)
    if len(known) < LEAST_DISTINCT or len(known) < len(counted):
        return None
    values, rows = known[:, 0], known[:, 1]
    before, after = _skewness(values, rows), _skewness(log(values), rows)
    if before < LEAST_SKEWNESS or 2 * abs(after) > before:
        return None
    return f"the largest is {column.high / column.low:,.0f} times the smallest"


def _number(text: str) -> float:
    """Return the number that a text is, or 0 if it is none without the marks of the file."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def _skewness(values: NDArray[np.float64], rows: NDArray[np.float64]) -> float:
    """Return the third standardized moment. rows: number of rows of each value."""
    scaled = values / np.abs(values).max(initial=1e-300)
    offset = scaled - np.average(scaled, weights=rows)
    square = np.average(offset**2, weights=rows)
    return float(np.average(offset**3, weights=rows) / square**1.5) if square else 0.0
