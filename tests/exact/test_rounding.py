"""A ball rounds to the one float that is nearest to its number, or is not rounded at all."""

import math
from fractions import Fraction

import numpy as np
import pytest
from flint import arb
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.exact import rounding


@given(st.fractions(), st.integers(-1200, 1200))
@settings(deadline=None)
def test_fractions_round_as_python_and_numpy_do(value: Fraction, exponent: int) -> None:
    value *= Fraction(2) ** exponent
    try:
        expected = float(value)
    except OverflowError:
        expected = math.inf if value > 0 else -math.inf
    assert rounding.nearest(value, "float64") == expected
    # 24 bits are too few to be rounded twice: from a float64 that is exact, NumPy rounds once.
    exact = Fraction(expected) if math.isfinite(expected) else Fraction(0)
    with np.errstate(over="ignore", under="ignore"):
        assert rounding.nearest(exact, "float32") == float(np.float32(float(exact)))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_tie_goes_to_the_even_number_and_no_ball_around_it_is_certain(dtype: str) -> None:
    unit = Fraction(float(np.finfo(dtype).eps))
    tie = 1 + unit / 2
    assert rounding.nearest(tie, dtype) == 1
    assert rounding.nearest(tie + unit, dtype) == 1 + 2 * unit
    with rounding.precision(4096):
        ball = rounding.enclose(tie / 11) * 11
        assert rounding.certain(ball, dtype) is None
        assert rounding.settled(ball, dtype) == 1
        assert rounding.certain(ball + rounding.enclose(unit / 1000), dtype) == 1 + unit
        assert rounding.certain(arb("nan"), dtype) is None


def test_numbers_are_computed_again_with_more_bits() -> None:
    """1/3 less its first 60 digits: at 128 bits nothing is left."""
    digits = Fraction(int("3" * 60), 10**60)

    def numbers() -> list[arb]:
        return [rounding.enclose(Fraction(1, 3)) - rounding.enclose(digits)]

    assert rounding.rounded(numbers, "float64") == [float(Fraction(1, 3) - digits)]


def test_zero_has_no_sign() -> None:
    for value in (Fraction(0), Fraction(-1, 2**2000)):
        assert math.copysign(1, rounding.nearest(value, "float64")) == 1
