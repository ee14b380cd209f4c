"""Real numbers in balls that hold them for certain, and the one float that a ball rounds to.

The balls are FLINT's (Johansson, *Arb: efficient arbitrary-precision midpoint-radius interval
arithmetic*, 2017).
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from flint import arb, ctx

# Bits of a number, exponent of the smallest, exponent that is too large.
FORMATS = {"float64": (53, -1074, 1024), "float32": (24, -149, 128)}

# A tie between two floats has one bit more than they; what is this short is no coincidence.
SHORT = 256


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Compute with so many bits in the block. FLINT's setting is one for the whole process."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def shift(value: Any, exponent: int) -> Any:
    """Value · 2^exponent as a ball; exact if `value` is."""
    return (arb(value) if isinstance(value, int) else value) * arb((1, exponent))


def enclose(value: Fraction) -> Any:
    """The smallest ball around a fraction, at the working precision."""
    return arb(value.numerator) / arb(value.denominator)


def exactly(exact: Any) -> Fraction:
    """A ball without a radius as a fraction."""
    mantissa, exponent = exact.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def certain(ball: Any, dtype: str) -> float | None:
    """The number of `dtype` that everything in a ball rounds to, if there is one."""
    if not ball.is_finite():
        return None
    low, high = (_end(end, dtype) for end in (ball.lower(), ball.upper()))
    return low if low == high else None


def settled(ball: Any, dtype: str) -> float:
    """The number of `dtype` that a ball of thousands of bits rounds to, be it a tie.

    If a number of a few hundred bits lies in it, that is the true value.
    """
    value = certain(ball, dtype)
    if value is not None:
        return value
    middle = exactly(ball.mid())
    unit = Fraction(2) ** (_size(middle) - SHORT)
    short = round(middle / unit) * unit
    return nearest(short if ball.contains(enclose(short)) else middle, dtype)


def rounded(numbers: Callable[[], list[Any]], dtype: str) -> list[float]:
    """What `numbers` computes in balls from exact values, correctly rounded to `dtype`."""
    for bits in (128, 512, 2048):
        with precision(bits):
            found = [certain(ball, dtype) for ball in numbers()]
            if None not in found:
                return [value for value in found if value is not None]
    with precision(8192):
        return [settled(ball, dtype) for ball in numbers()]


def cholesky(matrix: list[list[Any]]) -> list[list[Any]]:
    """The lower triangular matrix of balls whose product with its transpose is `matrix`."""
    lower = [[arb(0)] * len(matrix) for _ in matrix]
    for j, row in enumerate(lower):
        pivot = matrix[j][j] - sum((entry * entry for entry in row[:j]), arb(0))
        row[j] = pivot.sqrt()
        for i in range(j + 1, len(matrix)):
            rest = sum((a * b for a, b in zip(lower[i][:j], row[:j], strict=True)), arb(0))
            lower[i][j] = (matrix[i][j] - rest) / row[j]
    return lower


def _end(exact: Any, dtype: str) -> float:
    mantissa, exponent = exact.man_exp()
    size = int(mantissa).bit_length() + int(exponent)
    if mantissa == 0 or size < -2000:
        return 0.0
    if size > 2000:
        return math.inf if mantissa > 0 else -math.inf
    return nearest(exactly(exact), dtype)


def _size(value: Fraction) -> int:
    """The least n for which |value| < 2^n; of zero, anything."""
    size = value.numerator.bit_length() - value.denominator.bit_length()
    return size + (abs(value) >= Fraction(2) ** size)


def nearest(value: Fraction, dtype: str) -> float:
    """The number of `dtype` that is nearest to `value`, the even one of two."""
    if not value:
        return 0.0
    bits, lowest, highest = FORMATS[dtype]
    unit = max(_size(value) - bits, lowest)
    digits = round(value / Fraction(2) ** unit)
    if not digits:
        return 0.0  # not -0.0
    if digits.bit_length() + unit > highest:
        return math.copysign(math.inf, digits)
    return math.ldexp(digits, unit)


def two_sided(t: Any, free: int) -> Any:
    """How likely a |t| as large is, by Student's distribution with `free` degrees of freedom.

    It falls as |t| grows, so its ends are those at the ends of |t|: FLINT would integrate over a
    wide ball for hours, or give up.
    """
    return _two_sided(t.abs_lower(), free).union(_two_sided(t.abs_upper(), free))


def _two_sided(t: Any, free: int) -> Any:
    """The regularized incomplete beta function I_z(free/2, 1/2) at z = free / (free + t²)."""
    square, half = t * t, arb(1) / 2
    if square < 1:  # z is near to 1, and 1 − z has the digits
        return 1 - (square / (free + square)).beta_lower(half, half * free, regularized=True)
    return (free / (free + square)).beta_lower(half * free, half, regularized=True)


def quantile(confidence: Fraction, free: int) -> Any:
    """The t within which, on both sides, so much of Student's distribution lies."""
    alpha = enclose(1 - confidence)
    precision = ctx.prec
    # By Newton's method, then a ball around it whose ends are on both sides.
    low, high = arb(1), arb(13)  # 12.7 with one degree of freedom
    ctx.prec = 64
    for _ in range(20):
        middle = ((low + high) / 2).mid()
        if two_sided(middle, free) > alpha:
            low = middle
        else:
            high = middle
    t = ((low + high) / 2).mid()
    half = arb(free) / 2
    while True:
        ctx.prec = min(2 * ctx.prec, precision + 32)
        half = arb(free) / 2
        density = ((half + arb(1) / 2).lgamma() - half.lgamma()).exp() / (arb.pi() * free).sqrt()
        density *= (1 + t * t / free) ** (-(half + arb(1) / 2))
        t = (t + (two_sided(t, free) - alpha) / (2 * density)).mid()
        if ctx.prec == precision + 32:
            break
    ctx.prec = precision + 32
    t = (t + (two_sided(t, free) - alpha) / (2 * density)).mid()
    for bits in range(precision, 16, -8):
        radius = shift(arb(1), 2 - bits)
        below, above = t - radius, t + radius
        if two_sided(below, free) > alpha and two_sided(above, free) < alpha:
            ctx.prec = precision
            return below.union(above)
    raise AssertionError("Newton's method has not arrived")
