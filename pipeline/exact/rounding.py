"""Balls that certainly contain a real number, and the float to which a ball rounds.

A ball is a midpoint with a radius, of FLINT (Johansson, *Arb: efficient arbitrary-precision
midpoint-radius interval arithmetic*, IEEE Transactions on Computers 66, 2017).
"""

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from typing import Any

from flint import arb, ctx

# Bits of the mantissa, exponent of the smallest number, exponent that is too large.
FORMATS = {"float64": (53, -1074, 1024), "float32": (24, -149, 128)}


@contextmanager
def precision(bits: int) -> Iterator[None]:
    """Compute with `bits` in the block. FLINT has one precision for the whole process."""
    before = ctx.prec
    ctx.prec = bits
    try:
        yield
    finally:
        ctx.prec = before


def shift(value: Any, exponent: int) -> Any:
    """Return value · 2^exponent as a ball, exact if `value` (an integer or a ball) is exact."""
    return (arb(value) if isinstance(value, int) else value) * arb((1, exponent))


def enclose(value: Fraction) -> Any:
    """Return the smallest ball around a fraction, at the working precision."""
    return arb(value.numerator) / arb(value.denominator)


def exactly(point: Any) -> Fraction:
    """Return a ball without a radius as a fraction."""
    mantissa, exponent = point.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def certain(ball: Any, dtype: str) -> float | None:
    """Return the number of `dtype` that all numbers in the ball round to; None if there are two.

    dtype: float32 or float64, here and below.
    """
    if not ball.is_finite():
        return None
    low, high = (_nearest_to_point(end, dtype) for end in (ball.lower(), ball.upper()))
    return low if low == high else None


def settled(ball: Any, dtype: str) -> float:
    """Return the number of `dtype` that a ball of thousands of bits rounds to, also for a tie.

    A tie between two floats has one bit more than they have. A number of at most 256 bits in such a
    ball is no coincidence, but the true value.
    """
    value = certain(ball, dtype)
    if value is not None:
        return value
    middle = exactly(ball.mid())
    unit = Fraction(2) ** (_size(middle) - 256)
    short = round(middle / unit) * unit
    return nearest(short if ball.contains(enclose(short)) else middle, dtype)


def rounded(numbers: Callable[[], list[Any]], dtype: str) -> list[float]:
    """Return the balls that `numbers` computes from exact values, correctly rounded to `dtype`."""
    for bits in (128, 512, 2048):
        with precision(bits):
            values = [certain(ball, dtype) for ball in numbers()]
            if None not in values:
                return [value for value in values if value is not None]
    with precision(8192):
        return [settled(ball, dtype) for ball in numbers()]


def nearest(value: Fraction, dtype: str) -> float:
    """Return the number of `dtype` that is nearest to `value`; of two, the even one.

    Infinite beyond the largest number; zero is never −0.0.
    """
    if not value:
        return 0.0
    bits, lowest, highest = FORMATS[dtype]
    unit = max(_size(value) - bits, lowest)
    digits = round(value / Fraction(2) ** unit)
    if not digits:
        return 0.0
    if digits.bit_length() + unit > highest:
        return math.copysign(math.inf, digits)
    return math.ldexp(digits, unit)


def _nearest_to_point(point: Any, dtype: str) -> float:
    """Return `nearest` of a ball without a radius, whose exponent may be astronomical.

    With integers: fractions take ten times as long, and hundreds of columns have 100,000 numbers.
    """
    mantissa, exponent = map(int, point.man_exp())
    size = mantissa.bit_length() + exponent
    bits, lowest, highest = FORMATS[dtype]
    if mantissa == 0 or size < lowest:
        return 0.0
    if size > highest:
        return math.inf if mantissa > 0 else -math.inf
    unit = max(size - bits, lowest)
    dropped = unit - exponent
    digits = mantissa << -dropped if dropped < 0 else mantissa >> dropped
    if dropped > 0:
        rest, half = mantissa - (digits << dropped), 1 << (dropped - 1)
        digits += rest > half or (rest == half and digits & 1)
    if digits.bit_length() + unit > highest:
        return math.copysign(math.inf, digits)
    return math.ldexp(digits, unit)


def _size(value: Fraction) -> int:
    """Return the least n for which |value| < 2^n; any number for zero."""
    size = value.numerator.bit_length() - value.denominator.bit_length()
    return size + (abs(value) >= Fraction(2) ** size)


def rounded_sum(values: Iterable[float]) -> float:
    """Return the sum, rounded once: the same bits on every CPU. Infinite if it is too large."""
    try:
        return math.fsum(values)
    except (OverflowError, ValueError):
        return math.inf
