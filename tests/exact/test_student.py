"""Student's t distribution against SciPy's, and beyond what SciPy computes."""

from fractions import Fraction

import pytest
from flint import arb
from scipy import stats

from pipeline.exact import student
from pipeline.exact.rounding import precision


@pytest.mark.parametrize("degrees_of_freedom", [1, 2, 5, 30, 1000, 10**6])
def test_quantiles_and_p_values(degrees_of_freedom: int) -> None:
    with precision(128):
        quantile = student.quantile(Fraction(95, 100), degrees_of_freedom)
        assert quantile.rel_accuracy_bits() > 100
        assert float(quantile.mid()) == pytest.approx(
            stats.t.ppf(0.975, degrees_of_freedom), rel=1e-12
        )
        for t in (0.0, 0.1, 2.5, -40.0):
            p = student.p_value(arb(t), degrees_of_freedom)
            assert float(p.mid()) == pytest.approx(
                2 * stats.t.sf(abs(t), degrees_of_freedom), rel=1e-11
            )


def test_a_wide_t_has_a_wide_p() -> None:
    """A t that is known to no digit: every p-value in it is in the ball."""
    with precision(128):
        p = student.p_value(arb(0, 1000), 3)
        assert p.contains(1)
        assert p.contains(student.p_value(arb(999), 3))
