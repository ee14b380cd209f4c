"""Cross-validated figures of an exact fit, for metrics.json: from the sums of the folds alone."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.columns.summary import Summary
from pipeline.exact.cross_validation import spread
from pipeline.exact.penalties import Penalty
from pipeline.learning import exact_folds, fold_checks
from pipeline.measures.model_errors import TOO_LARGE
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params


def in_metrics(params: Params, summary: Summary, penalties: Sequence[Penalty]) -> dict[str, Any]:
    """Return the entry of metrics.json: rmse and R² of each fold's test rows, by its own fit.

    {"cv": {"rmse": {"mean", "std"}, "r2": {"mean", "std"}}}, over all rows and targets of a fold as
    in the other metrics, std with folds − 1; null if a fold has too few training rows: `warnings`
    says so. `folds` beside them is the number of folds that a figure is of, where it is not of all:
    a fold may have no rows, or no R² if its targets are constant. Nothing without
    `train.optimizer: exact` of squared errors, and if fewer than two folds have rows.
    penalties: one for each target.
    Raises UserError if a figure is beyond what float64 holds.
    """
    if not params.train.is_least_squares or not summary.folds_with_rows:
        return {}
    if fold_checks.too_few_rows(params, summary) is not None:
        return {"cv": {"rmse": _spread([]), "r2": _spread([])}}
    folds = exact_folds.figures(params, summary, penalties)
    if not all(math.isfinite(figure) for fold in folds for figure in fold.values()):
        raise UserError(TOO_LARGE)
    by_name = {name: [fold[name] for fold in folds if name in fold] for name in ("rmse", "r2")}
    return {"cv": {name: _spread(v) | _counted(v, summary) for name, v in by_name.items()}}


def errors(
    summary: Summary, penalties: Sequence[Penalty], has_bias: bool
) -> Sequence[Sequence[float]]:
    """Return the mean squared error of each target on the test rows of each fold with rows.

    penalties: one for each target. Returns [folds, targets]. Raises UserError if one is too large.
    """
    of_folds = exact_folds.errors(summary, penalties, has_bias)
    if not all(math.isfinite(error) for of_targets in of_folds for error in of_targets):
        raise UserError(TOO_LARGE)
    return of_folds


def warnings(params: Params, summary: Summary) -> Iterator[str]:
    """Yield a sentence if `cv` in metrics.json is not of all folds, or has no figures."""
    if not params.train.is_least_squares:
        return
    if (problem := fold_checks.too_few_rows(params, summary)) is not None:
        yield (
            f"{problem}: cv in {files.METRICS} is null; set train.l2 to cv, or data.folds to"
            " another number"
        )
    elif problems := fold_checks.without_rows(summary.folds):
        counted = len(summary.folds_with_rows)
        told = f"is of {counted} folds alone" if counted else "is missing"
        yield f"{' and '.join(problems)}: cv in {files.METRICS} {told}; set data.folds to fewer"


def _counted(values: Sequence[float], summary: Summary) -> dict[str, int]:
    """Return the number of folds that a figure is of, if it is not of all."""
    return {"folds": len(values)} if 0 < len(values) < len(summary.folds) else {}


def _spread(values: Sequence[float]) -> dict[str, float | None]:
    """Return mean and standard deviation of a figure over the folds; None if they do not exist."""
    if not values:
        return {"mean": None, "std": None}
    over_folds = spread(values)
    return {
        "mean": over_folds.mean,
        "std": over_folds.std if len(values) > 1 else None,
    }
