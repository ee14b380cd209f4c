"""Tail probabilities of the chi-squared and the F distribution, in balls."""

from typing import Any

from flint import arb, ctx

from pipeline.exact.rounding import precision

GOOD_BITS = 64
SMALLEST_EXPONENT = -1100
"""A probability below 2^SMALLEST_EXPONENT is 0 as a float64."""


def chi_squared(value: Any, degrees_of_freedom: int) -> Any:
    """Return the probability of a value at least as large. value: a ball, not below 0.

    The radius is left out: FLINT would integrate over a wide ball for hours.
    """
    return (value.mid() / 2).gamma_upper(arb(degrees_of_freedom) / 2, regularized=True)


def f(value: Any, first: int, second: int) -> Any:
    """Return the probability of a value at least as large. value: as of `chi_squared`.

    first, second: degrees of freedom of the numerator and of the denominator. The regularized
    incomplete beta function I_z(second/2, first/2) at z = second / (second + first · value).
    """
    explained = first * value.mid()
    a, b = arb(second) / 2, arb(first) / 2
    if explained < second:  # z is near to 1, and 1 − z has the digits
        if _bound(second / (second + explained), a, b) < arb((1, SMALLEST_EXPONENT)):
            return arb(0)
        bits = ctx.prec
        while True:  # a small probability is what is left of 1
            with precision(bits):
                share = explained / (second + explained)
                ball = 1 - share.beta_lower(b, a, regularized=True)
            if ball.rel_accuracy_bits() >= GOOD_BITS:
                return ball
            bits *= 2
    return (second / (second + explained)).beta_lower(a, b, regularized=True)


def _bound(z: Any, a: Any, b: Any) -> Any:
    """Return a bound of the regularized incomplete beta function I_z(a, b).

    The integral over t from 0 to z of t^(a − 1) · (1 − t)^(b − 1), whose last factor is at most 1,
    or (1 − z)^(b − 1) if b is below 1.
    """
    whole = (a + b).lgamma() - (a + 1).lgamma() - b.lgamma()
    return (whole + a * z.log()).exp() * ((1 - z) ** (b - 1) if b < 1 else 1)
