"""The training rows of each fold, as a few rows that have their loss and their gradient.

All from the summary: rows to train on, reduced as `reduction` does it, and rows in float64 to
measure the fitted models on.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.columns.part import Part
from pipeline.columns.summary import Fold, FoldPlaces, Summary
from pipeline.exact.reduced_rows import reduced_rows
from pipeline.exact.rounding import nearest
from pipeline.learning import reduction, scaling
from pipeline.learning.prediction import to_numpy
from pipeline.learning.scaling import Scaling
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Measured:
    """Rows to measure linear models on.

    x: [k, features], around the centre that the models subtract; y: [k, targets].
    weight: of the rows of the table that they stand for. variation: sum of squares of the targets
    around their means, infinite if it is beyond float64.
    """

    x: Floats
    y: Floats
    weight: float
    variation: float

    @classmethod
    def of(cls, part: Part, features: int, centre: Floats | None) -> "Measured":
        """Return the rows for a part. centre: [features], or None if no centre is subtracted."""
        gram, targets = part.gram, range(1 + features, len(part.gram.exponents))
        variation = nearest(part.variation_of_targets(features), "float64")
        if centre is not None:
            gram = gram.centred(np.append(centre, np.zeros(len(targets))))
        rows = reduced_rows(gram)
        return cls(rows[:, :features], rows[:, features:], float(part.weight), variation)

    def figures(self, weight: Floats, bias: Floats, reduced: str) -> list[dict[str, float]]:
        """Return loss, rmse and r2 of each model, as metrics.json defines them.

        weight: [models, targets, features]; bias: [models, targets]. reduced: train.reduction. A
        figure that is not finite, and r2 if the variation of the targets is not or 0, is left out.
        """
        models, targets, features = weight.shape
        with np.errstate(all="ignore"):
            predicted = self.x @ weight.reshape(models * targets, features).T + bias.reshape(-1)
            errors = predicted.reshape(len(self.x), models, targets) - self.y[:, None, :]
            squares = np.square(errors).sum(axis=(0, 2)) * (self.weight / len(self.x))
        size = self.weight * targets
        result = []
        for square in squares.tolist():
            named = {"loss": square if reduced == "sum" else square / size}
            named["rmse"] = math.sqrt(square / size)
            if 0 < self.variation < math.inf:
                named["r2"] = 1 - square / self.variation
            result.append({name: value for name, value in named.items() if math.isfinite(value)})
        return result


@dataclass(frozen=True)
class TrainedPart:
    """Rows to train on, and the rows that the fit is measured on.

    x: [k, features]; y: [k, targets], in train.dtype. each: how many rows each one counts for in a
    sum. scales: mean and deviation of the features, with model.standardize.
    """

    x: torch.Tensor
    y: torch.Tensor
    each: float
    scales: Scaling | None
    measured: Measured

    @property
    def centre(self) -> Floats | None:
        """The mean that a model subtracts from the features, [features]."""
        return None if self.scales is None else to_numpy(self.scales[0])


def of_fold(summary: Summary, fold: Fold) -> Summary:
    """Return the summary for a fit to the training rows of a fold; its test rows are held out.

    Its folds are what the others have left of these rows, for a fit that chooses its penalty.
    """
    places = summary.fold_places[fold.number - 1].training
    inner = {place: index for index, place in enumerate(places)}
    others = [
        [
            tuple(inner[place] for place in side if place in inner)
            for side in (each.test, each.training)
        ]
        for each in summary.fold_places
    ]
    return replace(
        summary,
        parts=tuple(summary.parts[place] for place in places),
        fold_places=tuple(FoldPlaces(test, training) for test, training in others if test),
        test=fold.test,
    )


def trained_parts(params: Params, summary: Summary) -> list[TrainedPart]:
    """Return all training rows, measured on themselves, and the training rows of each fold.

    These are measured on the fold's test rows.

    Raises UserError if a column cannot be standardized.
    """
    parts = [_part(params, summary, summary.train)]
    for fold in summary.folds_with_rows:
        try:
            parts.append(_part(params, of_fold(summary, fold), fold.test))
        except UserError as error:
            raise UserError(
                f"{error} (in the rows that train for fold {fold.number}; another data.folds may"
                " help)"
            ) from None
    return parts


def _part(params: Params, summary: Summary, measured: Part) -> TrainedPart:
    features = len(summary.features)
    scales = scaling.of_features(params, summary) if params.model.standardize else None
    rows = reduction.reduced(params, summary.train, features, scales)
    centre = None if scales is None else to_numpy(scales[0])
    return TrainedPart(rows.x, rows.y, rows.each, scales, Measured.of(measured, features, centre))
