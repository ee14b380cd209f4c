"""Tests of what a least-squares fit assumes of its errors, from sums over its rows.

Breusch-Pagan in Koenker's form (*A note on studentizing a test for heteroscedasticity*, Journal of
Econometrics 17, 1981), Jarque-Bera (International Statistical Review 55, 1987), Durbin-Watson
(Biometrika 37, 1950) and RESET (Ramsey, Journal of the Royal Statistical Society B 31, 1969), as
statsmodels has them.
"""

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from flint import arb

from pipeline.exact import least_squares, tail
from pipeline.exact.gram import Gram
from pipeline.exact.rounding import enclose, precision
from pipeline.exact.row_sums import Diagnosed, TargetSums

BITS = 128

DEPENDENT = Fraction(1, 10**10)
"""A column of which no more than this share is left beside others is taken as dependent on them."""
ROUNDOFF = 2.0**-36
"""Unit roundoff of coordinates, which the pass over many rows rounds."""


@dataclass(frozen=True)
class Test:
    """A test. size: how large the deviation is, whatever the number of rows: see each test."""

    statistic: float
    p: float
    size: float


def breusch_pagan(fit: Diagnosed, sums: TargetSums) -> Test | None:
    """Return the test whether the size of the errors depends on the features.

    The regression of the squared residuals on the features and a constant; size: its R². None
    without a feature, or if all residuals have one size. With precisions the residuals are those
    times the root of the weight, which should have one size, and the features are as they are.
    """
    if fit.weighting == "precision":
        return _spread(fit, sums.spread)
    varying, e = range(int(fit.basis.has_intercept), fit.coordinates), fit.coordinates
    products, rows = sums.products.inner_product, fit.rows
    mean = products(e, e) / rows
    one, square = fit.coordinates, fit.coordinates + 2
    total = sums.shape.inner_product(square, square) - mean * mean * rows
    explained = [products(j, e) for j in varying]
    freedom, constant = len(varying), Fraction(0)
    if not fit.basis.has_intercept:
        # The coordinates are not orthogonal to a constant: beside it, their Gram matrix is
        # 1 − m mᵀ/n, with m their sums. Its inverse is 1 + m mᵀ/(n − m · m) (Sherman and Morrison).
        moments = [sums.shape.inner_product(one, j) for j in varying]
        left = rows - sum((m * m for m in moments), Fraction(0))
        if left > DEPENDENT * rows:
            explained = [q - m * mean for q, m in zip(explained, moments, strict=True)]
            along = sum((q * m for q, m in zip(explained, moments, strict=True)), Fraction(0))
            constant = along * along / left
        else:  # a constant is a combination of the features
            constant, freedom = -mean * mean * rows, freedom - 1
    if freedom < 1 or total <= 0:
        return None
    share = (sum((q * q for q in explained), Fraction(0)) + constant) / total
    with precision(BITS):
        statistic = enclose(max(share, Fraction(0)) * rows)
        return _test(statistic, tail.chi_squared(statistic, freedom), float(share))


def _spread(fit: Diagnosed, gram: Gram) -> Test | None:
    """Return the test of Breusch and Pagan if the coordinates are orthogonal with weights only.

    gram: of [1, coordinates, e²], in which all rows count equally.
    """
    varying = range(1 + int(fit.basis.has_intercept), 1 + fit.coordinates)
    gram = gram.chosen([0, *varying, 1 + fit.coordinates])
    if not gram.variation(1 + len(varying)):
        return None
    names = [str(place) for place in varying]
    rounding = [ROUNDOFF] * len(names)
    explained = least_squares.fit(gram, names, ["e²"], roundoff=rounding).without_nearly_dependent()
    if (freedom := explained.rank - 1) < 1:
        return None
    share = Fraction(float(explained.r2[0]))
    with precision(BITS):
        statistic = enclose(share * fit.rows)
        return _test(statistic, tail.chi_squared(statistic, freedom), float(share))


@dataclass(frozen=True)
class Shape:
    """How the residuals are distributed.

    test: its size is the larger deviation from a normal distribution: of the skewness, or half of
    the excess kurtosis. kurtosis: 3 of a normal distribution.
    """

    test: Test
    skewness: float
    kurtosis: float


def jarque_bera(fit: Diagnosed, sums: TargetSums) -> Shape | None:
    """Return the test whether the errors are normal; None if the residuals do not vary."""
    one, e, square = (fit.coordinates + place for place in range(3))
    products, rows = sums.shape.inner_product, fit.rows
    powers = [products(one, e), products(e, e), products(e, square), products(square, square)]
    first, second, third, fourth = (power / rows for power in powers)
    variance = second - first**2
    if variance <= 0:
        return None
    third, fourth = (
        third - 3 * first * second + 2 * first**3,
        fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4,
    )
    with precision(BITS):
        skewness = enclose(third) / enclose(variance) ** 1 / enclose(variance).sqrt()
        kurtosis = enclose(fourth / variance**2)
        statistic = arb(rows) / 6 * (skewness**2 + (kurtosis - 3) ** 2 / 4)
        numbers = float(skewness.mid()), float(kurtosis.mid())
        size = max(abs(numbers[0]), abs(numbers[1] - 3) / 2)
        return Shape(_test(statistic, tail.chi_squared(statistic, 2), size), *numbers)


def durbin_watson(fit: Diagnosed, sums: TargetSums, target: int) -> float | None:
    """Return the sum of the squared steps of the residuals over the sum of their squares.

    About 2 · (1 − r), with r the correlation of the errors of successive rows. None without rows
    beside each other.
    """
    squares = fit.squares[target]
    return float(sums.successive / Fraction(squares)) if squares and fit.rows > 1 else None


def durbin_watson_p(statistic: float, rows: int) -> float:
    """Return the two-sided p-value of Durbin-Watson for many rows: 1 − d/2 has the variance 1/n."""
    with precision(BITS):
        z = (1 - arb(statistic) / 2) * arb(rows).sqrt()
        return float((abs(z) / arb(2).sqrt()).erfc().mid())


def reset(fit: Diagnosed, sums: TargetSums, target: int) -> Test | None:
    """Return the F test of the square and the cube of the fitted values beside the features.

    size: the share of the residual sum of squares that they explain. None if they are combinations
    of the features, or leave no degree of freedom.
    """
    coordinates = range(fit.coordinates)
    _, e, _, square, cube = (fit.coordinates + place for place in range(5))
    products = sums.shape.inner_product

    def left(i: int, j: int) -> Fraction:
        """Return the product of what two columns are beside the features."""
        along = [products(z, i) * products(z, j) for z in coordinates]
        return products(i, j) - sum(along, Fraction(0))

    gains = []
    squares, moment = left(square, square), products(square, e)
    if squares > DEPENDENT * products(square, square):
        gains.append(moment * moment / squares)
    else:
        squares = Fraction(1)
        moment = Fraction(0)
    beside = left(square, cube) / squares if gains else Fraction(0)
    rest = left(cube, cube) - beside * beside * squares
    if rest > DEPENDENT * products(cube, cube):
        gains.append((products(cube, e) - beside * moment) ** 2 / rest)
    total, gain = Fraction(fit.squares[target]), sum(gains, Fraction(0))
    freedom = fit.degrees_of_freedom - len(gains)
    if not gains or freedom < 1 or gain >= total:
        return None
    with precision(BITS):
        statistic = enclose(gain / len(gains) / ((total - gain) / freedom))
        p = tail.f(statistic, len(gains), freedom)
        return _test(statistic, p, float(gain / total))


def _test(statistic: Any, p: Any, size: float) -> Test:
    value = float(p.mid())
    return Test(float(statistic.mid()), max(value, 0.0) if math.isfinite(value) else 0.0, size)
