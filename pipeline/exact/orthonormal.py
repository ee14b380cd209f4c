"""Rows of a table in orthonormal coordinates, with the residuals of its least-squares fit.

In coordinates z = T · [1, x − centre], whose Gram matrix is the identity, the leverage of a row is
|z|², and a matrix of products of residuals and features is as well conditioned as the residuals
are: no digits are lost to columns that nearly depend on each other. T is computed in balls from the
exact Gram matrix, and rounded once. Each coordinate is a sum in a fixed order of operations,
column by column and without BLAS, so that it has the same bits on every CPU.
"""

import itertools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from pipeline.exact.cholesky import Balls, cholesky
from pipeline.exact.gram import Gram
from pipeline.exact.least_squares import Fit
from pipeline.exact.normal_equations import FIRST_BITS, NormalEquations
from pipeline.exact.rounding import enclose, precision, shift

Floats = NDArray[np.float64]

ACCURACY = 2.0**-60
"""Radius of a ball, beside the largest one of its row or column, that is small enough."""


@dataclass(frozen=True)
class Basis:
    """Numbers that turn a row into its orthonormal coordinates and its residuals.

    features: places of the independent features among all: [kept].
    centre: of these features, [kept]; zeros without an intercept.
    factor: T, lower triangular: [coordinates, coordinates].
    terms: the coefficient of term t is Σ y · (z · terms[t]); the terms are the independent ones of
    the fit, the intercept first: [coordinates, coordinates].
    target_centre, offset: [targets]; slopes: [targets, kept]. The fit is
    target_centre + offset + slopes · (x − centre).
    """

    features: tuple[int, ...]
    centre: Floats
    factor: Floats
    terms: Floats
    target_centre: Floats
    offset: Floats
    slopes: Floats

    @property
    def has_intercept(self) -> bool:
        """True if the first coordinate is the same in all rows."""
        return len(self.factor) > len(self.features)

    @classmethod
    def of(cls, fit: Fit) -> "Basis":
        """Return the coordinates of the independent columns of a fit."""
        columns, targets = fit.equations.columns, fit.equations.targets
        features = tuple(column - 1 for column in columns if column)
        gram, means = fit.equations.gram, np.zeros(len(fit.equations.gram.exponents) - 1)
        if fit.intercept:
            means = gram.means()
            gram = gram.centred(means)
        centre = means[[*features]]
        factor, terms = _triangle(gram, columns, centre)
        equations = NormalEquations(gram, columns, targets)
        values = np.array(equations.rounded(lambda balls: balls.coefficients()))
        values = values.reshape(len(targets), len(columns))
        ones = int(fit.intercept)
        offset = values[:, 0] if ones else np.zeros(len(targets))
        target_centre = means[[target - 1 for target in targets]]
        return cls(features, centre, factor, terms, target_centre, offset, values[:, ones:])

    def applied(self, x: Floats) -> tuple[Floats, Floats]:
        """Return the coordinates of rows, and the fits to the targets less their centres.

        x: [rows, features]; the results: [coordinates, rows] and [targets, rows].
        """
        ones, size = int(self.has_intercept), len(self.factor)
        factors = np.concatenate([self.factor[:, ones:], self.slopes])
        made = np.zeros((len(factors), len(x)))
        if ones:
            made[:size] += self.factor[:, :1]
        made[size:] += self.offset[:, None]
        columns = x.T if len(self.features) == x.shape[1] else x.T[[*self.features]]
        centred, term = columns - self.centre[:, None], np.empty_like(made)
        for place, column in enumerate(centred):
            below = slice(ones + place, None)  # T is triangular
            np.multiply(column, factors[below, place, None], out=term[below])
            made[below] += term[below]
        return made[:size], made[size:]


def _triangle(gram: Gram, columns: tuple[int, ...], centre: Floats) -> tuple[Floats, Floats]:
    """Return `factor` and `terms` of a basis. gram: around the centre."""
    entries, exponents = gram.entries, gram.exponents
    scales = [-(entries[i][i].bit_length() // 2) for i in columns]
    units = [scale - exponents[i] for i, scale in zip(columns, scales, strict=True)]
    for doubling in itertools.count():
        with precision(FIRST_BITS << doubling):
            matrix = [
                [shift(entries[i][j], a + b) for j, b in zip(columns, scales, strict=True)]
                for i, a in zip(columns, scales, strict=True)
            ]
            try:
                _, inverse = cholesky(matrix)
            except ZeroDivisionError:  # cannot be told from a singular matrix at these bits
                continue
            rows = [
                [shift(ball, unit) for ball, unit in zip(row, units, strict=True)]
                for row in inverse
            ]
            terms = [list(column) for column in zip(*rows, strict=True)]
            if 0 in columns:
                terms[0] = _at_zero(terms, centre)
            if all(map(_has_digits, [*inverse, *terms])):
                size = len(columns)
                return (
                    np.array([[float(ball.mid()) for ball in row] for row in rows]).reshape(
                        size, size
                    ),
                    np.array([[float(ball.mid()) for ball in row] for row in terms]).reshape(
                        size, size
                    ),
                )
    raise AssertionError("unreachable: there are always more bits")


def _at_zero(terms: Balls, centre: Floats) -> list[Any]:
    """Return the term of the intercept where all features are 0, and not at their centre."""
    at_zero = list(terms[0])
    for value, term in zip(centre.tolist(), terms[1:], strict=True):
        point = enclose(Fraction(value))
        at_zero = [a - point * b for a, b in zip(at_zero, term, strict=True)]
    return at_zero


def _has_digits(balls: list[Any]) -> bool:
    """Return True if the radius of each ball is small beside the largest of them."""
    largest = max((abs(ball.mid()) for ball in balls), default=arb(0))
    return all(ball.is_finite() and ball.rad() <= largest * ACCURACY for ball in balls)
