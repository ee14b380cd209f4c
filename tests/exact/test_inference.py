"""Standard errors, t, p and intervals are those of the textbook, and of statsmodels."""

import math

import numpy as np
import pytest
import statsmodels.api as sm
from exact_tables import residual_std_error
from sklearn.datasets import load_diabetes

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import Fit, fit


def test_p_of_columns_that_thousands_of_bits_lie_apart() -> None:
    """Their t is known to no digit for long; with two degrees of freedom p is a square root."""
    table = [[-2, 1e9, 2, -2], [-2, 1e9, 2, 0], [0, -2, 0, 0], [-2e-17, -1e-38, 2e-308, 0]]
    for row in ([0, 0, 2e-308, 1], [1, 0, 0, 2e-308], [0.3, 0.7, 0, 1]):
        solution = fit(
            gram_matrix(np.array([*table, row])), ["a", "b", "c"], ["y"], intercept=False
        )
        assert solution.degrees_of_freedom == 2
        assert solution.p == pytest.approx(
            1 - np.abs(solution.t) / np.sqrt(2 + solution.t**2), rel=1e-14
        )


def test_t_p_and_intervals_hold_far_out() -> None:
    """A million degrees of freedom, and a p below the smallest float."""
    x = np.tile(np.arange(1000.0), 1000)
    noise = np.tile([1.0, -1.0, -1.0, 1.0], 250_000)
    solution = fit(gram_matrix(np.column_stack([x, noise, x + noise])), ["x", "n"], ["y"])
    assert not any(solution.squares)
    solution = fit(gram_matrix(np.column_stack([x, x + noise])), ["x"], ["y"])
    assert solution.p[0, 0] == 0
    assert solution.t[0, 0] > 1e5
    reach = (solution.ci_high - solution.ci_low)[0] / 2 / solution.std_error[0]
    np.testing.assert_allclose(reach, 1.9599663, rtol=1e-6)


def against_statsmodels(solution: Fit, other: sm.regression.linear_model.RegressionResults) -> None:
    """Every figure to 10 digits; statsmodels has the intercept first."""
    order = [*range(1, len(other.params)), 0]
    ours = np.append(solution.weight[0], solution.bias[0])
    np.testing.assert_allclose(ours, other.params[order], rtol=1e-10)
    np.testing.assert_allclose(solution.std_error[0], other.bse[order], rtol=1e-10)
    np.testing.assert_allclose(solution.t[0], other.tvalues[order], rtol=1e-10)
    np.testing.assert_allclose(solution.p[0], other.pvalues[order], rtol=1e-10)
    np.testing.assert_allclose(solution.r2[0], other.rsquared, rtol=1e-10)
    ends = np.stack([solution.ci_low[0], solution.ci_high[0]], axis=1)
    np.testing.assert_allclose(ends, other.conf_int()[order], rtol=1e-10)
    np.testing.assert_allclose(
        residual_std_error(solution)[0], math.sqrt(other.mse_resid), rtol=1e-10
    )


def test_the_diabetes_set_against_statsmodels() -> None:
    data = load_diabetes(scaled=False)
    solution = fit(
        gram_matrix(np.column_stack([data.data, data.target])), data.feature_names, ["y"]
    )
    other = sm.OLS(data.target, sm.add_constant(data.data)).fit()
    against_statsmodels(solution, other)
    assert not solution.nearly_dependent
    queries = data.data[:5] * 1.1
    value, low, high = solution.predict(queries)
    frame = other.get_prediction(sm.add_constant(queries)).summary_frame(alpha=0.05)
    np.testing.assert_allclose(value[:, 0], frame["mean"], rtol=1e-10)
    np.testing.assert_allclose(low[:, 0], frame["obs_ci_lower"], rtol=1e-10)
    np.testing.assert_allclose(high[:, 0], frame["obs_ci_upper"], rtol=1e-10)
