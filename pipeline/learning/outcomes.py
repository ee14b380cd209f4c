"""Outcomes of the configurations of a sweep, and which is best. Without torch."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.exact.cross_validation import spread
from pipeline.settings.errors import UserError

METRICS = {
    "cv.rmse.mean": 1,
    "cv.r2.mean": -1,
    "test.rmse": 1,
    "test.r2": -1,
    "train.rmse": 1,
    "train.r2": -1,
    "train.loss": 1,
}
"""Metrics to choose by: 1 if a smaller value is better, -1 if a larger one is."""

FIGURES = (
    "cv.rmse.mean", "cv.rmse.std", "cv.r2.mean", "cv.r2.std",
    "test.rmse", "test.r2", "train.rmse", "train.r2", "train.loss",
)  # fmt: skip
"""All figures of an outcome."""

DEFAULT_METRIC = "cv.rmse.mean"


@dataclass(frozen=True)
class Outcome:
    """What became of one configuration.

    number: from 1, in the order of the sweep. settings: the keys that vary, with their values.
    figures: of FIGURES those that there are. losses: epochs and losses, at most a few hundred.
    note: why figures are missing.
    """

    number: int
    settings: Mapping[str, Any]
    figures: Mapping[str, float]
    losses: Sequence[tuple[int, float]] = ()
    note: str = ""


@dataclass(frozen=True)
class Trial:
    """A configuration's outcome without its place in the sweep: see Outcome."""

    figures: Mapping[str, float] = field(default_factory=dict)
    losses: Sequence[tuple[int, float]] = ()
    note: str = ""


def of_folds(folds: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return mean and standard deviation (with folds − 1) of rmse and r2 over at least two folds.

    As metrics.json has them: r2 over the folds that have one. Nothing if a fold has no finite rmse,
    no r2 if one is beyond float64.
    """
    figures: dict[str, float] = {}
    if len(folds) < 2 or not all(math.isfinite(fold.get("rmse", math.inf)) for fold in folds):
        return figures
    for name in ("rmse", "r2"):
        over_folds = [fold[name] for fold in folds if name in fold]
        if over_folds and all(map(math.isfinite, over_folds)):
            spread_of = spread(over_folds)
            figures[f"cv.{name}.mean"] = spread_of.mean
            if len(over_folds) > 1:
                figures[f"cv.{name}.std"] = spread_of.std
    return figures


def best_first(outcomes: Sequence[Outcome], metric: str) -> list[Outcome]:
    """Return the outcomes that have the metric, the best first; of equal ones the first tried."""
    sign = METRICS[metric]
    compared = [each for each in outcomes if math.isfinite(each.figures.get(metric, math.nan))]
    return sorted(compared, key=lambda each: (sign * each.figures[metric], each.number))


def check_metric(metric: str) -> None:
    """Raise UserError if it is no metric to choose by."""
    if metric not in METRICS:
        raise UserError(f"--metric: found {metric}; must be one of {', '.join(METRICS)}")
