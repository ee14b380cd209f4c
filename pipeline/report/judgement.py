"""Judgement of a model by the figure that its loss and the units of its targets ask for.

A line of means is judged by its root mean square error, one of medians by its mean absolute error,
one of quantiles by the share of the values below their answers. Errors of a target that is fitted
as a logarithm are told in its own unit.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.report.facts import Facts
from pipeline.settings.keys.target_settings import OWN_UNIT

Measure = Literal["rmse", "fitted", "mae", "quantile"]
"""fitted: the root mean square error on the fitted scale, of folds of logarithms."""

GRADES = ((1.0, "perfect"), (0.9, "close"), (0.6, "good"), (0.3, "moderate"), (0.0, "weak"))
"""The smallest R² of each grade: the first that is reached holds."""
FAR = 2.0
"""Standard errors of a share; a share that is farther from the one asked for is not as asked."""


@dataclass(frozen=True)
class Judgement:
    """How far off the answers of a model are.

    error: of the model, by the measure. alone: of the best answer that is the same for every row;
    None if it is not known. r2: 1 − the squared ratio of both, which is R² of a line of means.
    """

    measure: Measure
    error: float
    alone: float | None
    r2: float | None

    @property
    def grade(self) -> str:
        """The key of the word for R²."""
        return grade(self.r2)


def grade(r2: float | None) -> str:
    """Return the key of the word for an R²."""
    if r2 is None:
        return "unknown"
    return next((key for least, key in GRADES if r2 >= least and r2 > 0), "none")


def judged(facts: Facts) -> Judgement:
    """Return the judgement on the rows that say most about new ones."""
    if facts.evidence == "folds":
        return Judgement(
            "fitted" if facts.logs else "rmse", facts.rmse, facts.rmse_of_mean, facts.r2
        )
    part: dict[str, Any] = facts.metrics[facts.evidence]
    unit = OWN_UNIT if f"{OWN_UNIT}rmse" in part else ""
    if facts.loss.share is not None:
        alone = facts.constant_loss.get(facts.evidence)
        return _by_loss("quantile", facts.mean_loss(facts.evidence) or 0.0, alone)
    if facts.loss.name == "absolute":
        alone = facts.constant_loss.get(facts.evidence)
        return _by_loss("mae", float(part[f"{unit}mae"]), alone)
    error, r2 = float(part[f"{unit}rmse"]), part[f"{unit}r2"]
    alone = facts.rmse_of_mean
    if unit:  # the mean alone is measured on the fitted scale
        alone = error / math.sqrt(1 - r2) if r2 is not None and r2 < 1 else None
    return Judgement("rmse", error, alone, r2)


def is_as_asked(facts: Facts) -> bool:
    """Return True if the share of the values below their quantile is the one asked for.

    To within what chance explains of rows that the model has not seen. Rows that lie on their
    answers, as many do where values repeat, count as either: the share asked for is between both.
    """
    share, part = facts.loss.share, facts.metrics[facts.evidence]
    assert share is not None
    rows = facts.test_rows if facts.evidence == "test" else facts.training_rows
    chance = FAR * math.sqrt(share * (1 - share) / rows) + 1 / rows
    at_or_below = float(part["below"])
    strictly_below = float(part.get("strictly_below", at_or_below))
    return strictly_below - chance <= share <= at_or_below + chance


def _by_loss(measure: Measure, error: float, alone: float | None) -> Judgement:
    r2 = 1 - (error / alone) ** 2 if alone else None
    if alone is not None and error > alone:
        r2 = 1 - error / alone
    return Judgement(measure, error, alone, r2)
