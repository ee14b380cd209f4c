"""Sums of rows, as data/summary.json has them."""

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.summary import Part
from pipeline.exact.gram import gram_matrix


def part_of(numbers: NDArray[np.float64]) -> Part:
    """Return the sums of rows: [rows, columns]."""
    smallest, largest = numbers.min(axis=0).tolist(), numbers.max(axis=0).tolist()
    return Part(tuple(smallest), tuple(largest), gram_matrix(numbers))
