"""A weighted fit has the figures of statsmodels' WLS, and of the repeated rows."""

from dataclasses import replace

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.typing import NDArray

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit

Floats = NDArray[np.float64]
QUERIES = np.array([[0.3, -1.0], [2.0, 0.5]])


def a_table() -> tuple[Floats, Floats, Floats]:
    """Return x, y, and weights that are inverse variances."""
    random = np.random.default_rng(0)
    x, weights = random.normal(size=(60, 2)), random.uniform(0.1, 4, 60)
    y = 3 + x @ [2.0, -1.0] + random.normal(size=60) / np.sqrt(weights)
    return x, y, weights


@pytest.mark.parametrize("intercept", [True, False])
def test_precisions_are_those_of_wls(intercept: bool) -> None:
    x, y, weights = a_table()
    ours = fit(gram_matrix(x, y[:, None], weights=weights), ["a", "b"], ["y"], intercept)
    design = sm.add_constant(x) if intercept else x
    theirs = sm.WLS(y, design, weights=weights).fit()
    order = [1, 2, 0] if intercept else [0, 1]
    assert ours.degrees_of_freedom == theirs.df_resid
    assert np.allclose(ours._coefficients[0], theirs.params[order], rtol=1e-11)
    assert np.allclose(ours.std_error[0], theirs.bse[order], rtol=1e-11)
    assert np.allclose(ours.p[0], theirs.pvalues[order], rtol=1e-9)
    assert np.allclose(ours.r2, theirs.rsquared, rtol=1e-11)
    queries = np.column_stack([np.ones(2), QUERIES]) if intercept else QUERIES
    frame = theirs.get_prediction(queries).summary_frame()
    for figures, name in zip(
        ours.predict(QUERIES), ("mean", "obs_ci_lower", "obs_ci_upper"), strict=True
    ):
        assert np.allclose(figures[:, 0], frame[name], rtol=1e-11), name
    interval = ours.interval()
    half, _ = interval.half_width(QUERIES)
    assert np.allclose(half[:, 0], (frame["obs_ci_upper"] - frame["obs_ci_lower"]) / 2, rtol=1e-9)


def test_frequencies_are_those_of_glm() -> None:
    x, y, _ = a_table()
    times = np.arange(60) % 3 + 1.0
    gram = gram_matrix(x, y[:, None], weights=times)
    ours = fit(replace(gram, rows=int(gram.weight)), ["a", "b"], ["y"])
    theirs = sm.GLM(y, sm.add_constant(x), freq_weights=times).fit()
    assert ours.degrees_of_freedom == theirs.df_resid == 117
    assert np.allclose(ours._coefficients[0], theirs.params[[1, 2, 0]], rtol=1e-9)
    assert np.allclose(ours.std_error[0], theirs.bse[[1, 2, 0]], rtol=1e-9)
