"""For each cluster of rows the sum of the products of residuals and coordinates, in integers."""

import threading

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

UNIT = -61
"""Sums are counted in units of 2^UNIT. The squares of the residuals add up to less than 1, those of
a coordinate to 1: by Cauchy and Schwarz the sizes of their products add up to less than 1."""


def in_units(z: Floats, residual: Floats) -> Floats:
    """Return the products of coordinates [coordinates, rows] and residuals: [rows, coordinates]."""
    products = z * residual
    products *= 2.0**-UNIT
    return np.rint(products, out=products).T


class ClusterSums:
    """Sums of e·z over the rows of each cluster. Several threads may add rows, in any order."""

    def __init__(self, clusters: int, coordinates: int) -> None:
        """clusters, coordinates: their numbers; the constant coordinate counts, too."""
        self.sums = np.zeros((clusters, coordinates), np.int64)
        self._lock = threading.Lock()

    def add(self, products: Integers, clusters: Integers) -> None:
        """Add a block. products: e·z in units: [rows, coordinates]; clusters: [rows]."""
        if len(self.sums) <= 1 << 16:
            clusters = clusters.astype(np.uint16)  # which NumPy sorts in a tenth of the time
        order = np.argsort(clusters, kind="stable")
        ordered = clusters[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        sums = np.add.reduceat(products[order], starts, axis=0)
        with self._lock:
            self.sums[ordered[starts]] += sums

    def in_residuals(self) -> Floats:
        """Return the sums, in the units of the residuals: [clusters, coordinates]."""
        return np.ldexp(self.sums.astype(np.float64), UNIT)
