"""Variance inflation factors, exact, with and without a constant."""

import numpy as np
import pytest
from diagnosed import uneven
from statsmodels.stats.outliers_influence import variance_inflation_factor

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.inflation import inflation_factors
from pipeline.exact.least_squares import fit


@pytest.mark.parametrize("intercept", [True, False])
def test_factors_are_those_of_statsmodels_with_a_constant(intercept: bool) -> None:
    """Statsmodels' factors are others if its user forgets the constant (its issue 2376)."""
    x, y = uneven(50)
    x[:, 3] += 5 * x[:, 0]
    gram = gram_matrix(x, y[:, None])
    factors = inflation_factors(fit(gram, list("abcd"), ["y"], intercept))
    design = np.column_stack([x, np.ones(50)])
    expected = [variance_inflation_factor(design, place) for place in range(4)]
    np.testing.assert_allclose(factors, expected, 1e-9)


def test_columns_that_are_left_out_or_sum_up_to_a_constant_have_none() -> None:
    x = np.random.default_rng(0).integers(0, 99, (20, 3)).astype(float)
    x[:, 1] = 3 - x[:, 0]
    gram = gram_matrix(x, x[:, :1] ** 2)
    with_bias = inflation_factors(fit(gram, list("abc"), ["y"]))
    assert np.isnan(with_bias).tolist() == [False, True, False]
    assert np.isnan(inflation_factors(fit(gram, list("abc"), ["y"], False))).tolist() == [
        True,
        True,
        False,
    ]
