"""Predictions for the queries of params.yaml: predictions.csv."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.least_squares import Fit
from pipeline.measures.model_errors import Predictor
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


def header(
    features: Sequence[str],
    targets: Sequence[str],
    *,
    is_reference: bool = False,
    has_interval: bool = False,
) -> list[str]:
    """Return the header of predictions.csv. features: names of the raw columns.

    is_reference: True if the model is the reference, so that its interval is the model's own.
    has_interval: True if the model has another interval of its own, beside the reference's.
    """
    whose = "" if is_reference else "reference "
    beside = ["reference", f"{whose}low 95%", f"{whose}high 95%"]
    beside += ["model low 95%", "model high 95%"] * has_interval
    return [*features, *targets, *(f"{target} {name}" for target in targets for name in beside)]


def rows(
    cells: Sequence[Sequence[Any]],
    queries: NDArray[np.float64],
    predictions: Sequence[Sequence[float]],
    reference: Fit,
    own_unit: Predictor = lambda fitted: fitted,
    intervals: Sequence[Sequence[Sequence[float]]] | None = None,
) -> Iterator[list[Any]]:
    """Return the rows of predictions.csv: the query, the model's predictions, the reference's.

    cells: the raw values of each query. queries: encoded, [queries, encoded names].
    Beside the reference's prediction are the ends of its 95 % prediction interval, in which a new
    measurement at the query would lie; None without degrees of freedom.
    own_unit: the way from the fitted scale to the targets' own units. intervals: both ends of the
    model's own interval, [queries, targets, 2], which come next.
    """
    if not len(queries):
        return
    best = np.stack([*map(own_unit, reference.predict(queries))], axis=2)  # [queries, targets, 3]
    answered = zip(cells, predictions, best.tolist(), strict=True)
    for number, (query, predicted, beside) in enumerate(answered):
        values = []
        for place, of_reference in enumerate(beside):
            values += of_reference
            if intervals is not None:
                values += intervals[number][place]
        yield [*query, *predicted, *(None if math.isnan(value) else value for value in values)]
