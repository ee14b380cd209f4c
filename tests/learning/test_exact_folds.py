"""Errors of exact fits to the training rows of each fold."""

from dataclasses import replace

import numpy as np
import pytest
from folded import features, in_folds
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


def test_columns_that_nearly_depend_in_float32_are_left_out_in_the_folds() -> None:
    """Three percentages: what they lack to 100 is the rounding of a column of float32."""
    random = np.random.default_rng(1)
    shares = (random.dirichlet([1.0, 1, 1], 60) * 100).astype(np.float32).astype(np.float64)
    y = shares[:, 0] / 50 + random.normal(size=60)
    rows = np.arange(60)
    folds = [(rows[rows % 4 != fold], rows[rows % 4 == fold]) for fold in range(4)]
    whole = replace(in_folds(shares, y, folds), float32=frozenset(features(3)))
    two = in_folds(shares[:, :2], y, folds)
    assert exact_folds.errors(whole, [Penalty()], True) == exact_folds.errors(
        two, [Penalty()], True
    )
    in_float64 = replace(whole, float32=frozenset())
    assert exact_folds.errors(in_float64, [Penalty()], True) != exact_folds.errors(
        two, [Penalty()], True
    )
