"""For each cluster of rows the sum of the products of residuals and coordinates, in integers."""

import threading

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

UNIT = -61
"""Sums are counted in units of 2^UNIT. The squares of the residuals add up to less than 1, those of
a coordinate to 1: by Cauchy and Schwarz the sizes of their products add up to less than 1."""


class ClusterSums:
    """Sums of e·z over the rows of each cluster. Several threads may add rows, in any order."""

    def __init__(self, clusters: int, coordinates: int) -> None:
        """clusters, coordinates: their numbers; the constant coordinate counts, too."""
        self._columns = np.zeros((coordinates, clusters), np.int64)
        self._lock = threading.Lock()

    @property
    def sums(self) -> Integers:
        """The sums, in units of 2^UNIT: [clusters, coordinates]."""
        return self._columns.T

    def add(
        self, products: Floats, exponent: int, clusters: Integers, times: Floats | None = None
    ) -> None:
        """Add rows. products: e·z in units of 2^exponent: [coordinates, rows]; clusters: [rows].

        times: how often each row counts: [rows]; None: once.
        """
        numbers = products * 2.0 ** (exponent - UNIT)
        units = np.rint(numbers, out=numbers).astype(np.int64)
        if times is not None:
            units *= times.astype(np.int64)
        with self._lock:
            for sums, column in zip(self._columns, units, strict=True):
                np.add.at(sums, clusters, column)

    def in_residuals(self) -> Floats:
        """Return the sums, in the units of the residuals: [clusters, coordinates]."""
        return np.ldexp(self.sums.astype(np.float64), UNIT)
