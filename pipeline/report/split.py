"""Training rows, or rows held out: their sums, the model's errors, and some rows to draw."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.summary import Part
from pipeline.report.figure import evenly_spaced
from pipeline.report.model_errors import Errors, Floats, Predictor, predictions


@dataclass(frozen=True)
class Points:
    """Rows to draw for one target.

    x: [points, features]. actual, predicted: [points].
    weight: number of rows that each point stands for: [points]. It is 1 for the rows with the
    largest errors, and for all if every row is drawn.
    """

    x: Floats
    actual: Floats
    predicted: Floats
    weight: Floats


@dataclass(frozen=True)
class Split:
    """Training rows, or rows held out.

    part: the sums of all rows.
    errors: of all rows; of a sample if the pipeline has no copy of the rows.
    drawn: rows to draw, chosen from all or from a sample: encoded columns, then targets,
    [drawn, columns]. predicted: [drawn, targets].
    """

    part: Part
    errors: Errors
    drawn: Floats
    predicted: Floats

    @classmethod
    def of(cls, part: Part, errors: Errors, sample: Floats, predict: Predictor) -> "Split":
        """Return a split. sample: all rows or some, from which those to draw are chosen."""
        targets = len(errors.largest)
        drawn = sample[evenly_spaced(len(sample))]
        predicted = predictions(drawn[:, : drawn.shape[1] - targets], predict, targets)
        return cls(part, errors, drawn, predicted)

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.part.rows

    @property
    def targets(self) -> int:
        """Number of targets."""
        return len(self.errors.largest)

    @property
    def features(self) -> int:
        """Number of encoded columns."""
        return int(self.drawn.shape[1]) - self.targets

    @property
    def size(self) -> int:
        """Number of errors: one for each row and target."""
        return self.rows * self.targets

    def points(self, target: int) -> Points:
        """Return the rows to draw for a target: those chosen, and those with the largest errors."""
        rows, predicted = self.drawn, self.predicted[:, target]
        weight = np.ones(len(rows))
        if len(rows) < self.errors.rows:
            largest = self.errors.largest[target]
            others = ~_are_among(rows, largest.rows)
            count = int(np.count_nonzero(others))
            standing_for = (self.errors.rows - len(largest.rows)) / max(1, count)
            weight = np.append(np.full(count, standing_for), np.ones(len(largest.rows)))
            rows = np.concatenate([rows[others], largest.rows])
            predicted = np.append(predicted[others], largest.predicted)
        return Points(rows[:, : self.features], rows[:, self.features + target], predicted, weight)


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
