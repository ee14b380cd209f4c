"""The pass over the rows of a fit: leverage, residuals, and the rows that move the fit most."""

import numpy as np
import pytest
import statsmodels.api as sm
from diagnosed import diagnosis, in_bits, uneven

from pipeline.exact.influence import MOST_ROWS
from pipeline.exact.orthonormal import Basis


@pytest.mark.parametrize("intercept", [True, False])
def test_the_most_influential_rows_are_those_of_statsmodels(intercept: bool) -> None:
    x, y = uneven(200)
    made = diagnosis(x, y, intercept, ends=[30, 31, 120])
    design = np.column_stack([x, np.ones(200)]) if intercept else x
    influence = sm.OLS(y, design).fit().get_influence()
    rows, cooks = made.sums.targets[0].influential, influence.cooks_distance[0]
    assert rows.places.tolist() == np.argsort(-cooks)[:MOST_ROWS].tolist()
    np.testing.assert_allclose(rows.cooks, cooks[rows.places], 1e-10)
    np.testing.assert_allclose(rows.leverage, influence.hat_matrix_diag[rows.places], 1e-11)
    residual = np.ldexp(rows.residual, made.diagnosed.units[0])
    np.testing.assert_allclose(residual, influence.resid[rows.places], 1e-10)
    assert made.sums.largest == pytest.approx(influence.hat_matrix_diag.max(), rel=1e-11)


def test_collinear_columns_cost_no_digits_of_leverage_and_residuals() -> None:
    data = sm.datasets.longley.load_pandas()
    x, y = data.exog.to_numpy(float), data.endog.to_numpy(float)
    rows, right = diagnosis(x, y).sums.targets[0].influential, in_bits(x, y)
    np.testing.assert_allclose(rows.leverage, right.leverage[rows.places], 1e-12)
    basis = Basis.of(diagnosis(x, y).fit)
    residual = y - basis.target_centre[0] - basis.applied(x)[1][0]
    np.testing.assert_allclose(residual, right.residual, 1e-9)


def test_no_feature_and_no_degree_of_freedom() -> None:
    y = np.array([1.0, 2.0, 4.0])
    made = diagnosis(np.empty((3, 0)), y)
    assert made.sums.targets[0].influential.leverage == pytest.approx([1 / 3] * 3)
    full = diagnosis(np.array([[1.0, 5.0], [2.0, 3.0], [3.0, 9.0]]), y)
    assert full.sums.targets[0].influential.cooks.tolist() == []
    assert full.sums.alone.places.tolist() == [0, 1, 2]
