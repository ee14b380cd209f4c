"""Paired differences of two exact results in cross-validation, if both have the same folds.

The errors of each fold are in no report: they follow from data/summary.json and the penalties, in a
moment and to the last bit.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipeline.columns.part import Part
from pipeline.columns.summary import Summary
from pipeline.exact.penalties import Penalty
from pipeline.measures import folds
from pipeline.measures.model_errors import TOO_LARGE
from pipeline.measures.paired_difference import PairedDifference, in_folds
from pipeline.measures.row_errors import ALL_TARGETS
from pipeline.settings import files
from pipeline.settings.errors import UserError

CV_MEAN = "cv.rmse.mean"


@dataclass(frozen=True)
class Job:
    """An exact result: its summary of the table, the penalty of each target, and its settings."""

    summary: Summary
    penalties: Mapping[str, Penalty]
    has_bias: bool

    @classmethod
    def of(cls, folder: Path, params: Mapping[str, Any], metrics: Mapping[str, float]) -> "Job":
        """Return the job of a result with cross-validated figures.

        folder: with its data/summary.json. params, metrics: by dotted names.
        Raises UserError if the summary is not there or damaged, or if the penalties are unknown.
        """
        try:
            content = json.loads((folder / files.SUMMARY).read_bytes())
            summary = Summary.from_json(content)
        except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
            raise UserError(f"{files.SUMMARY}: {type(error).__name__}") from None
        is_penalized = any(params.get(f"train.{name}", 0.0) != 0 for name in ("l1", "l2"))
        penalties = {}
        for target in summary.targets:
            sizes = [metrics.get(f"penalty.{name}.{target}") for name in ("l1", "l2")]
            if is_penalized and None in sizes:
                raise UserError(f"{files.METRICS}: no penalty of {target}")
            penalties[target] = Penalty(*(size or 0.0 for size in sizes))
        return cls(summary, penalties, params.get("model.bias", True) is True)

    @cached_property
    def errors(self) -> list[dict[str, float]]:
        """The mean squared error of each target, and of all targets, in each fold with rows."""
        targets = self.summary.targets
        penalties = [self.penalties[target] for target in targets]
        return [
            dict(zip((*targets, ALL_TARGETS), (*errors, _mean(errors)), strict=True))
            for errors in folds.errors(self.summary, penalties, self.has_bias)
        ]


def paired(first: Job, other: Job) -> Mapping[str, PairedDifference]:
    """Return the paired difference for each target, and for all of them under ALL_TARGETS.

    Raises UserError if the folds are not the same, if there are less than two, and if an error is
    too large.
    """
    _check_same_folds(first.summary, other.summary)
    counted = first.summary.folds_with_rows
    if not counted:
        raise UserError("there are no two folds with rows")
    sizes = [(fold.training.rows, fold.test.rows) for fold in counted]
    before, after = first.errors, other.errors
    try:
        return {
            target: in_folds(
                [errors[target] for errors in before], [errors[target] for errors in after], sizes
            )
            for target in before[0]
        }
    except OverflowError:
        raise UserError(TOO_LARGE) from None


def check_mean(job: Job, metrics: Mapping[str, float]) -> None:
    """Raise UserError if the errors are not those that the result's own code has computed."""
    rmse = _mean([math.sqrt(errors[ALL_TARGETS]) for errors in job.errors])
    if not math.isclose(rmse, metrics[CV_MEAN], rel_tol=1e-6, abs_tol=1e-300):
        raise UserError(f"{CV_MEAN} is {metrics[CV_MEAN]:g}; these versions compute {rmse:g}")


def _check_same_folds(first: Summary, other: Summary) -> None:
    """Raise UserError unless the parts have as many rows, and the same sums of the targets."""
    known = [
        (each.fold_places, [_sums_of_targets(part, each) for part in each.parts])
        for each in (first, other)
    ]
    if known[0] != known[1]:
        raise UserError("their folds have other rows")


def _sums_of_targets(part: Part, summary: Summary) -> dict[str, Any]:
    """Return the number of rows, and the sum and the sum of squares of each target, exactly."""
    before = 1 + len(summary.features)
    sums = {
        name: (part.gram.inner_product(0, place), part.gram.inner_product(place, place))
        for place, name in enumerate(summary.targets, before)
    }
    return {"rows": part.rows, **{f"target {name}": each for name, each in sums.items()}}


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)
