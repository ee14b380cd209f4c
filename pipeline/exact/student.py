"""Student's t distribution in balls: its two-sided p-value and its quantiles."""

from fractions import Fraction
from typing import Any

from flint import arb, ctx

from pipeline.exact.rounding import enclose, shift


def p_value(t: Any, degrees_of_freedom: int) -> Any:
    """Return the probability of a |t| at least as large, as a ball. t: a ball.

    The probability falls as |t| grows, so its ends are at the ends of |t|. FLINT would integrate
    over a wide ball for hours, or fail.
    """
    smallest, largest = t.abs_lower(), t.abs_upper()
    return _p_value(smallest, degrees_of_freedom).union(_p_value(largest, degrees_of_freedom))


def _p_value(t: Any, free: int) -> Any:
    """Return the regularized incomplete beta function I_z(free/2, 1/2) at z = free / (free + t²).

    t: a ball without a radius; free: the degrees of freedom.
    """
    square, half = t * t, arb(1) / 2
    if square < 1:  # z is near to 1, and 1 − z has the digits
        return 1 - (square / (free + square)).beta_lower(half, half * free, regularized=True)
    return (free / (free + square)).beta_lower(half * free, half, regularized=True)


def quantile(confidence: Fraction, degrees_of_freedom: int) -> Any:
    """Return the t for which |T| ≤ t has the probability `confidence`, as a ball.

    By Newton's method. The ends of the ball are proved by the signs of the p-value less
    1 − confidence there.
    """
    free = degrees_of_freedom
    alpha = enclose(1 - confidence)
    precision = ctx.prec
    # Bisection first: from further away Newton's method might not converge.
    low, high = arb(1), arb(13)  # 12.7 with one degree of freedom
    ctx.prec = 64
    for _ in range(20):
        middle = ((low + high) / 2).mid()
        if p_value(middle, free) > alpha:
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
        t = (t + (p_value(t, free) - alpha) / (2 * density)).mid()
        if ctx.prec == precision + 32:
            break
    ctx.prec = precision + 32
    t = (t + (p_value(t, free) - alpha) / (2 * density)).mid()
    for bits in range(precision, 16, -8):
        radius = shift(arb(1), 2 - bits)
        below, above = t - radius, t + radius
        if p_value(below, free) > alpha and p_value(above, free) < alpha:
            ctx.prec = precision
            return below.union(above)
    raise AssertionError("Newton's method has not converged")
