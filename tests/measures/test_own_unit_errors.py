"""Figures in the targets' own units are those of all rows, however the rows are divided."""

import numpy as np
import pytest

from pipeline.measures.own_unit_errors import OwnUnitErrors
from pipeline.settings.errors import UserError


def test_figures_are_those_of_all_rows() -> None:
    random = np.random.default_rng(0)
    y = np.exp(random.normal(size=(500, 2)) * [1, 3])
    predicted = y * np.exp(random.normal(size=y.shape) * 0.1)
    whole = OwnUnitErrors.of(y, predicted)
    first, rest = (OwnUnitErrors.of(y[part], predicted[part]) for part in (slice(3), slice(3, 500)))
    figures = whole.figures()
    assert (OwnUnitErrors.of_no_rows(2) + rest + first).figures() == figures
    error = y - predicted
    assert figures["own_unit_rmse"] == pytest.approx(np.sqrt((error**2).mean()), rel=1e-13)
    assert figures["own_unit_mae"] == pytest.approx(np.abs(error).mean(), rel=1e-13)
    around = ((y - y.mean(axis=0)) ** 2).sum()
    assert figures["own_unit_r2"] == pytest.approx(1 - (error**2).sum() / around, rel=1e-13)


def test_constant_targets_have_no_r2_and_rows_may_be_none() -> None:
    y = np.full((3, 1), 7.0)
    assert OwnUnitErrors.of(y, y + 1).figures() == {
        "own_unit_rmse": 1.0,
        "own_unit_mae": 1.0,
        "own_unit_r2": None,
    }
    none = OwnUnitErrors.of(y[:0], y[:0])
    assert none + OwnUnitErrors.of(y, y) == OwnUnitErrors.of(y, y)


@pytest.mark.parametrize("answer", [np.inf, 1e200, np.nan])
def test_an_answer_beyond_float64_is_refused_with_a_cure(answer: float) -> None:
    with pytest.raises(UserError, match="far larger than the table has; look for features"):
        OwnUnitErrors.of(np.ones((2, 1)), np.array([[1.0], [answer]]))
