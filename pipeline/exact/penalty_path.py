"""The penalties to choose from, on a logarithmic scale, and the weights along them.

100 values of l1 or of l2; of both, 100 values of l1 for each of 10 values of l2.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any, Literal

import numpy as np
from flint import arb, ctx
from numpy.typing import NDArray

from pipeline.exact import rounding
from pipeline.exact.cores import one_blas_thread
from pipeline.exact.correlations import Correlations
from pipeline.exact.gram import Gram
from pipeline.exact.penalties import Penalty, solve
from pipeline.exact.rounding import exactly, precision
from pipeline.exact.solutions import Certificate

Floats = NDArray[np.float64]
Penalties = tuple[Penalty, ...]
"""Penalties of one target, the largest first; of both the largest l2 first, with all its l1."""

LENGTH = 100
LARGEST_L2, SMALLEST_L2 = 10**3, Fraction(1, 10**6)
SMALLEST_SHARE, SMALLEST_SHARE_IF_WIDE = Fraction(1, 10**4), Fraction(1, 10**2)
"""The smallest l1 over the largest; if wide, with at least as many columns as rows."""

GRID_LENGTH = 9
LARGEST_L2_OF_GRID, SMALLEST_L2_OF_GRID = 1, Fraction(1, 10**4)
"""Beside 0. Of 128 tables that ship in packages, the best of these pairs has an error (root mean
square, of the folds) 0.02 % above that of a grid with 33 values from 1e-6 to 100, at most 0.5 %;
with whole powers of ten it was up to 1 %, with l1 alone up to 8 %."""

LARGEST_FLOAT = float(np.finfo(np.float64).max)


def paths(
    gram: Gram,
    features: Sequence[str],
    targets: Sequence[str],
    intercept: bool,
    l1: float | Literal["cv"],
    l2: float | Literal["cv"],
) -> tuple[Penalties, ...]:
    """Return the penalties of each target: a path where l1 or l2 is "cv", else a single one.

    Where both are, a path of l1 for each value of l2, which are the same for every table: l2
    multiplies the diagonal of a correlation matrix.

    gram: the Gram matrix of [1 features targets] of all training rows. l1 begins with the smallest
    value with which every weight is 0. Raises ValueError if there are no rows.
    """
    if not gram.rows:
        raise ValueError("there are no rows to choose a penalty from")
    if l1 != "cv":
        values = [l2] if l2 != "cv" else _logarithmic(_largest_l2, SMALLEST_L2 / LARGEST_L2)
        return (tuple(Penalty(l1, value) for value in values),) * len(targets)
    width = len(features)
    places = range(1 + width, 1 + width + len(targets))
    correlations = Correlations(gram, width, places, intercept)
    l2_values = [l2] if l2 != "cv" else [*_l2_of_grid(), 0.0]
    by_target = []
    for target in places:
        l1_values = _l1_values(correlations, target)
        # Where every weight is 0 whatever the penalties are, one pair is enough.
        others = l2_values if len(l1_values) > 1 else l2_values[-1:]
        by_target.append(tuple(Penalty(*pair[::-1]) for pair in product(others, l1_values)))
    return tuple(by_target)


def _largest_l2() -> Any:
    return arb(LARGEST_L2)


def _l2_of_grid() -> list[float]:
    share = SMALLEST_L2_OF_GRID / LARGEST_L2_OF_GRID
    return _logarithmic(lambda: arb(LARGEST_L2_OF_GRID), share, GRID_LENGTH)


def _l1_values(correlations: Correlations, target: int) -> list[float]:
    """Return values of l1; only one if it makes no difference, because no feature correlates."""
    if correlations.is_constant(target):
        return [1.0]
    is_wide = len(correlations.columns) >= correlations.gram.rows
    products = [correlations.product(j, target) for j in correlations.columns]

    def largest() -> Any:
        sizes = [abs(ball) for ball in correlations.with_target(target, ctx.prec)]
        top = max(sizes, key=lambda ball: float(ball.mid())) if any(products) else arb(1)
        for size in sizes:
            top = top.max(size)
        return top * correlations.deviation(target)

    with precision(256):
        first = min(_rounded_up(largest().upper()), LARGEST_FLOAT)
    if not any(products):
        return [first]
    values = _logarithmic(largest, SMALLEST_SHARE_IF_WIDE if is_wide else SMALLEST_SHARE)
    # Descending, without what rounds to 0 or to the same number.
    return [first, *(v for v in dict.fromkeys(values[1:]) if 0 < v < first)]


def _logarithmic(
    first: Callable[[], Any], smallest_share: Fraction, length: int = LENGTH
) -> list[float]:
    """Return `length` values from `first`, a ball, down to a share of it, correctly rounded."""

    def values() -> list[Any]:
        step = arb(smallest_share.numerator) / arb(smallest_share.denominator)
        top = first()
        return [top * step ** (arb(k) / (length - 1)) for k in range(length)]

    return rounding.rounded(values, "float64")


def _rounded_up(point: Any) -> float:
    """Return the smallest float64 that is at least a positive ball without a radius."""
    value, exact = float(point), exactly(point)
    return math.nextafter(value, math.inf) if math.isfinite(value) and value < exact else value


@dataclass(frozen=True, eq=False)
class PathWeights:
    """The solutions of one target along its penalties, on all rows. Each float correctly rounded.

    bias: [penalties]; weight: [penalties, features].
    """

    penalties: Penalties
    bias: Floats
    weight: Floats
    certificates: tuple[Certificate, ...]


def weights_along(
    gram: Gram,
    features: Sequence[str],
    targets: Sequence[str],
    intercept: bool,
    paths: Sequence[Penalties],
) -> tuple[PathWeights, ...]:
    """Return the solutions of each target for each penalty of its path.

    gram: the Gram matrix of [1 features targets]. Raises ValueError if there are no rows.
    """
    if not gram.rows:
        raise ValueError("there are no rows to fit")
    width = len(features)
    places = range(1 + width, 1 + width + len(targets))
    correlations = Correlations(gram, width, places, intercept)
    along = []
    for target, path in zip(places, paths, strict=True):
        coefficients = np.zeros((len(path), 1 + width))
        with one_blas_thread():
            solutions = solve(correlations, target, path)
        for row, solution in zip(coefficients, solutions, strict=True):
            row[list(solution.columns)] = solution.rounded(lambda balls: balls)
        certificates = tuple(solution.certificate for solution in solutions)
        along.append(PathWeights(path, coefficients[:, 0], coefficients[:, 1:], certificates))
    return tuple(along)
