"""Predictions for the queries of params.yaml: predictions.csv."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.least_squares import Fit
from pipeline.report.model_errors import Predictor
from pipeline.settings.errors import UserError


def rounded(predict: Predictor, queries: NDArray[np.float64], dtype: str) -> NDArray[Any]:
    """Return the predictions [queries, targets], rounded to `dtype`, the model file's precision.

    queries: [queries, features].
    Raises UserError if a prediction is beyond what `dtype` holds.
    """
    with np.errstate(over="ignore"):
        predictions: NDArray[Any] = predict(queries).astype(dtype)
    infinite = np.argwhere(~np.isfinite(predictions))
    if len(infinite):
        raise UserError(
            f"evaluate.queries[{infinite[0][0]}]: the answer is beyond what {dtype} holds"
        )
    return predictions


def header(features: Sequence[str], targets: Sequence[str]) -> list[str]:
    """Return the header of predictions.csv. features: names of the raw columns."""
    beside = ("reference", "low 95%", "high 95%")
    return [*features, *targets, *(f"{target} {name}" for target in targets for name in beside)]


def rows(
    cells: Sequence[Sequence[Any]],
    queries: NDArray[np.float64],
    predictions: Sequence[Sequence[float]],
    reference: Fit,
    own_unit: Predictor = lambda fitted: fitted,
) -> Iterator[list[Any]]:
    """Return the rows of predictions.csv: the query, the model's predictions, the reference's.

    cells: the raw values of each query. queries: encoded, [queries, encoded names].
    Beside the reference's prediction are the ends of its 95 % prediction interval, in which a new
    measurement at the query would lie; None without degrees of freedom.
    own_unit: the way from the fitted scale to the targets' own units.
    """
    if not len(queries):
        return
    best = np.stack([*map(own_unit, reference.predict(queries))], axis=2)  # [queries, targets, 3]
    for query, predicted, beside in zip(cells, predictions, best.tolist(), strict=True):
        values = [value for target in beside for value in target]
        yield [*query, *predicted, *(None if math.isnan(value) else value for value in values)]
