"""Least squares with penalties, without rounding error: ridge, lasso and elastic net.

With n rows, V_j the variation of feature j around its mean and β̃_j = β_j · √(V_j / n), the weights
of a target minimise

    RSS / (2 n) + l1 · Σ |β̃_j| + l2 / 2 · Σ β̃_j²

The intercept is not penalized. Penalties are on standardized columns, as glmnet has them (Friedman,
Hastie and Tibshirani, *Regularization Paths for Generalized Linear Models via Coordinate Descent*,
Journal of Statistical Software 33, 2010). scikit-learn's `alpha` on standardized columns is n · l2
for Ridge, l1 for Lasso; for ElasticNet it is l1 + l2, with l1_ratio = l1 / (l1 + l2). A constant
feature gets the weight 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from itertools import groupby
from typing import Any, Literal

import numpy as np
from flint import arb
from numpy.typing import NDArray

from pipeline.exact import least_squares, unrounded_error
from pipeline.exact.cores import one_blas_thread
from pipeline.exact.correlations import Correlations, Floats
from pipeline.exact.gram import Gram
from pipeline.exact.lasso import Lasso
from pipeline.exact.normal_equations import NormalEquations
from pipeline.exact.rounding import enclose
from pipeline.exact.solutions import Certificate, Plain, Ridge, RidgePath, Solution


@dataclass(frozen=True)
class Penalty:
    """A penalty on standardized columns: l1 · Σ |β̃| + l2 / 2 · Σ β̃². Both are 0 or more."""

    l1: float = 0.0
    l2: float = 0.0


@dataclass(frozen=True, eq=False)
class PenalizedFit:
    """The penalized solution of each target. Each float is correctly rounded if it is proven.

    Arrays are float64 [targets] or [targets, features].
    """

    features: tuple[str, ...]
    targets: tuple[str, ...]
    intercept: bool
    penalties: tuple[Penalty, ...]
    """The penalty of each target."""
    gram: Gram = field(repr=False)
    """The Gram matrix of [1 features targets]."""
    solutions: tuple[Solution, ...] = field(repr=False)
    dropped: frozenset[str]
    """Names of constant features, and without any penalty of dependent ones: their weight is 0."""

    @property
    def rows(self) -> int:
        """Number of rows of the table."""
        return self.gram.rows

    @property
    def certificates(self) -> tuple[Certificate, ...]:
        """How the solution of each target is known to be right."""
        return tuple(solution.certificate for solution in self.solutions)

    @cached_property
    def _coefficients(self) -> Floats:
        """Biases and weights: [targets, 1 + features]."""
        array = np.zeros((len(self.targets), 1 + len(self.features)))
        for row, solution in zip(array, self.solutions, strict=True):
            row[list(solution.columns)] = solution.rounded(lambda balls: balls)
        return array

    @property
    def weight(self) -> Floats:
        """Weights: [targets, features]."""
        return self._coefficients[:, 1:]

    @property
    def bias(self) -> Floats:
        """Biases: [targets]; 0 without an intercept."""
        return self._coefficients[:, 0]

    @property
    def nonzero(self) -> tuple[int, ...]:
        """Number of weights of each target that are not 0."""
        return tuple(np.count_nonzero(self.weight, axis=1).tolist())

    @cached_property
    def squares(self) -> tuple[Fraction, ...]:
        """Residual sum of squares of each target, on the rows of the fit, to some 100 bits."""
        return tuple(
            unrounded_error.squares(self.gram, 1 + len(self.features) + place, solution)
            for place, solution in enumerate(self.solutions)
        )

    def shipped(
        self, dtype: str, centre: Floats | None = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return weight [targets, features] and bias [targets], rounded once to `dtype`.

        centre: [features], by default zeros, in y = weight · (x − centre) + bias.
        """
        width = len(self.features)
        centres = [Fraction(c) for c in (np.zeros(width) if centre is None else centre).tolist()]
        points = [Fraction(1), *centres]
        array = np.zeros((len(self.targets), 1 + width), dtype)
        for row, solution in zip(array, self.solutions, strict=True):
            columns = solution.columns
            weights = [place for place, column in enumerate(columns) if column]

            def numbers(b: list[Any], of: Sequence[int] = columns, w: Any = weights) -> list[Any]:
                at_centre = (v * enclose(points[c]) for v, c in zip(b, of, strict=True))
                return [sum(at_centre, arb(0)), *(b[place] for place in w)]

            row[[0, *(columns[place] for place in weights)]] = solution.rounded(numbers, dtype)
        return array[:, 1:], array[:, 0]


def fit(
    gram: Gram,
    features: Sequence[str],
    targets: Sequence[str],
    intercept: bool,
    penalties: Sequence[Penalty],
) -> PenalizedFit:
    """Fit each target to the features with its penalty.

    gram: the Gram matrix of [1 features targets]. penalties: one for each target.
    A penalty of 0 and 0 is plain least squares: dependent columns get the weight 0, as in
    `least_squares.fit`. Raises ValueError if there are no rows.
    """
    if not gram.rows:
        raise ValueError("there are no rows to fit")
    width = len(features)
    places = tuple(range(1 + width, 1 + width + len(targets)))
    correlations = Correlations(gram, width, places, intercept)
    with one_blas_thread():  # only for guesses, of matrices that are mostly small
        solutions = [
            solve(correlations, target, [penalty])[0]
            for target, penalty in zip(places, penalties, strict=True)
        ]
    usable = [
        set(solution.columns if isinstance(solution, Plain) else correlations.columns)
        for solution in solutions
    ]
    kept = set.intersection(set(range(1, 1 + width)), *usable)
    return PenalizedFit(
        tuple(features),
        tuple(targets),
        intercept,
        tuple(penalties),
        gram,
        tuple(solutions),
        frozenset(name for column, name in enumerate(features, 1) if column not in kept),
    )


def solve(
    correlations: Correlations,
    target: int,
    penalties: Sequence[Penalty],
    roundoff: Sequence[float] | None = None,
) -> list[Solution]:
    """Return the solution of one target for each penalty.

    target: its place in the Gram matrix. Many penalties cost less together; of l1 best the largest
    first. roundoff: the unit roundoff of each feature, to leave out nearly dependent columns, too,
    where there is no penalty.
    """
    solutions: list[Solution] = []
    for kind, group in groupby(penalties, _kind):
        alike = list(group)
        if kind == "plain":
            solutions += [_plain(correlations, target, roundoff)] * len(alike)
        elif kind == "ridge":
            path = RidgePath(correlations, target, [penalty.l2 for penalty in alike])
            solutions += [Ridge(path, place) for place in range(len(alike))]
        else:
            # With an l2 penalty copies share their weight, and the solution is unique.
            unique = correlations if kind else correlations.without_copies
            lasso = Lasso(unique, target)
            solutions += lasso.path([penalty.l1 for penalty in alike], alike[0].l2)
    return solutions


def _kind(penalty: Penalty) -> Literal["plain", "ridge"] | float:
    """Return how penalties in a row are solved together: those of l1 if their l2 is the same."""
    if penalty.l1:
        return penalty.l2
    return "ridge" if penalty.l2 else "plain"


def _plain(
    correlations: Correlations, target: int, roundoff: Sequence[float] | None = None
) -> Plain:
    gram, intercept = correlations.gram, correlations.intercept
    names = [str(column) for column in correlations.variations]
    fitted = least_squares.fit(gram, names, [], intercept, roundoff)
    if roundoff is not None:
        fitted = fitted.without_nearly_dependent()
    return Plain(NormalEquations(gram, fitted.equations.columns, (target,)))
