"""Diagnostics of weighted rows: those of rows times the roots of their weights, or repeated rows.

statsmodels has the robust errors of WLS, but no influence, and its RESET forgets the weights.
The right figures are those of OLS on rows times the roots of their weights, as in R.
"""

import math
from collections.abc import Iterator

import numpy as np
import pytest
import statsmodels.api as sm
from diagnosed import Diagnosis, diagnosis, uneven
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes
from statsmodels.stats.diagnostic import het_breuschpagan
from statsmodels.stats.stattools import durbin_watson, jarque_bera

from pipeline.exact import misfit, robust_errors, row_pass
from pipeline.exact.influence import Influential
from pipeline.measures.influence import studentized

Floats = NDArray[np.float64]
NINE_DIGITS = 1e-9


def tables() -> Iterator[tuple[Floats, Floats]]:
    """Yield x [rows, features] and y [rows] of three tables."""
    for name in ("stackloss", "ccard"):
        data = getattr(sm.datasets, name).load_pandas()
        yield data.exog.to_numpy(np.float64), data.endog.to_numpy(np.float64)
    yield load_diabetes(return_X_y=True)


TABLES = [*tables()]


def figures_of(made: Diagnosis) -> dict[str, tuple[float, ...]]:
    """Return the figures of the tests of the first target."""
    diagnosed, sums = made.diagnosed, made.sums.targets[0]
    pagan, shape = misfit.breusch_pagan(diagnosed, sums), misfit.jarque_bera(diagnosed, sums)
    reset, watson = misfit.reset(diagnosed, sums, 0), misfit.durbin_watson(diagnosed, sums, 0)
    assert pagan is not None
    assert shape is not None
    assert reset is not None
    assert watson is not None
    return {
        "pagan": (pagan.statistic, pagan.p),
        "shape": (shape.test.statistic, shape.test.p, shape.skewness, shape.kurtosis),
        "reset": (reset.statistic, reset.p),
        "watson": (watson,),
    }


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("table", range(len(TABLES)))
def test_precisions_are_those_of_rows_times_their_roots(table: int, intercept: bool) -> None:
    x, y = TABLES[table]
    rows = len(y)
    random = np.random.default_rng(table)
    weights, groups = random.uniform(0.05, 5, rows), random.integers(0, max(4, rows // 9), rows)
    _, groups = np.unique(groups, return_inverse=True)
    made = diagnosis(
        *(x, y, intercept, groups), ends=[7, 11], weights=weights, weighting="precision"
    )
    ones = np.ones((rows, 1))
    design, root = np.hstack([x, ones]) if intercept else x, np.sqrt(weights)
    wls = sm.WLS(y, design, weights=weights).fit(method="qr")
    whitened = sm.OLS(root * y, root[:, None] * design).fit(method="qr")
    found = made.fit, made.diagnosed, made.sums
    for kind, errors in (("HC1", robust_errors.hc1), ("HC3", robust_errors.hc3)):
        expected = wls.get_robustcov_results(kind).bse
        np.testing.assert_allclose(errors(*found)[0], expected, NINE_DIGITS)
    clustered = robust_errors.clustered(made.fit, made.diagnosed, made.clusters)
    expected = wls.get_robustcov_results("cluster", groups=groups).bse
    np.testing.assert_allclose(clustered[0], expected, NINE_DIGITS)

    influence, most = whitened.get_influence(), made.sums.targets[0].influential
    cooks = influence.cooks_distance[0]
    assert most.places.tolist() == np.argsort(-cooks)[: len(most.places)].tolist()
    np.testing.assert_allclose(most.cooks, cooks[most.places], NINE_DIGITS)
    leverage = influence.hat_matrix_diag[most.places]
    np.testing.assert_allclose(most.leverage, leverage, NINE_DIGITS)
    (squares,), (unit,) = made.diagnosed.squares, made.diagnosed.units
    residual = np.ldexp(most.residual, unit) / most.root
    np.testing.assert_allclose(residual, wls.resid[most.places], NINE_DIGITS)
    freedom = made.diagnosed.degrees_of_freedom - 1
    pairs = zip(most.residual.tolist(), most.leverage.tolist(), strict=True)
    outside = [studentized(*pair, squares, freedom) for pair in pairs]
    left = whitened.ssr - whitened.resid**2 / (1 - influence.hat_matrix_diag)
    expected = influence.get_resid_studentized_external(np.sqrt(left / freedom))
    np.testing.assert_allclose(np.array(outside, float), expected[most.places], NINE_DIGITS)

    with_ones = design if intercept else np.hstack([x, ones])
    centred = wls.fittedvalues - (np.average(y, weights=weights) if intercept else 0)
    powers = np.column_stack([centred**2, centred**3]) / np.abs(centred).max() ** [2, 3]
    more = sm.WLS(y, np.hstack([design, powers]), weights=weights).fit(method="qr")
    reset = more.compare_f_test(wls)
    figures = figures_of(made)
    assert figures["reset"] == pytest.approx(reset[:2], rel=1e-8)
    expected = het_breuschpagan(wls.wresid, with_ones)[:2]
    assert figures["pagan"] == pytest.approx(expected, rel=NINE_DIGITS)
    assert figures["shape"] == pytest.approx(jarque_bera(wls.wresid), rel=NINE_DIGITS)
    assert figures["watson"] == pytest.approx((durbin_watson(wls.wresid),), rel=NINE_DIGITS)


@pytest.mark.parametrize("keeps_all_bits", [True, False])
def test_frequencies_are_repeated_rows_bit_for_bit(
    monkeypatch: pytest.MonkeyPatch, keeps_all_bits: bool
) -> None:
    """Also of many rows, whose numbers are rounded: HC1, HC3, clusters, tests and influence."""
    monkeypatch.setattr(row_pass, "ALL_BITS_ROWS", 10**6 if keeps_all_bits else 0)
    x, y = uneven(700)
    x[3, 0] = 1e4  # beyond what fits among rounded rows
    random = np.random.default_rng(1)
    times = random.choice([1, 1, 2, 3, 900], 700)
    groups, again = np.arange(700) // 9, np.repeat(np.arange(700), times)
    short = diagnosis(
        *(x, y), groups=groups, ends=[33], weights=times.astype(float), weighting="frequency"
    )
    long = diagnosis(x[again], y[again], groups=groups[again], ends=[4000])
    assert short.diagnosed.rows == len(again)
    for errors in (robust_errors.hc1, robust_errors.hc3):
        few, many = (errors(each.fit, each.diagnosed, each.sums) for each in (short, long))
        assert few.tolist() == many.tolist()
    clustered = [
        robust_errors.clustered(each.fit, each.diagnosed, each.clusters) for each in (short, long)
    ]
    assert clustered[0].tolist() == clustered[1].tolist()
    assert figures_of(short) == figures_of(long)
    most, of_copies = (each.sums.targets[0].influential for each in (short, long))
    assert len({*most.places.tolist()}) == len(most.places) == 20
    ranked = {float(cooks): int(again[at]) for cooks, at in zip(*_of(of_copies), strict=True)}
    assert [*ranked.items()] == [*zip(*(each.tolist() for each in _of(most)), strict=True)][
        : len(ranked)
    ]
    assert short.sums.largest == long.sums.largest


def _of(rows: Influential) -> tuple[Floats, NDArray[np.int64]]:
    return rows.cooks, rows.places


def test_no_figure_depends_on_the_unit_of_precisions() -> None:
    x, y = uneven(300)
    weights = np.random.default_rng(2).uniform(0.1, 3, 300)
    for unit in (2.0**-200, 2.0**200):
        one, other = (
            diagnosis(x, y, weights=each, weighting="precision")
            for each in (weights, unit * weights)
        )
        for errors in (robust_errors.hc1, robust_errors.hc3):
            first, second = (errors(each.fit, each.diagnosed, each.sums) for each in (one, other))
            np.testing.assert_allclose(first, second, 1e-12)
        first_tests, second_tests = figures_of(one), figures_of(other)
        for name, figures in first_tests.items():
            assert second_tests[name] == pytest.approx(figures, rel=1e-12)


def test_many_rows_with_precisions_keep_nine_digits_and_their_bits() -> None:
    """Their numbers are rounded to a unit, however rows are divided; some weights are extreme."""
    x, y = uneven(20_000)
    weights = np.random.default_rng(4).uniform(0.1, 3, 20_000)
    weights[[5, 500]] = 1e-6, 1e4
    y = x @ [1, 20, 0.3, 4] + (y - x @ [1, 20, 0.3, 4]) / np.sqrt(weights)
    made, again = (
        diagnosis(x, y, ends=ends, weights=weights, weighting="precision")
        for ends in ([1, 9_000], [12_345])
    )
    wls = sm.WLS(y, np.column_stack([x, np.ones(20_000)]), weights=weights).fit()
    for kind, errors in (("HC1", robust_errors.hc1), ("HC3", robust_errors.hc3)):
        found = errors(made.fit, made.diagnosed, made.sums)
        np.testing.assert_allclose(found[0], wls.get_robustcov_results(kind).bse, NINE_DIGITS)
        assert found.tolist() == errors(again.fit, again.diagnosed, again.sums).tolist()
    expected = het_breuschpagan(wls.wresid, wls.model.exog)[:2]
    assert figures_of(made)["pagan"] == pytest.approx(expected, rel=NINE_DIGITS)
    assert figures_of(made) == figures_of(again)


def test_a_row_of_a_huge_precision_determines_a_coefficient() -> None:
    x, y = uneven(50)
    weights = np.ones(50)
    weights[9] = 1e12
    made = diagnosis(x, y, weights=weights, weighting="precision")
    assert made.sums.alone.places.tolist() == [9]
    assert made.sums.largest == 1.0
    assert math.isfinite(figures_of(made)["pagan"][0])
