"""Robust standard errors: statsmodels' digits, and those that statsmodels has not."""

import numpy as np
import pytest
import statsmodels.api as sm
from diagnosed import diagnosis, in_bits, uneven

from pipeline.exact import robust_errors


@pytest.mark.parametrize("intercept", [True, False])
def test_errors_are_those_of_statsmodels(intercept: bool) -> None:
    x, y = uneven(400)
    groups = np.arange(400) // 7
    made = diagnosis(x, y, intercept, groups, ends=[1, 150])
    design = np.column_stack([x, np.ones(400)]) if intercept else x
    fitted = sm.OLS(y, design).fit()
    of_clusters = fitted.get_robustcov_results("cluster", groups=groups)
    found = made.fit, made.diagnosed, made.sums
    np.testing.assert_allclose(robust_errors.hc1(*found)[0], fitted.HC1_se, 1e-10)
    np.testing.assert_allclose(robust_errors.hc3(*found)[0], fitted.HC3_se, 1e-10)
    clustered = robust_errors.clustered(made.fit, made.diagnosed, made.clusters)
    np.testing.assert_allclose(clustered[0], of_clusters.bse, 1e-10)


def test_collinear_columns_cost_no_digits() -> None:
    """Of Longley's table statsmodels gives eight digits of the HC3 errors."""
    data = sm.datasets.longley.load_pandas()
    x, y = data.exog.to_numpy(float), data.endog.to_numpy(float)
    made, right = diagnosis(x, y, ends=[5]), in_bits(x, y)
    found = made.fit, made.diagnosed, made.sums
    np.testing.assert_allclose(robust_errors.hc1(*found)[0], right.hc1, 1e-12)
    np.testing.assert_allclose(robust_errors.hc3(*found)[0], right.hc3, 1e-12)


def test_a_row_alone_in_a_level_has_no_hc3_error_and_the_other_terms_keep_theirs() -> None:
    x, y = uneven(60)
    level = np.zeros((60, 1))
    level[17] = 1
    made = diagnosis(np.hstack([x, level]), y)
    without = np.arange(60) != 17
    others = diagnosis(x[without], y[without])
    errors = robust_errors.hc3(made.fit, made.diagnosed, made.sums)[0]
    assert np.isnan(errors[4])
    expected = robust_errors.hc3(others.fit, others.diagnosed, others.sums)[0]
    np.testing.assert_allclose(errors[[0, 1, 2, 3, 5]], expected, 1e-9)
    assert made.sums.alone.places.tolist() == [17]


def test_two_targets_of_different_sizes_and_a_dependent_column() -> None:
    x, y = uneven(80)
    columns = np.column_stack([x, x[:, 0] + x[:, 3]])
    both = diagnosis(columns, np.column_stack([y, y * 2.0**40]), groups=np.arange(80) % 9)
    alone = diagnosis(x, y, groups=np.arange(80) % 9)
    for errors in (robust_errors.hc1, robust_errors.hc3):
        first, second = errors(both.fit, both.diagnosed, both.sums)
        assert np.isnan(first[4])
        np.testing.assert_array_equal(second, first * 2.0**40)
        expected = errors(alone.fit, alone.diagnosed, alone.sums)[0]
        np.testing.assert_allclose(first[[0, 1, 2, 3, 5]], expected, 1e-11)


def test_blocks_in_any_order_give_the_same_bits() -> None:
    """Of more rows than keep all bits, in blocks of other sizes, one with a large number."""
    x, y = uneven(20_000)
    x[11, 1] = 30
    groups = np.arange(20_000) % 11
    whole = diagnosis(x, y, groups=groups, ends=[16_384])
    again = diagnosis(x, y, groups=groups, ends=[3, 7_000])
    for errors in (robust_errors.hc1, robust_errors.hc3):
        first, second = (errors(made.fit, made.diagnosed, made.sums) for made in (whole, again))
        np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(whole.clusters[0].sums, again.clusters[0].sums)
    fitted = sm.OLS(y, np.column_stack([x, np.ones(20_000)])).fit()
    np.testing.assert_allclose(first[0], fitted.HC3_se, 1e-10)
