"""Natural cubic splines: curves of cubic pieces that go on as straight lines beyond their knots.

The basis is the cardinal one: the first column is 1 at the second knot and 0 at all others, and so
on. With an intercept, the coefficient of a column is how far the curve at its knot lies from the
curve at the first knot (Wood, *Generalized Additive Models*, 2017, section 5.3.1). The columns are
of size 1 whatever the unit, and span the same curves as `ns` of R with the same knots.

The pieces are solved for in rational arithmetic and rounded once; their values are computed by a
fixed sequence of IEEE operations, so that they have the same bits on every x86-64 CPU.
"""

import itertools
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from typing import NamedTuple

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from pipeline.exact.rounding import nearest

Floats = NDArray[np.float64]

BLOCK = 2**12
"""Rows of a block stay in the cache."""


class Pieces(NamedTuple):
    """The pieces of a basis: before the first knot, between each two, and behind the last one.

    A column is ((c₃ w + c₂) w + c₁) w + c₀ with w = (x − origin) / width.
    """

    origin: Floats
    """[pieces]"""
    width: Floats
    """[pieces]"""
    coefficients: Floats
    """c₃, c₂, c₁ and c₀: [4, pieces, columns]"""


def basis(values: Floats, knots: tuple[float, ...]) -> Floats:
    """Return the columns: [rows, knots − 1], column-major; NaN for NaN, without a warning.

    values: [rows]. knots: at least 3, rising.
    """
    return _evaluated(values, knots, np.asarray)


def magnitude(values: Floats, knots: tuple[float, ...]) -> Floats:
    """Return the sum of the sizes of all that is added up in `basis`, of the same shape."""
    return _evaluated(values, knots, np.abs)


def _evaluated(
    values: Floats, knots: tuple[float, ...], part: Callable[[Floats], Floats]
) -> Floats:
    """Return the columns from `part` of each number that is added up."""
    pieces = pieces_of(knots)
    c3, c2, c1, c0 = part(pieces.coefficients)
    result = np.empty((len(values), len(knots) - 1), order="F")
    with np.errstate(all="ignore"):
        for begin in range(0, len(values), BLOCK):
            x = values[begin : begin + BLOCK]
            # The number of knots that are not above it; NaN is behind the last one.
            piece = np.searchsorted(knots, x, side="right")
            w = part((x - pieces.origin[piece]) / pieces.width[piece])[:, None]
            result[begin : begin + BLOCK] = ((c3[piece] * w + c2[piece]) * w + c1[piece]) * w + c0[
                piece
            ]
    return result


@cache
def pieces_of(knots: tuple[float, ...]) -> Pieces:
    """Return the pieces of the basis with these knots. knots: at least 3, rising."""
    assert len(knots) > 2
    assert all(a < b for a, b in itertools.pairwise(knots))
    places = [fmpq(*knot.as_integer_ratio()) for knot in knots]
    widths = [right - left for left, right in itertools.pairwise(places)]
    last = len(widths)
    columns = []
    for column in range(1, len(knots)):
        y = [fmpq(int(place == column)) for place in range(len(knots))]
        bend = _second_derivatives(widths, y)
        cubics = [_cubic(h, y[i], y[i + 1], bend[i], bend[i + 1]) for i, h in enumerate(widths)]
        zero = fmpq(0)
        c3, c2, slope, _ = cubics[-1]
        before = (zero, zero, cubics[0][2], y[0])
        behind = (zero, zero, 3 * c3 + 2 * c2 + slope, y[last])
        columns.append([before, *cubics, behind])
    coefficients = np.array(
        [[[_float(piece[power]) for piece in column] for column in columns] for power in range(4)]
    )
    origin = np.array([knots[0], *knots])
    width = np.array([_float(h) for h in (widths[0], *widths, widths[-1])])
    return Pieces(origin, width, np.ascontiguousarray(coefficients.transpose(0, 2, 1)))


def _second_derivatives(widths: list[fmpq], y: list[fmpq]) -> list[fmpq]:
    """Return the second derivatives at the knots of the natural spline through y, exactly.

    Of the tridiagonal equations h₀ s₀ + 2 (h₀ + h₁) s₁ + h₁ s₂ = 6 (slope₁ − slope₀) the first and
    the last unknown are 0.
    """
    slopes = [(b - a) / h for a, b, h in zip(y, y[1:], widths, strict=False)]
    upper, right = [fmpq(0)], [fmpq(0)]
    for i in range(1, len(widths)):
        pivot = 2 * (widths[i - 1] + widths[i]) - widths[i - 1] * upper[-1]
        jump = 6 * (slopes[i] - slopes[i - 1])
        right.append((jump - widths[i - 1] * right[-1]) / pivot)
        upper.append(widths[i] / pivot)
    result = [fmpq(0)]
    for up, value in zip(reversed(upper), reversed(right), strict=True):
        result.append(value - up * result[-1])
    return result[::-1]


def _cubic(
    h: fmpq, left: fmpq, right: fmpq, bend_left: fmpq, bend_right: fmpq
) -> tuple[fmpq, fmpq, fmpq, fmpq]:
    """Return c₃, c₂, c₁ and c₀ of a piece of width h, from values and second derivatives."""
    square = h * h
    return (
        square * (bend_right - bend_left) / 6,
        square * bend_left / 2,
        right - left - square * (2 * bend_left + bend_right) / 6,
        left,
    )


def _float(value: fmpq) -> float:
    return nearest(Fraction(int(value.p), int(value.q)), "float64")
