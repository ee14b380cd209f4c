"""Errors of a model over many rows: their sums, and the rows with the largest ones."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.exact_sum import exact_sum, weighted_sum
from pipeline.learning.loss_function import LossFunction
from pipeline.measures.own_unit_errors import OwnUnitErrors
from pipeline.settings.errors import UserError

Floats = NDArray[np.float64]
Predictor = Callable[[Floats], Floats]
"""Function from x [rows, features] to the predictions [rows, targets]."""

MOST_LARGEST = 20
"""Rows with the largest errors that are kept, for each target."""

ROWS_AT_A_TIME = 16_384
"""Rows that are encoded and predicted at a time: they stay in the caches, and a module that is not
linear may need much memory for each."""

TOO_LARGE = "the squared errors are beyond what float64 holds; scale the targets"


@dataclass(frozen=True)
class LargestErrors:
    """The rows with the largest absolute errors of one target; of equal ones, the first ones.

    sizes: the absolute errors, falling: [kept]. places: number of rows before each: [kept].
    rows: encoded columns, then targets: [kept, columns]. predicted: of this target: [kept].
    weights: of these rows, 1 without weights: [kept].
    """

    sizes: Floats
    places: NDArray[np.int64]
    rows: Floats
    predicted: Floats
    weights: Floats

    @classmethod
    def of_no_rows(cls, columns: int) -> "LargestErrors":
        """Return no rows. columns: number of encoded columns and targets."""
        none = np.empty(0)
        return cls(none, np.empty(0, np.int64), np.empty((0, columns)), none, none)

    def __add__(self, other: "LargestErrors") -> "LargestErrors":
        """Return the largest errors among the rows of both."""
        sizes = np.concatenate([self.sizes, other.sizes])
        places = np.concatenate([self.places, other.places])
        order = np.lexsort((places, -sizes))[:MOST_LARGEST]
        rows = np.concatenate([self.rows, other.rows])
        predicted = np.concatenate([self.predicted, other.predicted])
        weights = np.concatenate([self.weights, other.weights])
        return LargestErrors(
            sizes[order], places[order], rows[order], predicted[order], weights[order]
        )

    def with_later(
        self,
        sizes: Floats,
        rows: Floats,
        predicted: Floats,
        before: int,
        weights: Floats | None,
    ) -> "LargestErrors":
        """Return the largest errors among these rows and rows that come after them.

        sizes, predicted: of this target: [rows]. rows: [rows, columns]. before: the number of rows
        before the later ones. weights: of the later rows: [rows].
        """
        if len(self.sizes) == MOST_LARGEST:
            chosen = np.flatnonzero(sizes > self.sizes[-1])
        elif len(sizes) > MOST_LARGEST:
            least = np.partition(sizes, -MOST_LARGEST)[-MOST_LARGEST]
            chosen = np.flatnonzero(sizes >= least)
        else:
            chosen = np.arange(len(sizes))
        if not len(chosen):
            return self
        own = np.ones(len(chosen)) if weights is None else weights[chosen]
        return self + LargestErrors(
            sizes[chosen], before + chosen, rows[chosen], predicted[chosen], own
        )


class InOwnUnit(NamedTuple):
    """The targets of some rows in their own units, [rows, targets], and the way to these units."""

    y: Floats
    own_unit: Predictor

    def errors(self, predicted: Floats, weights: Floats | None) -> OwnUnitErrors:
        """Return the errors of predictions on the fitted scale: [rows, targets]."""
        return OwnUnitErrors.of(self.y, self.own_unit(predicted), weights)


@dataclass(frozen=True)
class Errors:
    """Errors of a model over some rows. Adding parts in any order gives the same.

    absolute: exact sum of the absolute errors of all targets. squares: exact sum of the squared
    errors, each rounded; None if it was not asked for. largest: for each target. weight: exact sum
    of the weights of the rows, with which errors are summed up; the number of rows without weights.
    loss: exact sum of another loss of the errors, each rounded; 0 without a loss_function. below:
    of each target, the weight of the rows whose value is not above the prediction; strictly_below:
    of those whose value is below it.
    All are on the fitted scale. own: in the own units; None if every target is fitted as it is.
    """

    rows: int
    absolute: Fraction
    squares: Fraction | None
    largest: tuple[LargestErrors, ...]
    weight: Fraction
    loss_function: LossFunction | None = None
    loss: Fraction = Fraction(0)
    below: tuple[Fraction, ...] = ()
    strictly_below: tuple[Fraction, ...] = ()
    own: OwnUnitErrors | None = None

    @classmethod
    def of_no_rows(
        cls,
        columns: int,
        targets: int,
        *,
        with_squares: bool,
        loss_function: LossFunction | None = None,
        with_own: bool = False,
    ) -> "Errors":
        """Return the errors of no rows. columns: number of encoded columns and targets."""
        squares = Fraction(0) if with_squares else None
        largest = (LargestErrors.of_no_rows(columns),) * targets
        own = OwnUnitErrors.of_no_rows(targets) if with_own else None
        none = Fraction(0)
        below = (none,) * targets
        return cls(0, none, squares, largest, none, loss_function, none, below, below, own)

    def __add__(self, other: "Errors") -> "Errors":
        """Return the errors of the rows of both."""
        squares = None
        if self.squares is not None and other.squares is not None:
            squares = self.squares + other.squares
        return Errors(
            self.rows + other.rows,
            self.absolute + other.absolute,
            squares,
            tuple(a + b for a, b in zip(self.largest, other.largest, strict=True)),
            self.weight + other.weight,
            self.loss_function,
            self.loss + other.loss,
            tuple(a + b for a, b in zip(self.below, other.below, strict=True)),
            tuple(a + b for a, b in zip(self.strictly_below, other.strictly_below, strict=True)),
            None if self.own is None or other.own is None else self.own + other.own,
        )

    def with_later(
        self,
        rows: Floats,
        predict: Predictor,
        before: int,
        weights: Floats | None = None,
        own: InOwnUnit | None = None,
    ) -> "Errors":
        """Return the errors of these rows and of rows that come after them.

        rows: encoded columns, then targets on the fitted scale: [rows, columns]. before: the number
        of rows before the later ones. weights: of the later rows: [rows]; None: each counts once.
        own: their targets in the own units, where that is asked for.
        Raises UserError if an error is beyond what float64 holds.
        """
        features = rows.shape[1] - len(self.largest)
        y = rows[:, features:]
        predicted = predictions(rows[:, :features], predict, y.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            sizes = np.abs(y - predicted)
            squares = None if self.squares is None else sizes**2
        # NaN propagates through the maximum.
        if len(rows) and not math.isfinite((sizes if squares is None else squares).max()):
            raise UserError(TOO_LARGE)
        return Errors(
            self.rows + len(rows),
            self.absolute + weighted_sum(sizes, weights),
            None
            if self.squares is None or squares is None
            else self.squares + weighted_sum(squares, weights),
            tuple(
                largest.with_later(sizes[:, target], rows, predicted[:, target], before, weights)
                for target, largest in enumerate(self.largest)
            ),
            self.weight + (len(rows) if weights is None else exact_sum(weights)),
            self.loss_function,
            self._loss_of(y - predicted, weights),
            self._with_those(self.below, y <= predicted, weights),
            self._with_those(self.strictly_below, y < predicted, weights),
            None if self.own is None or own is None else self.own + own.errors(predicted, weights),
        )

    def _loss_of(self, errors: Floats, weights: Floats | None) -> Fraction:
        """Return the loss of these errors and of more: [rows, targets]."""
        if self.loss_function is None:
            return self.loss
        return self.loss + weighted_sum(self.loss_function.of(errors), weights)

    def _with_those(
        self, weight: tuple[Fraction, ...], chosen: NDArray[np.bool_], weights: Floats | None
    ) -> tuple[Fraction, ...]:
        """Return the weight of the chosen rows, these and more, of each target.

        chosen: [rows, targets].
        """
        if self.loss_function is None:
            return weight
        return tuple(
            before + (int(rows.sum()) if weights is None else exact_sum(weights[rows]))
            for before, rows in zip(weight, chosen.T, strict=True)
        )


def predictions(x: Floats, predict: Predictor, targets: int) -> Floats:
    """Return the predictions for x [rows, features], a block of rows at a time: [rows, targets]."""
    predicted = np.empty((len(x), targets))
    for start in range(0, len(x), ROWS_AT_A_TIME):
        block = slice(start, start + ROWS_AT_A_TIME)
        predicted[block] = predict(x[block])
    return predicted
