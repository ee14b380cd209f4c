"""Columns that depend on other columns, exactly or to within the rounding of their numbers."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from pipeline.exact.condition import UnitLength
from pipeline.exact.gram import Gram
from pipeline.exact.normal_equations import NormalEquations

# A column is nearly dependent if its residual from the other columns is at most so many times the
# length that the rounding of all these columns can explain.
ROUNDING_FACTOR = 4

# Columns are named with a nearly dependent one if the rounding of their numbers moves it by at
# least this share of the largest such move.
SMALLEST_SHARE = 1e-3

# A term of a combination is rounding if it moves the column by less than this share of its length.
SMALLEST_TERM = 2.0**-30

# A factor is taken as a fraction with a denominator up to this one if it is so near to one.
LARGEST_DENOMINATOR, NEAR = 1000, 1e-9


@dataclass(frozen=True)
class Dependent:
    """A column that is a combination of other columns."""

    name: str
    combination: tuple[tuple[str | None, Fraction], ...]
    """Names and factors, empty for a column of zeros; the name of the column of ones is None."""
    is_exact: bool = True
    """True: of earlier columns, exactly. False: of any others, to within the rounding of the
    numbers."""


@dataclass(frozen=True)
class NearlyDependent:
    """Columns that depend on each other to within the rounding of their numbers."""

    names: tuple[str, ...]
    """One name: the column is constant, to within rounding."""


def nearly_dependent(
    columns: Sequence[int], unit: UnitLength, names: Sequence[str], roundoff: Sequence[float]
) -> Iterator[NearlyDependent]:
    """Yield the groups of independent columns that are dependent to within their rounding.

    columns: places of the independent columns in the Gram matrix; unit: their matrices.
    names, roundoff: name and unit roundoff of each column of the Gram matrix except the ones.
    With M the inverse of the Gram matrix of columns of length 1, the regression of column j on the
    others has the coefficients −M_jk / M_jj and leaves a residual of length 1 / √M_jj.
    """
    # The column of ones is exact.
    u = np.array([roundoff[column - 1] if column else 0.0 for column in columns])
    named: set[str] = set()
    for j, column in enumerate(columns):
        # Coefficients in lengths of the residual.
        coefficients = np.abs(unit.inverse[j]) * unit.roots
        if column and ROUNDING_FACTOR * float(coefficients @ u) >= 1:
            smallest = SMALLEST_SHARE * coefficients.max()
            group = tuple(
                names[other - 1]
                for other, coefficient in zip(columns, coefficients, strict=True)
                if other and coefficient >= smallest
            )
            if not named & set(group):
                yield NearlyDependent(group)
            named |= set(group)


def nearly_combination(
    gram: Gram, columns: Sequence[int], column: int, names: Sequence[str]
) -> Dependent:
    """Return a column as the combination of others that it is to within rounding.

    columns: places in the Gram matrix of the independent columns without `column`.
    """
    equations = NormalEquations(gram, tuple(columns), (column,))
    factors = equations.rounded(lambda balls: balls.coefficients())
    smallest = SMALLEST_TERM * _length(gram, column)
    terms: list[tuple[str | None, Fraction]] = [
        (names[other - 1] if other else None, _simple(factor))
        for other, factor in zip(columns, factors, strict=True)
        if abs(factor) * _length(gram, other) > smallest
    ]
    terms.sort(key=lambda term: term[0] is None)
    return Dependent(names[column - 1], tuple(terms), is_exact=False)


def _length(gram: Gram, column: int) -> float:
    return math.sqrt(gram.inner_product(column, column))


def _simple(factor: float) -> Fraction:
    """Return the fraction with a small denominator that a factor is near to, else the factor."""
    simple = Fraction(factor).limit_denominator(LARGEST_DENOMINATOR)
    return simple if abs(float(simple) - factor) <= NEAR * abs(factor) else Fraction(factor)
