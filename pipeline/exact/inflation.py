"""Variance inflation factors: how much the variance of a weight grows by the other features."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.least_squares import Fit
from pipeline.exact.normal_equations import BallSolution, NormalEquations
from pipeline.exact.rank import independent_columns
from pipeline.exact.rounding import enclose


def inflation_factors(fit: Fit) -> NDArray[np.float64]:
    """Return the variance inflation factor of each feature, correctly rounded: [features].

    1 / (1 − R²) of the regression of the feature on the others and a constant: its sum of squares
    around the mean, times its entry in the inverse of the Gram matrix around the means. So it is a
    figure of the features alone, the same whether the model has an intercept or not. NaN for a
    feature that was left out, and, in a model without an intercept, for a feature that is a
    combination of others and a constant, whose factor is infinite.
    """
    equations, infinite = fit.equations, set[int]()
    gram = equations.gram
    if not fit.intercept:
        kept, combinations = independent_columns(gram, [0, *equations.columns])
        infinite = set(combinations)
        for combination in combinations.values():
            infinite |= {column for column, factor in combination if factor}
        equations = NormalEquations(gram, tuple(kept), equations.targets)
    places = [place for place, column in enumerate(equations.columns) if column]

    def factors(balls: BallSolution) -> list[Any]:
        return [
            balls.inverse[place, place] * enclose(gram.variation(equations.columns[place]))
            for place in places
        ]

    inflation = np.full(len(fit.features), math.nan)
    for place, value in zip(places, equations.rounded(factors), strict=True):
        column = equations.columns[place]
        if column not in infinite:
            inflation[column - 1] = value
    return inflation
