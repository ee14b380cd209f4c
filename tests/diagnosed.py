"""Fits with the sums over their rows, and the same figures in 600 bits, row by row."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from flint import arb, arb_mat
from numpy.typing import NDArray

from pipeline.exact.cluster_sums import ClusterSums
from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import Fit, fit
from pipeline.exact.rounding import enclose, precision
from pipeline.exact.row_pass import RowPass
from pipeline.exact.row_sums import Diagnosed, RowSums, Weighting

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Diagnosis:
    """A fit with the sums over its rows."""

    fit: Fit
    diagnosed: Diagnosed
    sums: RowSums
    clusters: tuple[ClusterSums, ...]


def diagnosis(
    x: Floats,
    y: Floats,
    intercept: bool = True,
    groups: NDArray[np.int64] | None = None,
    ends: Sequence[int] = (),
    weights: Floats | None = None,
    weighting: Weighting | None = None,
) -> Diagnosis:
    """Return the diagnosis of a fit. ends: of the blocks in which the rows are added, backwards.

    weights: of the rows, counted as `weighting` says.
    """
    y = y.reshape(len(x), -1)
    names = [f"x{place}" for place in range(x.shape[1])]
    targets = [f"y{place}" for place in range(y.shape[1])]
    gram = gram_matrix(x, y, weights=weights)
    if weighting == "frequency":
        gram = replace(gram, rows=int(gram.weight))
    fitted = fit(gram, names, targets, intercept).without_nearly_dependent()
    diagnosed = Diagnosed.of(fitted, weighting)
    size = diagnosed.coordinates
    clusters = tuple(
        ClusterSums(int(groups.max()) + 1, size) for _ in targets if groups is not None
    )
    parts = []
    begins = [0, *ends]
    for begin, end in zip(begins, [*ends, len(x)], strict=True):
        rows = slice(begin, end)
        one = RowPass(diagnosed, clusters)
        of_groups = None if groups is None else groups[rows]
        own = None if weights is None else weights[rows]
        one.add(x[rows], y[rows], begin, of_groups, own)
        parts.append(one.taken())
    return Diagnosis(fitted, diagnosed, reduce(add, reversed(parts)), clusters)


@dataclass(frozen=True)
class InBits:
    """The figures of one target, computed from all rows in 600 bits; the intercept is the last."""

    residual: Floats
    leverage: Floats
    hc1: Floats
    hc3: Floats
    clustered: Floats
    cooks: Floats
    reset: float


def in_bits(x: Floats, y: Floats, groups: NDArray[np.int64] | None = None) -> InBits:
    """Return the figures of the fit of y [rows] to x [rows, features] and a constant.

    groups: the cluster of each row, by default the row itself.
    """
    clusters = (np.arange(len(y)) if groups is None else groups).tolist()
    with precision(600):
        rows = [[*map(_ball, row), arb(1)] for row in x.tolist()]
        target = arb_mat([[_ball(value)] for value in y.tolist()])
        design = arb_mat(rows)
        inverse = (design.transpose() * design).inv()
        hat = design * inverse
        fitted = hat * (design.transpose() * target)
        e = [target[i, 0] - fitted[i, 0] for i in range(len(rows))]
        h = [sum((hat[i, j] * v for j, v in enumerate(row)), arb(0)) for i, row in enumerate(rows)]
        n, k = design.nrows(), design.ncols()

        def errors(sizes: list[Any], factor: Any) -> Floats:
            scaled = arb_mat([[v * s for v in row] for row, s in zip(rows, sizes, strict=True)])
            variance = inverse * (scaled.transpose() * scaled) * inverse
            return np.array([float((variance[j, j] * factor).sqrt().mid()) for j in range(k)])

        sums = [[arb(0)] * k for _ in {*clusters}]
        for row, size, cluster in zip(rows, e, clusters, strict=True):
            sums[cluster] = [a + v * size for a, v in zip(sums[cluster], row, strict=True)]
        number = len(sums)
        of_clusters = inverse * (arb_mat(sums).transpose() * arb_mat(sums)) * inverse
        factor = arb(number) / (number - 1) * (n - 1) / (n - k)
        total = sum((each**2 for each in e), arb(0))
        cooks = [a**2 * b / (1 - b) ** 2 * (n - k) / k / total for a, b in zip(e, h, strict=True)]
        more = [[*row, fitted[i, 0] ** 2, fitted[i, 0] ** 3] for i, row in enumerate(rows)]
        other = arb_mat(more)
        solved = (other.transpose() * other).inv() * (other.transpose() * target)
        rest = target - other * solved
        smaller = sum((rest[i, 0] ** 2 for i in range(n)), arb(0))
        reset = (total - smaller) / 2 / (smaller / (n - k - 2))
        return InBits(
            np.array([float(each.mid()) for each in e]),
            np.array([float(each.mid()) for each in h]),
            errors(e, arb(n) / (n - k)),
            errors([a / (1 - b) for a, b in zip(e, h, strict=True)], arb(1)),
            np.array([float((of_clusters[j, j] * factor).sqrt().mid()) for j in range(k)]),
            np.array([float(each.mid()) for each in cooks]),
            float(reset.mid()),
        )


def _ball(value: float) -> Any:
    return enclose(Fraction(value))


def uneven(rows: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Return features and a target whose errors are larger for larger features."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 4)) * [1, 0.1, 10, 1] + [0, 0, 50, 2]
    errors = random.normal(size=rows) * (0.5 + abs(x[:, 0] + 1))
    return x, x @ [1, 20, 0.3, 4] + errors
