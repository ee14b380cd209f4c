"""Errors in the targets' own units of a model that is fitted on another scale, such as log(price).

They are what two models of different scales can be compared by. Sums are exact, so that any
division of the rows gives the same.
"""

import math
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from pipeline.columns.target_scale import Floats
from pipeline.exact.exact_sum import weighted_sum
from pipeline.exact.gram import Gram
from pipeline.exact.gram_sums import gram_matrix
from pipeline.settings.errors import UserError
from pipeline.settings.keys.target_settings import OWN_UNIT

TOO_LARGE = (
    "an error in the target's own unit is beyond what float64 holds: the model answers with a"
    " number far larger than the table has; look for features of a few rows, or fit the target as"
    " it is"
)


@dataclass(frozen=True)
class OwnUnitErrors:
    """Sums over some rows. Adding parts in any order gives the same.

    absolute: of the absolute errors of all targets. squares: of the squared errors, each rounded.
    gram: Gram matrix of [1, targets], for the variation of the targets.
    """

    absolute: Fraction
    squares: Fraction
    gram: Gram

    @classmethod
    def of_no_rows(cls, targets: int) -> "OwnUnitErrors":
        """Return the errors of no rows."""
        return cls(Fraction(0), Fraction(0), Gram.of_no_rows(targets))

    @classmethod
    def of(cls, y: Floats, predicted: Floats, weights: Floats | None = None) -> "OwnUnitErrors":
        """Return the errors of some rows: [rows, targets] each, in the own units.

        weights: how much each row counts, [rows]; None: each counts once.
        Raises UserError if an error is beyond what float64 holds.
        """
        if not len(y):
            return cls.of_no_rows(y.shape[1])
        with np.errstate(over="ignore", invalid="ignore"):
            sizes = np.abs(y - predicted)
            squares = sizes * sizes
        if not math.isfinite(squares.max()):  # NaN propagates through the maximum
            raise UserError(TOO_LARGE)
        gram = gram_matrix(np.asfortranarray(y), weights=weights)
        return cls(weighted_sum(sizes, weights), weighted_sum(squares, weights), gram)

    def __add__(self, other: "OwnUnitErrors") -> "OwnUnitErrors":
        """Return the errors of the rows of both."""
        if not other.gram.rows:
            return self
        if not self.gram.rows:
            return other
        return OwnUnitErrors(
            self.absolute + other.absolute, self.squares + other.squares, self.gram + other.gram
        )

    def figures(self) -> dict[str, float | None]:
        """Return rmse, mae and r2 over all rows and targets, as metrics.json names them.

        r2 is None if the targets are constant. Raises UserError as `of`.
        """
        targets = len(self.gram.exponents) - 1
        size = self.gram.inner_product(0, 0) * targets  # the sum of the weights, if there are any
        variation = sum((self.gram.variation(1 + target) for target in range(targets)), Fraction(0))
        try:
            rmse, mae = math.sqrt(self.squares / size), float(self.absolute / size)
            r2 = float(1 - self.squares / variation) if variation else None
        except OverflowError:
            raise UserError(TOO_LARGE) from None
        return {f"{OWN_UNIT}rmse": rmse, f"{OWN_UNIT}mae": mae, f"{OWN_UNIT}r2": r2}
