"""Least squares with penalties, without rounding error: ridge, lasso and elastic net.

With n rows, V_j the variation of feature j around its mean and β̃_j = β_j · √(V_j / n), the weights
of a target minimise

    RSS / (2 n) + l1 · Σ |β̃_j| + l2 / 2 · Σ β̃_j²

The intercept is not penalised. Penalties are on standardized columns, as glmnet has them (Friedman,
Hastie and Tibshirani, *Regularization Paths for Generalized Linear Models via Coordinate Descent*,
Journal of Statistical Software 33, 2010). scikit-learn's `alpha` on standardized columns is n · l2
for Ridge, l1 for Lasso; for ElasticNet it is l1 + l2, with l1_ratio = l1 / (l1 + l2). A constant
feature gets the weight 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from flint import arb
from numpy.typing import NDArray

from pipeline.exact.correlations import Correlations
from pipeline.exact.gram import Gram
from pipeline.exact.lasso import Certificate, Lasso
from pipeline.exact.normal_equations import NormalEquations
from pipeline.exact.rank import independent_columns
from pipeline.exact.rounding import enclose

Floats = NDArray[np.float64]
Numbers = Callable[[list[Any]], list[Any]]
"""Function from the coefficients of a solution's columns, balls, to balls."""


@dataclass(frozen=True)
class Penalty:
    """A penalty on standardized columns: l1 · Σ |β̃| + l2 / 2 · Σ β̃². Both are 0 or more."""

    l1: float = 0.0
    l2: float = 0.0


class Solution(Protocol):
    """The solution of one target, as precisely as it is asked for."""

    columns: tuple[int, ...]
    """Places in the Gram matrix of the columns with a coefficient; the others' are 0."""
    certificate: Certificate

    def rounded(self, numbers: Numbers, dtype: str = "float64") -> list[float]:
        """Return the balls that `numbers` computes from the coefficients, correctly rounded."""


class LinearSystem:
    """A ridge or plain solution: the normal equations of a changed matrix."""

    certificate = Certificate(proven=True)

    def __init__(self, equations: NormalEquations) -> None:
        """equations: of one target."""
        self.columns, self._equations = equations.columns, equations

    def rounded(self, numbers: Numbers, dtype: str = "float64") -> list[float]:
        """Return the balls that `numbers` computes from the coefficients, correctly rounded."""
        return self._equations.rounded(lambda balls: numbers(balls.solution[0]), dtype)


@dataclass(frozen=True, eq=False)
class PenalizedFit:
    """The penalised solution of each target. Each float is correctly rounded if it is proven.

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
        """Residual sum of squares of each target, on the rows of the fit, rounded to float64."""
        places = range(1 + len(self.features), 1 + len(self.features) + len(self.targets))
        totals = []
        for target, solution in zip(places, self.solutions, strict=True):

            def numbers(b: list[Any], target: int = target, s: Solution = solution) -> list[Any]:
                return [squares_in_balls(self.gram, (*s.columns, target), [*b, arb(-1)])]

            totals.append(Fraction(*solution.rounded(numbers)))
        return tuple(totals)

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
    solutions: list[Solution] = []
    constant = {j for j, variation in correlations.variations.items() if not variation}
    unused: set[int] = set()
    for target, penalty in zip(places, penalties, strict=True):
        if penalty.l1 or penalty.l2:
            unused |= constant
        if penalty.l1:
            solutions.append(Lasso(correlations, target).solve(penalty.l1, penalty.l2))
        elif penalty.l2:
            solutions.append(_ridge(correlations, target, penalty.l2))
        else:
            kept, combinations = independent_columns(gram, range(not intercept, 1 + width))
            solutions.append(LinearSystem(NormalEquations(gram, tuple(kept), (target,))))
            unused |= set(combinations)
    return PenalizedFit(
        tuple(features),
        tuple(targets),
        intercept,
        tuple(penalties),
        gram,
        tuple(solutions),
        frozenset(features[column - 1] for column in unused),
    )


def _ridge(correlations: Correlations, target: int, l2: float) -> LinearSystem:
    """Return the solution of (C + l2 · diag(V)) β = c.

    As normal equations of [1 features], in which the penalty is added to the diagonal and the
    column of ones has none: all entries times n · 2^k are integers.
    """
    gram, numerator, denominator = correlations.gram, *l2.as_integer_ratio()
    factor = gram.rows * denominator
    entries = [[factor * entry for entry in row] for row in gram.entries]
    for column in correlations.columns:
        entries[column][column] += numerator * correlations.variations[column]
    changed = Gram(gram.rows, gram.exponents, tuple(map(tuple, entries)))
    ones = (0,) if correlations.intercept else ()
    return LinearSystem(NormalEquations(changed, (*ones, *correlations.columns), (target,)))


def squares_in_balls(gram: Gram, columns: Sequence[int], factors: Sequence[Any]) -> Any:
    """Return the sum of squares of a combination of columns of a table, as a ball."""
    exponents = gram.exponents
    scaled = [f * arb((1, exponents[column])) for f, column in zip(factors, columns, strict=True)]
    rows = [[gram.entries[i][j] for j in columns] for i in columns]
    return sum(
        (
            a * sum((b * entry for b, entry in zip(scaled, row, strict=True)), arb(0))
            for a, row in zip(scaled, rows, strict=True)
        ),
        arb(0),
    )
