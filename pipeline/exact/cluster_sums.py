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
        self.sums = np.zeros((clusters, coordinates), np.int64)
        self._lock = threading.Lock()

    def add(self, z: Floats, constant: Floats | None, residual: Floats, clusters: Integers) -> None:
        """Add a block. z: the varying coordinates, [rows, varying]; constant: the other one."""
        order = np.argsort(clusters, kind="stable")
        ordered = clusters[order]
        starts = np.flatnonzero(np.concatenate([[True], ordered[1:] != ordered[:-1]]))
        columns = [*([] if constant is None else [constant]), *z.T]
        sums = np.empty((len(starts), len(columns)), np.int64)
        for place, column in enumerate(columns):
            products = np.ldexp(column * residual, -UNIT)[order]
            sums[:, place] = np.add.reduceat(np.rint(products).astype(np.int64), starts)
        with self._lock:
            self.sums[ordered[starts]] += sums

    def in_residuals(self) -> Floats:
        """Return the sums, in the units of the residuals: [clusters, coordinates]."""
        return np.ldexp(self.sums.astype(np.float64), UNIT)
