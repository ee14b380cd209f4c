"""Errors of exact fits to the training rows of each fold."""

import numpy as np
import pytest
from swept import NoRows, summary, swept_job

from pipeline.exact.penalties import Penalty
from pipeline.learning import exact_folds
from pipeline.learning.fold_parts import of_fold
from pipeline.learning.one_by_one import trial


def test_figures_are_those_of_one_fit_for_each_fold() -> None:
    penalties = [Penalty(0.0, 0.3)] * 2
    whole = summary()
    by_fold = exact_folds.figures(swept_job(), whole, penalties)
    assert len(by_fold) == len(whole.folds) == 4
    job = swept_job(
        train__optimizer="exact", train__l2=0.3, train__reduce_rows="auto", model__dtype="float64"
    )
    for fold, figures in zip(whole.folds_with_rows, by_fold, strict=True):
        alone = trial(job, of_fold(whole, fold), NoRows(), NoRows()).figures
        assert figures == pytest.approx(
            {"rmse": alone["test.rmse"], "r2": alone["test.r2"]}, rel=1e-12
        )
    errors = exact_folds.errors(whole, penalties, True)
    assert np.sqrt(np.mean(errors, axis=1)) == pytest.approx([each["rmse"] for each in by_fold])


def test_one_fold_has_no_figures() -> None:
    assert exact_folds.figures(swept_job(), summary(folds=1), [Penalty()] * 2) == []
