"""Least squares without rounding error: the exact solution of a table's exact Gram matrix.

Dependent columns are found with integers. All other figures are computed in balls of real numbers
whose precision doubles until each ball rounds to one float only. So every figure is correctly
rounded: at any condition number, for any order of the rows, on any machine.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from pipeline.exact import inference
from pipeline.exact.condition import UnitLength, condition_number
from pipeline.exact.dependence import (
    Dependent,
    NearlyDependent,
    nearly_combination,
    nearly_dependent,
)
from pipeline.exact.gram import Gram
from pipeline.exact.interval import Interval
from pipeline.exact.normal_equations import BallSolution, NormalEquations
from pipeline.exact.rank import independent_columns
from pipeline.exact.rounding import enclose

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Fit:
    """The least-squares solution of each target. Each float is correctly rounded.

    A figure is computed when it is first asked for, and kept: coefficients cost least, p-values and
    intervals most.

    Arrays are float64 [targets] or [targets, terms]; terms are the features and, with an intercept,
    the bias. A figure that does not exist is NaN: the errors of a column that was dropped, or
    without degrees of freedom; t and p where there is no error at all.
    """

    features: tuple[str, ...]
    targets: tuple[str, ...]
    intercept: bool
    roundoff: tuple[float, ...] = field(repr=False)
    """The unit roundoff of the source of each feature."""
    dependent: tuple[Dependent, ...]
    """Columns that were dropped, because they are combinations of others."""
    equations: NormalEquations = field(repr=False)

    @property
    def rows(self) -> int:
        """Number of rows of the table, whatever their weights."""
        return self.equations.gram.rows

    @property
    def rank(self) -> int:
        """Number of independent columns, the column of ones included."""
        return len(self.equations.columns)

    @property
    def degrees_of_freedom(self) -> int:
        """Rows − rank."""
        return self.rows - self.rank

    @property
    def dropped(self) -> frozenset[str]:
        """Names of the dependent columns."""
        return frozenset(column.name for column in self.dependent)

    @cached_property
    def nearly_dependent(self) -> tuple[NearlyDependent, ...]:
        """Groups of columns that depend on each other to within the rounding of their numbers."""
        columns, unit = self.equations.columns, self._unit_length
        return tuple(nearly_dependent(columns, unit, self.features, self.roundoff))

    def without_nearly_dependent(self) -> "Fit":
        """Return the fit without the last column of each group of nearly dependent ones.

        Their weights would be as large as the residual is small: a model file in float32 would
        answer with nothing but rounding.
        """
        fit = self
        while fit.nearly_dependent:
            for group in fit.nearly_dependent:
                gram, column = fit.equations.gram, 1 + self.features.index(group.names[-1])
                kept = tuple(other for other in fit.equations.columns if other != column)
                combination = nearly_combination(gram, kept, column, self.features)
                equations = NormalEquations(gram, kept, fit.equations.targets)
                fit = replace(fit, dependent=(*fit.dependent, combination), equations=equations)
        return fit

    @cached_property
    def condition_number(self) -> float:
        """Condition number of the design matrix with columns scaled to length 1, to four digits.

        Above 30 single coefficients begin to be doubtful (Belsley, Kuh and Welsch, *Regression
        Diagnostics*, 1980).
        """
        return condition_number(self._unit_length)

    @cached_property
    def _unit_length(self) -> UnitLength:
        return UnitLength.of(self.equations)

    @cached_property
    def _coefficients(self) -> Floats:
        """Weights and biases: [targets, terms]; 0 for a column that was dropped."""
        return self._terms(lambda balls: balls.coefficients(), missing=0)

    @property
    def weight(self) -> Floats:
        """Weights: [targets, features]; 0 for a column that was dropped."""
        return self._coefficients[:, : len(self.features)]

    @property
    def bias(self) -> Floats:
        """Biases: [targets]; 0 without an intercept."""
        if not self.intercept:
            return np.zeros(len(self.targets))
        return self._coefficients[:, len(self.features)]

    @cached_property
    def squares(self) -> tuple[Fraction, ...]:
        """Residual sum of squares of each target: exact, or to 2^-128 of itself if long."""
        return self.equations.squares()

    @cached_property
    def r2(self) -> Floats:
        """R²: 1 − squares / variation around the mean, around 0 without an intercept: [targets]."""
        gram = self.equations.gram
        variations = [
            gram.variation(target) if self.intercept else gram.inner_product(target, target)
            for target in self.equations.targets
        ]

        def explained(balls: BallSolution) -> list[Any]:
            pairs = zip(balls.squares, variations, strict=True)
            return [1 - s / enclose(v) if v else arb(0) for s, v in pairs]

        r2 = np.array(self.equations.rounded(explained))
        r2[[not variation for variation in variations]] = math.nan
        return r2

    @cached_property
    def std_error(self) -> Floats:
        """Standard error of each coefficient: [targets, terms]."""
        return self._errors(inference.std_errors)

    @cached_property
    def t(self) -> Floats:
        """Ratio of each coefficient to its standard error: [targets, terms]."""
        return self._without_perfect(self._errors(inference.t_values))

    @cached_property
    def p(self) -> Floats:
        """P-value of the two-sided t test that the coefficient is 0: [targets, terms]."""
        return self._without_perfect(self._errors(inference.p_values))

    @cached_property
    def ci_low(self) -> Floats:
        """Lower end of the 95 % confidence interval: [targets, terms]."""
        return self._errors(lambda balls, free: inference.confidence_ends(balls, free, -1))

    @cached_property
    def ci_high(self) -> Floats:
        """Upper end of the 95 % confidence interval: [targets, terms]."""
        return self._errors(lambda balls, free: inference.confidence_ends(balls, free, 1))

    def _terms(self, numbers: Callable[[BallSolution], list[Any]], missing: float) -> Floats:
        """Return the rounded numbers of each independent column, at the place of its term."""
        width = len(self.features)
        places = [column - 1 if column else width for column in self.equations.columns]
        array = np.full((len(self.targets), width + self.intercept), missing, dtype=np.float64)
        values = self.equations.rounded(numbers)
        array[:, places] = np.reshape(values, (len(self.targets), len(places)))
        return array

    def _errors(self, numbers: Callable[[BallSolution, int], list[Any]]) -> Floats:
        """Return figures that need degrees of freedom: [targets, terms]."""
        free = self.degrees_of_freedom
        if not free:
            return np.full((len(self.targets), len(self.features) + self.intercept), math.nan)
        return self._terms(lambda balls: numbers(balls, free), missing=math.nan)

    def _without_perfect(self, array: Floats) -> Floats:
        """Return the array with NaN for targets that are fitted without error."""
        array[self.equations.perfect] = math.nan
        return array

    def shipped(
        self, dtype: str, centre: Floats | None = None
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return weight [targets, features] and bias [targets], rounded once to `dtype`.

        centre: [features], by default zeros, in y = weight · (x − centre) + bias.
        """
        equations, width = self.equations, len(self.features)
        centres = [Fraction(c) for c in (np.zeros(width) if centre is None else centre).tolist()]
        places = [place for place, column in enumerate(equations.columns) if column]
        features = [equations.columns[place] - 1 for place in places]
        ones = equations.place_of_ones

        def numbers(balls: BallSolution) -> list[Any]:
            values = []
            for column in balls.solution:
                at_centre = arb(0) if ones is None else column[ones]
                for place, feature in zip(places, features, strict=True):
                    at_centre += column[place] * enclose(centres[feature])
                values += [*(column[place] for place in places), at_centre]
            return values

        rounded = np.array(equations.rounded(numbers, dtype)).reshape(len(self.targets), -1)
        weight = np.zeros((len(self.targets), width), dtype)
        weight[:, features] = rounded[:, :-1]
        return weight, rounded[:, -1].astype(dtype)

    def predict(self, queries: Floats) -> tuple[Floats, Floats, Floats]:
        """Return the answers and their 95 % prediction intervals: [queries, targets] each.

        queries: [queries, features]. Gives value, low end, high end; a new measurement at the query
        would lie between the ends. The ends are NaN without degrees of freedom.
        """
        free = self.degrees_of_freedom
        ends = np.full((3, len(queries), len(self.targets)), math.nan)
        for number, query in enumerate(queries.tolist()):
            row = [Fraction(1), *map(Fraction, query)]
            x = [row[column] for column in self.equations.columns]

            def numbers(balls: BallSolution, x: list[Fraction] = x) -> list[Any]:
                return list(itertools.chain(*inference.answers(balls, free, x)))

            rounded = np.reshape(self.equations.rounded(numbers), (-1, len(self.targets)))
            ends[: len(rounded), number] = rounded
        value, low, high = ends
        return value, low, high

    def interval(self) -> Interval:
        """Return the numbers that 95 % prediction intervals are computed from, correctly rounded.

        Raises ValueError, with the reason, if there is no interval: without degrees of freedom, or
        if a column was dropped, since no data say how the target changes if that column no longer
        follows the columns that it depends on.
        """
        free, width = self.degrees_of_freedom, len(self.features)
        if self.dependent:
            raise ValueError("columns depend on each other")
        if not free:
            raise ValueError(f"{self.rows} rows for {self.rank} numbers leave no degree of freedom")
        values = np.array(
            self.equations.rounded(
                lambda balls: inference.interval_numbers(balls, free, self.intercept)
            )
        )
        if not np.isfinite(values).all():
            raise ValueError("its numbers are beyond what float64 holds; scale the columns")
        return Interval(
            centre=self.equations.gram.means()[:width] if self.intercept else np.zeros(width),
            factor=values[: width**2].reshape(width, width),
            constant=float(1 + Fraction(int(self.intercept)) / self.equations.gram.weight),
            scale=values[width**2 :],
        )


def fit(
    gram: Gram,
    features: Sequence[str],
    targets: Sequence[str],
    intercept: bool = True,
    roundoff: Sequence[float] | None = None,
) -> Fit:
    """Fit each target to the features.

    gram: the Gram matrix of [1 features targets]. roundoff: the unit roundoff of each feature's
    source, by default 2⁻⁵³ as of float64; it decides which columns are nearly dependent.
    """
    width = len(features)
    columns = range(0 if intercept else 1, 1 + width)
    kept, combinations = independent_columns(gram, columns)
    names = [None, *features]
    dependent = tuple(
        Dependent(features[column - 1], tuple((names[k], factor) for k, factor in combination))
        for column, combination in combinations.items()
    )
    places = range(1 + width, 1 + width + len(targets))
    return Fit(
        tuple(features),
        tuple(targets),
        intercept,
        tuple([2.0**-53] * width if roundoff is None else roundoff),
        dependent,
        NormalEquations(gram, tuple(kept), tuple(places)),
    )
