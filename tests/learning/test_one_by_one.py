"""Figures of a configuration whose targets are near the ends of float64."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from swept import TARGETS, NoRows, part, swept_job, table, values

from pipeline.columns import in_memory
from pipeline.columns.summary import Summary, each_part_in_turn
from pipeline.exact.penalties import Penalty
from pipeline.learning.linear_sweep import LinearSweep
from pipeline.learning.one_by_one import trial
from pipeline.learning.outcomes import Trial
from pipeline.measures import folds
from pipeline.settings.errors import UserError

EXACT: dict[str, Any] = {
    "train__optimizer": "exact",
    "train__reduce_rows": "auto",
    "model__dtype": "float64",
}


def scaled(of_fold: list[float], of_test: float) -> Summary:
    """Return the summary of rows in folds whose targets are multiplied by these numbers."""
    rows = values()
    for fold, scale in enumerate(of_fold):
        rows[fold:150:4, 3:] *= scale
    rows[150:, 3:] *= of_test
    whole = in_memory.summary_of(table(rows[:150]), table(rows[150:]), TARGETS)
    parts = tuple(part(rows[fold:150:4]) for fold in range(4))
    return replace(whole, parts=parts, fold_places=each_part_in_turn(4))


EXTREMES = {
    "large": scaled([1e160] * 4, 1e160),
    "one fold is large": scaled([1, 1, 1, 1e160], 1),
    "small": scaled([1e-165] * 4, 1e-165),
    "one fold is small": scaled([1e5, 1e5, 1e5, 1e-160], 1e5),
    "held out is small": scaled([1e5] * 4, 1e-160),
    "held out is large": scaled([1.0] * 4, 1e160),
}


@pytest.mark.parametrize("name", EXTREMES)
@pytest.mark.parametrize("penalty", [{}, {"train__l2": 0.1}, {"train__l2": "cv"}])
@pytest.mark.filterwarnings("ignore:overflow encountered:RuntimeWarning")
def test_every_figure_is_finite_or_left_out(name: str, penalty: dict[str, Any]) -> None:
    summary = EXTREMES[name]
    check(trial(swept_job(**EXACT, **penalty), summary, NoRows(), NoRows()))
    if penalty:
        return
    descent = swept_job(train__lr=0.01, train__epochs=5, train__dtype="float64")
    for each in LinearSweep(summary).trials([descent]):
        check(each)
    check(trial(descent, summary, NoRows(), NoRows()))


@pytest.mark.parametrize("name", EXTREMES)
def test_metrics_are_finite_or_refused(name: str) -> None:
    def metrics() -> dict[str, Any]:
        return folds.in_metrics(swept_job(**EXACT), EXTREMES[name], [Penalty()] * 2)

    if name in ("large", "one fold is large", "one fold is small"):
        with pytest.raises(UserError, match="beyond what float64 holds"):
            metrics()
    else:
        figures = metrics()["cv"].values()
        assert np.isfinite([value for figure in figures for value in figure.values()]).all()


def check(made: Trial) -> None:
    """Raise AssertionError if a figure is not finite."""
    assert all(map(math.isfinite, made.figures.values())), made.figures
