"""Errors of exact fits to the training rows of each fold, on its test rows: from sums alone."""

import math
from collections.abc import Sequence
from fractions import Fraction

from pipeline.columns.summary import Summary
from pipeline.exact.cross_validation import cross_validate
from pipeline.exact.penalties import Penalty
from pipeline.exact.rounding import nearest
from pipeline.settings.params import Params


def errors(
    summary: Summary, penalties: Sequence[Penalty], has_bias: bool
) -> list[tuple[float, ...]]:
    """Return the mean squared error of each target on the test rows of each fold with rows.

    Of the unrounded solutions, rounded once; infinite if it is beyond float64. penalties: one for
    each target. Returns [folds, targets], empty if fewer than two folds have rows.
    """
    if not (folds := summary.folds_with_rows):
        return []
    features = summary.features
    scores = cross_validate(
        [fold.test.gram for fold in folds],
        *(features, summary.targets, has_bias),
        [(penalty,) for penalty in penalties],
        summary.roundoff(features),
        [fold.training.gram for fold in folds],
    )
    return [*zip(*(each.mse[0].tolist() for each in scores), strict=True)]


def figures(
    params: Params, summary: Summary, penalties: Sequence[Penalty]
) -> list[dict[str, float]]:
    """Return rmse and r2 of each fold, over all rows and targets of it: see `errors`.

    No r2 if its targets are constant. Figures beyond float64 are infinite; without a finite rmse
    there is no r2.
    """
    by_fold, features = errors(summary, penalties, params.model.bias), len(summary.features)
    return [
        _of_fold(of_targets, fold.test.variation_of_targets(features) / fold.test.weight)
        for fold, of_targets in zip(summary.folds_with_rows, by_fold, strict=True)
    ]


def _of_fold(errors: Sequence[float], variation: Fraction) -> dict[str, float]:
    """Return the figures. variation: sum over the targets of the mean squares around the mean."""
    if not all(map(math.isfinite, errors)):
        return {"rmse": math.inf}
    error = sum(map(Fraction, errors))
    rmse = {"rmse": math.sqrt(error / len(errors))}
    return rmse | ({"r2": nearest(1 - error / variation, "float64")} if variation else {})
