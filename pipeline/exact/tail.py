"""Tail probabilities of the chi-squared and the F distribution, in balls."""

from typing import Any

from flint import arb


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
        share = explained / (second + explained)
        return 1 - share.beta_lower(b, a, regularized=True)
    return (second / (second + explained)).beta_lower(a, b, regularized=True)
