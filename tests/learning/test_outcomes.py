"""Which configuration of a sweep is best."""

import math

import pytest

from pipeline.learning.outcomes import Outcome, best_first, check_metric, of_folds
from pipeline.settings.errors import UserError


def test_the_best_is_first_and_what_has_no_figure_is_left_out() -> None:
    figures = [0.3, 0.1, None, 0.1, math.inf]
    outcomes = [
        Outcome(number, {}, {} if figure is None else {"test.r2": figure, "test.rmse": figure})
        for number, figure in enumerate(figures, 1)
    ]
    assert [each.number for each in best_first(outcomes, "test.rmse")] == [2, 4, 1]
    assert [each.number for each in best_first(outcomes, "test.r2")] == [1, 2, 4]


def test_mean_and_deviation_of_the_folds() -> None:
    folds = [{"rmse": 1.0, "r2": 0.5}, {"rmse": 3.0, "r2": 0.7}]
    assert of_folds(folds) == pytest.approx(
        {"cv.rmse.mean": 2, "cv.rmse.std": 2**0.5, "cv.r2.mean": 0.6, "cv.r2.std": 0.02**0.5}
    )
    # As in metrics.json: a fold whose targets are constant has no R².
    constant = of_folds([{"rmse": 1.0}, {"rmse": 3.0, "r2": 0.7}])
    assert set(constant) == {"cv.rmse.mean", "cv.rmse.std", "cv.r2.mean"}
    assert of_folds([{"rmse": 1.0}, {}]) == of_folds([{"rmse": 1.0}, {"rmse": math.inf}]) == {}
    assert of_folds([]) == {}


def test_an_unknown_metric_is_refused_with_all_that_there_are() -> None:
    with pytest.raises(UserError, match="found rmse; must be one of cv.rmse.mean, cv.r2.mean"):
        check_metric("rmse")
