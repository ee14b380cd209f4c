"""Metrics of the model and of the reference, for metrics.json.

The reference is the least-squares line of the training rows.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.gram import Gram, gram_matrix
from pipeline.exact.least_squares import Fit
from pipeline.exact.squared_error import squared_error
from pipeline.learning.line import Line
from pipeline.settings.errors import UserError
from pipeline.tables.table import Table

Predictor = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""Function from x [rows, features] to the predictions [rows, targets]."""


@dataclass(frozen=True)
class Split:
    """Rows for training, or rows held out, with the model's predictions."""

    x: NDArray[np.float64]
    """[rows, features]"""
    y: NDArray[np.float64]
    """[rows, targets]"""
    predicted: NDArray[np.float64]
    """[rows, targets]"""
    gram: Gram
    """Exact Gram matrix of [1 x y]."""

    @classmethod
    def of(cls, rows: Table, targets: Sequence[str], predict: Predictor) -> "Split":
        """Return `rows` with the predictions of `predict`."""
        x, y = rows.columns(rows.features(targets)), rows.columns(targets)
        return cls(x, y, predict(x), gram_matrix(rows.values))

    def sum_of_squares(self, line: Line | None) -> Fraction:
        """Return the sum of the squared errors: exact for a line, else from `predicted`.

        Raises UserError if a squared error is beyond what float64 holds.
        """
        if line is not None:
            by_target = squared_error(self.gram, line.weight, line.bias, line.centre)
            return sum(by_target, Fraction(0))
        with np.errstate(over="ignore"):
            residuals = (self.y - self.predicted).ravel()
            squares = residuals**2
        if not np.isfinite(squares).all():
            raise UserError(_TOO_LARGE)
        return Fraction(math.fsum(squares.tolist()))

    def variation(self) -> Fraction:
        """Return the exact sum of squares of the targets around their means."""
        features, targets = self.x.shape[1], self.y.shape[1]
        columns = range(1 + features, 1 + features + targets)
        return sum((self.gram.variation(column) for column in columns), Fraction(0))


_TOO_LARGE = "the squared errors are beyond what float64 holds; scale the targets"


def of_squared_error(
    squared_error: Fraction, split: Split, reduction: str
) -> dict[str, float | None]:
    """Return loss, mse, rmse and r2 of a sum of squared errors on `split`, correctly rounded.

    loss: the sum or the mean of the squared errors, as `reduction` says. mse and rmse: means over
    all rows and targets. r2: 1 − squared_error / variation, or None if the targets are constant.
    Raises UserError if a figure is beyond what float64 holds.
    """
    variation = split.variation()
    try:
        total, mse = float(squared_error), float(squared_error / split.y.size)
        r2 = float(1 - squared_error / variation) if variation else None
    except OverflowError:
        raise UserError(_TOO_LARGE) from None
    return {
        "loss": total if reduction == "sum" else mse,
        "mse": mse,
        "rmse": math.sqrt(mse),
        "r2": r2,
    }


def of_model(split: Split, line: Line | None, reduction: str) -> dict[str, float | None]:
    """Return the metrics of the model on `split`: also mae, the mean absolute error.

    line: the model, if it is linear. Sums are exact and rounded once, so their bits do not depend
    on the order of summation.
    Raises UserError if a figure is beyond what float64 holds.
    """
    figures = of_squared_error(split.sum_of_squares(line), split, reduction)
    absolute = np.abs(split.y - split.predicted).ravel().tolist()
    return figures | {"mae": math.fsum(absolute) / len(absolute)}


def of_reference(
    train: Split, test: Split | None, line: Line | None, reference: Fit, reduction: str
) -> dict[str, Any]:
    """Return the metrics of the reference, and the gap: the model's loss minus its own.

    The gap is below zero if a model that is not linear beats every line.
    Raises UserError if a figure is beyond what float64 holds.
    """
    smallest = sum(reference.squares, Fraction(0))
    excess = train.sum_of_squares(line) - smallest
    # Of the exact difference: a difference of two rounded losses would lose its digits.
    size = of_squared_error(abs(excess), train, reduction)["loss"] or 0.0
    condition = reference.condition_number
    figures: dict[str, Any] = {
        **of_squared_error(smallest, train, reduction),
        "gap": math.copysign(size, excess) if excess else 0.0,
        "rank": reference.rank,
        "degrees_of_freedom": reference.degrees_of_freedom,
        "condition_number": condition if math.isfinite(condition) else None,
    }
    if test is not None:
        best = Line(reference.weight, reference.bias, np.zeros(train.x.shape[1]))
        figures["test"] = of_squared_error(test.sum_of_squares(best), test, reduction)
    return figures
