"""Stage `evaluate`: measure the trained model and answer the query points.

Reads   models/model.safetensors, data/train.parquet, reports/history.csv
Writes  reports/metrics.json, reports/coefficients.csv, reports/predictions.csv, reports/plots/
"""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline import UserError, files, linear, plots, stage, table
from pipeline.linear import Line
from pipeline.params import Params

Predict = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""What the model answers: x [rows, features] to y [rows, targets]."""

# metrics.json answers the first queries only; predictions.csv answers them all.
QUERIES_IN_METRICS = 10


def measure(
    actual: NDArray[np.float64], predicted: NDArray[np.float64], reduction: str
) -> dict[str, float | None]:
    """loss, mse, rmse, mae and r2 of predictions; actual, predicted: [rows, targets].

    loss is the sum or the mean of the squared errors, as `reduction` says; the others are means
    over all rows and targets. r2 is 1 − (sum of squared errors) / (sum of squares around each
    target's mean), or None where the targets do not vary. Sums are exactly rounded (math.fsum):
    their bits do not depend on an order of summation.
    Raises UserError if a square is beyond what float64 holds.
    """
    with np.errstate(over="ignore"):
        residuals = (actual - predicted).ravel()
        squares = residuals**2
    if not np.isfinite(squares).all():
        raise UserError(
            f"the squared errors are beyond what float64 holds (largest error"
            f" {np.abs(residuals).max():g}); scale the targets"
        )
    centred = [column - math.fsum(column) / len(column) for column in actual.T]
    variation = math.fsum(float(value) for column in centred for value in column**2)
    total = math.fsum(squares)
    mse = total / len(squares)
    return {
        "loss": total if reduction == "sum" else mse,
        "mse": mse,
        "rmse": math.sqrt(mse),
        "mae": math.fsum(np.abs(residuals)) / len(residuals),
        "r2": 1 - total / variation if variation > 0 else None,
    }


def answer(predict: Predict, queries: NDArray[np.float64], dtype: str) -> NDArray[Any]:
    """Predictions for `queries` [rows, features], rounded to the precision that ships.

    Raises UserError if one is beyond what that precision holds.
    """
    with np.errstate(over="ignore"):
        answers: NDArray[Any] = predict(queries).astype(dtype)
    bad = np.argwhere(~np.isfinite(answers))
    if len(bad):
        raise UserError(f"evaluate.queries[{bad[0][0]}]: the answer is beyond what {dtype} holds")
    return answers


def coefficient_rows(line: Line | None, params: Params) -> Iterator[tuple[str, str, float]]:
    """Target, term and value of each coefficient that ships; none if the model is not linear."""
    if line is None:
        return
    terms = [*params.data.features, *(["bias"] if params.model.bias else [])]
    for target, slopes, offset in zip(params.data.targets, line.weight, line.bias, strict=True):
        values = np.append(slopes, offset).astype(params.model.dtype)
        # Without a bias there is one value more than terms.
        for term, value in zip(terms, files.shortest(values), strict=False):
            yield target, term, value


def _other_module(params: Params) -> Predict:
    """What a module that is not linear answers: only torch can tell."""
    from pipeline import model

    sizes = len(params.data.features), len(params.data.targets)
    module = model.load(files.MODEL, params.model, *sizes)
    return lambda x: model.predict(module, x)


def main(params: Params) -> None:
    """Write the metrics, the coefficients, the answers and the plots."""
    features, targets = params.data.features, params.data.targets
    rows = table.read(files.TRAIN)
    x, y = rows.columns(features), rows.columns(targets)
    line = linear.read(files.MODEL, params.model, len(features), len(targets))
    predict = line.predict if line else _other_module(params)
    queries = np.array(params.evaluate.queries, dtype=np.float64).reshape(-1, len(features))
    answers = answer(predict, queries, params.model.dtype)
    shown = [files.shortest(row) for row in answers]

    files.write_json(
        files.METRICS,
        {
            "train": measure(y, predict(x), params.train.reduction),
            "prediction": {
                f"query_{number}": dict(zip(targets, row, strict=True))
                for number, row in enumerate(shown[:QUERIES_IN_METRICS], 1)
            },
        },
    )
    files.write_csv(files.COEFFICIENTS, ["target", "term", "value"], coefficient_rows(line, params))
    files.write_csv(
        files.PREDICTIONS,
        [*features, *targets],
        ([*query, *row] for query, row in zip(params.evaluate.queries, shown, strict=True)),
    )
    plots.loss(
        files.PLOTS / "loss.svg", [float(row["loss"]) for row in files.read_csv(files.HISTORY)]
    )
    if len(features) == 1:
        plots.fit(files.PLOTS / "fit.svg", rows, features[0], targets, queries, predict)


if __name__ == "__main__":
    stage.run(main)
