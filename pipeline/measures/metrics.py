"""Metrics of the model and of the reference, for metrics.json.

The reference is the least-squares line of the training rows.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from pipeline.exact.least_squares import Fit
from pipeline.exact.penalties import Penalty
from pipeline.exact.squared_error import squared_error
from pipeline.learning.line import Line
from pipeline.measures.model_errors import TOO_LARGE
from pipeline.measures.split import Split
from pipeline.settings.errors import UserError


def sum_of_squares(split: Split, line: Line | None) -> Fraction:
    """Return the sum of the squared errors: exact for a line, else from the errors of the rows.

    Raises UserError if it is beyond what float64 holds.
    """
    if line is not None:
        by_target = squared_error(split.part.gram, line.weight, line.bias, line.centre)
        return sum(by_target, Fraction(0))
    squares, rows = split.errors.squares, split.errors.rows
    assert squares is not None
    assert rows == split.part.table_rows, "the model needs all rows"
    try:
        return Fraction(float(squares))
    except OverflowError:
        raise UserError(TOO_LARGE) from None


def variation(split: Split) -> Fraction:
    """Return the exact sum of squares of the targets around their means."""
    return split.part.variation_of_targets(split.features)


def of_squared_error(
    squared_error: Fraction, split: Split, reduction: str
) -> dict[str, float | None]:
    """Return loss, mse, rmse and r2 of a sum of squared errors on `split`, correctly rounded.

    loss: the sum or the mean of the squared errors, as `reduction` says. mse and rmse: means over
    all rows, by their weights, and over the targets. r2: 1 − squared_error / variation, or None if
    the targets are constant.
    Raises UserError if a figure is beyond what float64 holds.
    """
    around_mean = variation(split)
    try:
        total, mse = float(squared_error), float(squared_error / split.size)
        r2 = float(1 - squared_error / around_mean) if around_mean else None
    except OverflowError:
        raise UserError(TOO_LARGE) from None
    return {
        "loss": total if reduction == "sum" else mse,
        "mse": mse,
        "rmse": math.sqrt(mse),
        "r2": r2,
    }


def of_model(split: Split, line: Line | None, reduction: str) -> dict[str, float | None]:
    """Return the metrics of the model on `split`: also mae, the mean absolute error.

    line: the model, if it is linear. Sums are exact and rounded once, so their bits do not depend
    on the order of summation. loss: of train.loss. below, of a quantile: the share of the values
    that are not above their prediction; strictly_below: of those below it. mae_rows: the number of
    rows that mae was computed from, if that is not all rows. Figures are on the scale on which the
    targets are fitted; own_unit_rmse, _mae and _r2 beside them, of as many rows as mae, are in the
    own units.
    Raises UserError if a figure is beyond what float64 holds.
    """
    errors = split.errors
    figures = of_squared_error(sum_of_squares(split, line), split, reduction)
    if (function := errors.loss_function) is not None:
        assert errors.rows == split.part.table_rows, "the loss needs all rows"
        figures["loss"] = _loss(errors.loss, split, reduction)
        if function.kind.share is not None:
            figures["below"] = float(sum(errors.below) / split.size)
            figures["strictly_below"] = float(sum(errors.strictly_below) / split.size)
    figures["mae"] = float(errors.absolute) / float(errors.weight * split.targets)
    if errors.own is not None:
        figures |= errors.own.figures()
    is_whole = errors.rows == split.part.table_rows
    return figures if is_whole else figures | {"mae_rows": errors.rows}


def _loss(total: Fraction, split: Split, reduction: str) -> float:
    try:
        return float(total if reduction == "sum" else total / split.size)
    except OverflowError:
        raise UserError(TOO_LARGE) from None


def of_reference(
    train: Split, test: Split | None, line: Line | None, reference: Fit, reduction: str
) -> dict[str, Any]:
    """Return the metrics of the reference, and the gap: the model's loss minus its own.

    The gap is below zero if a model that is not linear beats every line. A model that was trained
    with another loss than squared errors, which the reference makes smallest, has neither.
    Raises UserError if a figure is beyond what float64 holds.
    """
    smallest = sum(reference.squares, Fraction(0))
    condition = reference.condition_number
    figures: dict[str, Any] = {
        **_of_least_squares(smallest, train, reduction),
        **_gap(smallest, train, line, reduction),
        "rank": reference.rank,
        "degrees_of_freedom": reference.degrees_of_freedom,
    }
    if line is not None:  # of a network it says nothing
        figures["condition_number"] = condition if math.isfinite(condition) else None
    if test is not None:
        best = Line(reference.weight, reference.bias, np.zeros(train.features))
        figures["test"] = _of_least_squares(sum_of_squares(test, best), test, reduction)
    return figures


def _of_least_squares(squares: Fraction, split: Split, reduction: str) -> dict[str, float | None]:
    """Return figures of the reference: no loss beside a model whose loss is another one."""
    figures = of_squared_error(squares, split, reduction)
    if split.errors.loss_function is not None:
        del figures["loss"]
    return figures


def _gap(
    smallest: Fraction, train: Split, line: Line | None, reduction: str
) -> dict[str, float | None]:
    if train.errors.loss_function is not None:
        return {}
    excess = sum_of_squares(train, line) - smallest
    # Of the exact difference: a difference of two rounded losses would lose its digits.
    size = of_squared_error(abs(excess), train, reduction)["loss"] or 0.0
    return {"gap": math.copysign(size, excess) if excess else 0.0}


def of_penalties(penalties: Sequence[Penalty], targets: Sequence[str]) -> dict[str, Any]:
    """Return the entry of metrics.json: the penalties of each target; nothing if there are none."""
    if not any(penalty.l1 or penalty.l2 for penalty in penalties):
        return {}
    by_target = list(zip(targets, penalties, strict=True))
    return {
        "penalty": {
            "l1": {target: penalty.l1 for target, penalty in by_target},
            "l2": {target: penalty.l2 for target, penalty in by_target},
        }
    }
