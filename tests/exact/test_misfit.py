"""Tests of a fit's assumptions beside statsmodels', and where there is nothing to test."""

import numpy as np
import pytest
import statsmodels.api as sm
from diagnosed import diagnosis, in_bits, uneven
from statsmodels.stats.diagnostic import het_breuschpagan, linear_reset
from statsmodels.stats.stattools import durbin_watson, jarque_bera

from pipeline.exact import misfit


@pytest.mark.parametrize("intercept", [True, False])
def test_tests_are_those_of_statsmodels(intercept: bool) -> None:
    x, y = uneven(300)
    made = diagnosis(x, y, intercept, ends=[1, 120])
    design = np.column_stack([x, np.ones(300)]) if intercept else x
    fitted = sm.OLS(y, design).fit()
    diagnosed, (sums,) = made.diagnosed, made.sums.targets
    pagan = misfit.breusch_pagan(diagnosed, sums)
    assert pagan is not None
    expected = het_breuschpagan(fitted.resid, np.column_stack([x, np.ones(300)]))[:2]
    assert (pagan.statistic, pagan.p) == pytest.approx(expected, rel=1e-9)
    shape = misfit.jarque_bera(diagnosed, sums)
    assert shape is not None
    figures = shape.test.statistic, shape.test.p, shape.skewness, shape.kurtosis
    assert figures == pytest.approx(jarque_bera(fitted.resid), rel=1e-9)
    found = misfit.durbin_watson(diagnosed, sums, 0)
    assert found == pytest.approx(durbin_watson(fitted.resid), rel=1e-11)
    reset = misfit.reset(diagnosed, sums, 0)
    assert reset is not None
    expected = linear_reset(fitted, 3, use_f=True)
    assert (reset.statistic, reset.p) == pytest.approx(
        (expected.statistic, float(expected.pvalue)), rel=1e-8
    )


def test_powers_of_large_fitted_values_keep_their_digits() -> None:
    """Of Longley's table statsmodels' RESET is 6.9, because ŷ³ is near 10¹⁵; it is 2.27."""
    data = sm.datasets.longley.load_pandas()
    x, y = data.exog.to_numpy(float), data.endog.to_numpy(float)
    made = diagnosis(x, y)
    reset = misfit.reset(made.diagnosed, made.sums.targets[0], 0)
    assert reset is not None
    assert reset.statistic == pytest.approx(in_bits(x, y).reset, rel=1e-9)


def test_two_groups_have_no_functional_form() -> None:
    """The fitted values of one column of 0 and 1 are two: each power is a line of them."""
    x = (np.arange(30) % 2).astype(float)[:, None]
    y = x[:, 0] + np.random.default_rng(0).normal(size=30)
    made = diagnosis(x, y)
    assert misfit.reset(made.diagnosed, made.sums.targets[0], 0) is None


def test_a_constant_among_the_features_of_a_model_without_bias() -> None:
    x, y = uneven(100)
    x[:, 1] = 1
    pagan = [
        misfit.breusch_pagan(made.diagnosed, made.sums.targets[0])
        for made in (diagnosis(x, y, False), diagnosis(x[:, [0, 2, 3]], y))
    ]
    first, second = pagan
    assert first is not None
    assert second is not None
    assert (first.statistic, first.p) == pytest.approx((second.statistic, second.p), rel=1e-9)


def test_an_exact_fit_has_nothing_to_test() -> None:
    x = np.arange(12.0).reshape(6, 2) ** 2
    made = diagnosis(x, x @ [1.0, 2.0] + 3)
    sums = made.sums.targets[0]
    assert misfit.breusch_pagan(made.diagnosed, sums) is None
    assert misfit.jarque_bera(made.diagnosed, sums) is None
    assert misfit.durbin_watson(made.diagnosed, sums, 0) is None
    assert misfit.reset(made.diagnosed, sums, 0) is None
