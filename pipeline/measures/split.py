"""Training rows, or rows held out: their sums, the model's errors, and some rows to draw."""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.part import Part
from pipeline.exact.row_sums import RowSums
from pipeline.measures.model_errors import Errors, Floats, Predictor, predictions
from pipeline.settings.keys.weight_settings import Weights

MOST_POINTS_DRAWN = 2_000
"""More rows are drawn as a sample."""


@dataclass(frozen=True)
class Points:
    """Rows to draw for one target.

    x: [points, features]. actual, predicted: [points].
    weight: number of rows that each point stands for: [points]. It is 1 for the rows with the
    largest errors, and for all if every row is drawn; times the frequency of a row, if it has one.
    precision: root of the precision of each row, which makes residuals comparable; else 1:
    [points].
    """

    x: Floats
    actual: Floats
    predicted: Floats
    weight: Floats
    precision: Floats

    @property
    def residual(self) -> Floats:
        """Actual − predicted, times the root of the row's precision if rows have precisions."""
        return (self.actual - self.predicted) * self.precision


@dataclass(frozen=True)
class Split:
    """Training rows, or rows held out.

    part: the sums of all rows.
    errors: of all rows; of a sample if the pipeline has no copy of the rows.
    drawn: rows to draw, chosen from all or from a sample: encoded columns, then targets,
    [drawn, columns]. predicted: [drawn, targets]. drawn_weights: of these rows: [drawn].
    weights: the setting that says what the weights are; None without weights.
    sums: what the reference is diagnosed by, if it is.
    """

    part: Part
    errors: Errors
    drawn: Floats
    predicted: Floats
    drawn_weights: Floats
    weights: Weights | None = None
    sums: RowSums | None = None

    @classmethod
    def of(
        cls,
        part: Part,
        errors: Errors,
        sample: Floats,
        predict: Predictor,
        sample_weights: Floats | None = None,
        weights: Weights | None = None,
    ) -> "Split":
        """Return a split. sample: all rows or some, from which those to draw are chosen."""
        targets, places = len(errors.largest), evenly_spaced(len(sample))
        drawn = sample[places]
        predicted = predictions(drawn[:, : drawn.shape[1] - targets], predict, targets)
        own = np.ones(len(drawn)) if sample_weights is None else sample_weights[places]
        return cls(part, errors, drawn, predicted, own, weights)

    @property
    def rows(self) -> int:
        """Number of rows in the table."""
        return self.part.table_rows

    @property
    def targets(self) -> int:
        """Number of targets."""
        return len(self.errors.largest)

    @property
    def features(self) -> int:
        """Number of encoded columns."""
        return int(self.drawn.shape[1]) - self.targets

    @property
    def size(self) -> Fraction:
        """Number of errors, one for each row and target; each counts as much as its row."""
        return self.part.weight * self.targets

    def points(self, target: int) -> Points:
        """Return the rows to draw for a target: those chosen, and those with the largest errors."""
        rows, predicted, own = self.drawn, self.predicted[:, target], self.drawn_weights
        weight = np.ones(len(rows))
        if len(rows) < self.errors.rows:
            largest = self.errors.largest[target]
            others = ~_are_among(rows, largest.rows)
            count = int(np.count_nonzero(others))
            standing_for = (self.errors.rows - len(largest.rows)) / max(1, count)
            weight = np.append(np.full(count, standing_for), np.ones(len(largest.rows)))
            rows = np.concatenate([rows[others], largest.rows])
            predicted = np.append(predicted[others], largest.predicted)
            own = np.append(own[others], largest.weights)
        precision = np.ones(len(rows))
        if self.weights is not None and self.weights.are_frequencies:
            weight = weight * own
        elif self.weights is not None:
            precision = np.sqrt(own)
        x, actual = rows[:, : self.features], rows[:, self.features + target]
        return Points(x, actual, predicted, weight, precision)

    @property
    def has_precisions(self) -> bool:
        """True if residuals are drawn times the root of the row's weight."""
        return self.weights is not None and not self.weights.are_frequencies


def _are_among(rows: Floats, others: Floats) -> NDArray[np.bool_]:
    """Return True for each row that is one of the others, each of which is met once: [rows]."""
    left = Counter(row.tobytes() for row in others)
    among = np.zeros(len(rows), np.bool_)
    for place, row in enumerate(rows):
        key = row.tobytes()
        if left[key]:
            left[key] -= 1
            among[place] = True
    return among


def evenly_spaced(rows: int) -> NDArray[np.int64]:
    """Return the indices of the rows to draw. rows: number of rows to choose from."""
    count = min(rows, MOST_POINTS_DRAWN)
    return np.unique(np.linspace(0, rows - 1, count).round().astype(int))
