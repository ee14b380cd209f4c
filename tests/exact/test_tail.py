"""Tail probabilities against SciPy's, and beyond what SciPy computes."""

import pytest
from flint import arb
from scipy import stats

from pipeline.exact import tail
from pipeline.exact.rounding import precision


@pytest.mark.parametrize("value", [0.0, 0.3, 3.0, 40.0, 600.0])
def test_probabilities_are_those_of_scipy(value: float) -> None:
    with precision(128):
        for first in (1, 2, 21):
            p = float(tail.chi_squared(arb(value), first).mid())
            assert p == pytest.approx(stats.chi2.sf(value, first), rel=1e-11)
            for second in (1, 30, 1_000_000):
                p = float(tail.f(arb(value), first, second).mid())
                assert p == pytest.approx(stats.f.sf(value, first, second), rel=1e-9)


def test_the_probability_of_a_large_value_of_many_rows_keeps_its_digits() -> None:
    """It was what 128 bits leave of 1: of 10⁻³² three digits, of 10⁻³⁰⁰ none."""
    with precision(128):
        for value in (72.7, 300.0, 690.0):
            p = float(tail.f(arb(value), 2, 1_000_000).mid())
            assert p == pytest.approx(stats.f.sf(value, 2, 1_000_000), rel=1e-9)
            assert p == pytest.approx((1 + value * 2e-6) ** -500_000, rel=1e-9)


def test_a_probability_too_small_for_float64_is_zero() -> None:
    with precision(128):
        assert float(tail.chi_squared(arb(1e6), 20).mid()) == 0.0
        assert float(tail.f(arb(1e6), 2, 1_000_000).mid()) == 0.0
