"""A power is the float64 nearest to it, for every number and on every processor."""

import math
from fractions import Fraction

import numpy as np
import pytest

from pipeline.exact.powers import MOST_POWER, power


def nearest(value: float, exponent: int) -> float:
    exact = Fraction(value) ** exponent
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


@pytest.mark.parametrize("exponent", [2, 3, 4, 7, 10, MOST_POWER])
def test_each_power_is_rounded_once(exponent: int) -> None:
    random = np.random.default_rng(exponent)
    values = np.concatenate(
        [
            random.normal(size=300),
            np.ldexp(random.uniform(1, 2, 300), random.integers(-1080, 1024, 300)),
            random.integers(-(2**20), 2**20, 300).astype(np.float64),
            # Some of their powers lie in the middle of two floats, or next to it.
            np.arange(2.0**18 - 50, 2.0**18 + 50),
            1 + np.arange(-50, 50) * 2.0**-52,
            random.normal(size=50).astype(np.float32).astype(np.float64),
            [5e-324, 2.0**-1022, 1.7976931348623157e308, 0.1, 1e154, -1e103],
        ]
    )
    right = [nearest(value, exponent) for value in values.tolist()]
    np.testing.assert_array_equal(power(values, exponent), right)


def test_integers_below_two_to_the_53_are_exact() -> None:
    values = np.arange(-200_000.0, 200_000.0, 7)
    assert power(values, 3).tolist() == [int(value) ** 3 for value in values.tolist()]


def test_what_is_no_finite_number_stays_what_it_is() -> None:
    values = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0])
    result = power(values, 3)
    np.testing.assert_array_equal(result, [np.nan, np.inf, -np.inf, 0.0, 0.0])
    assert power(np.array([]), 3).shape == (0,)
