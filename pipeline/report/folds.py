"""Cross-validated figures of an exact fit, for metrics.json: from the sums of the folds alone."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from pipeline.columns.summary import Summary
from pipeline.exact.cross_validation import cross_validate, spread
from pipeline.exact.gram import Gram
from pipeline.exact.penalties import Penalty
from pipeline.report.model_errors import TOO_LARGE
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params


def in_metrics(params: Params, summary: Summary, penalties: Sequence[Penalty]) -> dict[str, Any]:
    """Return the entry of metrics.json: rmse and R² of fits to the folds, on their test rows.

    {"cv": {"rmse": {"mean", "std"}, "r2": {"mean", "std"}}}, over all rows and targets of a fold as
    in the other metrics, std with folds − 1. Nothing without `train.optimizer: exact`, and if fewer
    than two folds have rows.
    penalties: one for each target.
    Raises UserError if a figure is beyond what float64 holds.
    """
    if params.train.optimizer != "exact" or not (folds := summary.folds_with_rows):
        return {}
    features = summary.features
    scores = cross_validate(
        [fold.test.gram for fold in folds],
        *(features, summary.targets, params.model.bias),
        [(penalty,) for penalty in penalties],
        summary.roundoff(features),
        [fold.training.gram for fold in folds],
    )
    by_fold = zip(*(each.mse[0].tolist() for each in scores), strict=True)
    rmse, r2 = [], []
    for fold, errors in zip(folds, by_fold, strict=True):
        if not all(map(math.isfinite, errors)):
            raise UserError(TOO_LARGE)
        error = sum(map(Fraction, errors))
        rmse.append(math.sqrt(error / len(errors)))
        if (variation := _variation(fold.test.gram, len(features))) is not None:
            r2.append(float(1 - error / variation))
    return {"cv": {"rmse": _spread(rmse), "r2": _spread(r2)}}


def _variation(fold: Gram, features: int) -> Fraction | None:
    """Return the mean squares of the targets around their means; None if they are constant."""
    targets = range(1 + features, len(fold.exponents))
    return sum((fold.variation(target) for target in targets), Fraction(0)) / fold.rows or None


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return mean and standard deviation of a figure over the folds; None if they do not exist."""
    if not values:
        return {"mean": None, "std": None}
    over_folds = spread(values)
    return {
        "mean": over_folds.mean,
        "std": over_folds.std if len(values) > 1 else None,
    }
