"""Stage `evaluate`: measure the trained model and answer the query points.

Reads   models/model.safetensors, data/train.parquet, data/test.parquet, reports/history.csv
Writes  reports/metrics.json, reports/coefficients.csv, reports/predictions.csv, reports/plots/
"""

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.exact import least_squares
from pipeline.exact.gram import Gram, gram_matrix
from pipeline.exact.least_squares import Fit
from pipeline.exact.squared_error import squared_error
from pipeline.learning import fit_messages
from pipeline.learning.line import Line, load_line
from pipeline.report import plots
from pipeline.settings import files, runner
from pipeline.settings.errors import UserError
from pipeline.settings.params import GENERATE, Data, Params
from pipeline.tables import table
from pipeline.tables.queries import query_rows
from pipeline.tables.table import Table

Predict = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""What the model answers: x [rows, features] to y [rows, targets]."""

# metrics.json answers the first queries only; predictions.csv answers them all.
QUERIES_IN_METRICS = 10


@dataclass(frozen=True)
class Part:
    """The rows for training, or those held out, and what the model says of them."""

    x: NDArray[np.float64]
    """[rows, features]"""
    y: NDArray[np.float64]
    """[rows, targets]"""
    predicted: NDArray[np.float64]
    """[rows, targets]"""
    gram: Gram
    """Of [1 x y], exact."""

    @classmethod
    def of(cls, rows: Table, targets: Sequence[str], predict: Predict) -> "Part":
        """What `predict` says of `rows`."""
        x, y = rows.columns(rows.features(targets)), rows.columns(targets)
        return cls(x, y, predict(x), gram_matrix(rows.values))

    def squares(self, line: Line | None) -> Fraction:
        """The sum of the squared errors: of a line exactly, of another module's answers as given.

        Raises UserError if a square is beyond what float64 holds.
        """
        if line is not None:
            found = squared_error(self.gram, line.weight, line.bias, line.centre)
            return sum(found, Fraction(0))
        with np.errstate(over="ignore"):
            residuals = (self.y - self.predicted).ravel()
            squares = residuals**2
        if not np.isfinite(squares).all():
            raise UserError(_TOO_LARGE)
        return Fraction(math.fsum(squares.tolist()))

    def variation(self) -> Fraction:
        """The sum of squares of the targets around their means, exactly."""
        features, targets = self.x.shape[1], self.y.shape[1]
        columns = range(1 + features, 1 + features + targets)
        return sum((self.gram.variation(column) for column in columns), Fraction(0))


_TOO_LARGE = "the squared errors are beyond what float64 holds; scale the targets"


def measure(
    squares: Fraction, variation: Fraction, errors: int, reduction: str
) -> dict[str, float | None]:
    """loss, mse, rmse and r2 of a sum of squared errors, each correctly rounded.

    loss is the sum or the mean of the squared errors, as `reduction` says; the others are means
    over all rows and targets, `errors` in number. r2 is 1 − squares / variation, the sum of squares
    around each target's mean, or None where the targets do not vary.
    Raises UserError if a figure is beyond what float64 holds.
    """
    try:
        total, mse = float(squares), float(squares / errors)
        r2 = float(1 - squares / variation) if variation else None
    except OverflowError:
        raise UserError(_TOO_LARGE) from None
    return {
        "loss": total if reduction == "sum" else mse,
        "mse": mse,
        "rmse": math.sqrt(mse),
        "r2": r2,
    }


def metrics(part: Part, line: Line | None, reduction: str) -> dict[str, float | None]:
    """`measure` of a model on a table, and mae, the mean of the absolute errors.

    Sums are exactly rounded: their bits do not depend on an order of summation.
    Raises UserError if a figure is beyond what float64 holds.
    """
    found = measure(part.squares(line), part.variation(), part.y.size, reduction)
    absolute = np.abs(part.y - part.predicted).ravel().tolist()
    return found | {"mae": math.fsum(absolute) / len(absolute)}


def compare(
    train: Part, test: Part | None, line: Line | None, fit: Fit, reduction: str
) -> dict[str, Any]:
    """How good the best of all lines is, and by how much the model's loss is above its own.

    fit: the least-squares line of the training rows.
    Raises UserError if a figure is beyond what float64 holds.
    """
    best = sum(fit.squares, Fraction(0))
    above = train.squares(line) - best  # below zero, if another module beats every line
    gap = math.copysign(
        measure(abs(above), Fraction(0), train.y.size, reduction)["loss"] or 0, above
    )
    best_line = Line(fit.weight, fit.bias, np.zeros(train.x.shape[1]))
    measured = measure(best, train.variation(), train.y.size, reduction)
    return {
        **measured,
        "gap": gap if above else 0.0,
        "rank": fit.rank,
        "degrees_of_freedom": fit.degrees_of_freedom,
        "condition_number": fit.condition_number if math.isfinite(fit.condition_number) else None,
        **(
            {"test": measure(test.squares(best_line), test.variation(), test.y.size, reduction)}
            if test is not None
            else {}
        ),
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


def coefficient_rows(line: Line | None, fit: Fit, dtype: str) -> Iterator[list[Any]]:
    """The rows of coefficients.csv: what ships, and the reference with its errors.

    None if the model is not linear. What does not exist, such as a standard error without degrees
    of freedom, is empty.
    """
    if line is None:
        return
    terms = [*fit.features, *(["bias"] if fit.intercept else [])]
    for index, target in enumerate(fit.targets):
        slopes = files.shortest(line.weight[index].astype(dtype))
        # Of a model that subtracts a mean, the intercept is computed, not a number that ships.
        kind = "float64" if line.centre.any() else dtype
        (offset,) = files.shortest(line.intercepts()[[index]].astype(kind))
        reference = [*fit.weight[index], fit.bias[index]]
        columns = (fit.std_error, fit.t, fit.p, fit.ci_low, fit.ci_high)
        for place, term in enumerate(terms):
            errors = [column[index, place] for column in columns]
            yield [
                target,
                term,
                [*slopes, offset][place],
                None if term in fit.dropped else float(reference[place]),
                *(None if math.isnan(value) else float(value) for value in errors),
            ]


COEFFICIENTS = ("target", "term", "value", "reference", "std_error", "t", "p", "ci_low", "ci_high")


def prediction_rows(
    queries: NDArray[np.float64], answers: Sequence[Sequence[float]], fit: Fit
) -> Iterator[list[Any]]:
    """The rows of predictions.csv: a query, the answers, and what the reference says.

    Of each target the reference's own answer and its 95 % prediction interval, in which a new
    measurement at the query would lie; empty without degrees of freedom.
    """
    if not len(queries):
        return
    reference = np.stack(fit.predict(queries), axis=2)  # [queries, targets, 3]
    for query, row, around in zip(queries.tolist(), answers, reference.tolist(), strict=True):
        interval = [value for target in around for value in target]
        yield [*query, *row, *(None if math.isnan(value) else value for value in interval)]


AROUND = ("reference", "low 95%", "high 95%")


def warn(fit: Fit) -> None:
    """Say which columns make the reference doubtful."""
    told = [
        f"{fit_messages.dependent(each)}: the reference leaves it out" for each in fit.dependent
    ]
    terms = len(fit.features) + fit.intercept
    if fit.rows < terms:
        told = [
            f"{fit.rows} rows for {terms} numbers: the reference leaves {len(told)} features out"
        ]
    told += [
        f"{fit_messages.nearly_dependent(each)}: their coefficients mean nothing one by one"
        for each in fit.nearly_dependent
    ]
    for text in told:
        print(f"warning: {text}", file=sys.stderr)


def _other_module(params: Params, features: int) -> Predict:
    """What a module that is not linear answers: only torch can tell."""
    from pipeline.learning import inference, weights

    module = weights.load(files.MODEL, params.model, features, len(params.data.targets))
    return lambda x: inference.predict(module, x)


def main(params: Params) -> None:
    """Write the metrics, the coefficients, the answers and the plots."""
    targets, reduction = params.data.targets, params.train.reduction
    rows, held_out = table.read(files.TRAIN), table.read(files.TEST)
    features = rows.features(targets)
    queries = query_rows(params.evaluate.queries, features)
    line = load_line(files.MODEL, params.model, len(features), len(targets))
    predict = line.predict if line else _other_module(params, len(features))

    fit_messages.announce(len(features))
    train = Part.of(rows, targets, predict)
    test = Part.of(held_out, targets, predict) if len(held_out.values) else None
    fit = least_squares.fit(
        train.gram, features, targets, params.model.bias, rows.roundoff(features)
    )
    warn(fit)
    answers = answer(predict, queries, params.model.dtype)
    shown = [files.shortest(row) for row in answers]
    files.write_json(
        files.METRICS,
        {
            "train": metrics(train, line, reduction),
            **({"test": metrics(test, line, reduction)} if test else {}),
            "reference": compare(train, test, line, fit, reduction),
            "prediction": {
                f"query_{number}": dict(zip(targets, row, strict=True))
                for number, row in enumerate(shown[:QUERIES_IN_METRICS], 1)
            },
        },
    )
    files.write_csv(
        files.COEFFICIENTS, COEFFICIENTS, coefficient_rows(line, fit, params.model.dtype)
    )
    files.write_csv(
        files.PREDICTIONS,
        [*features, *targets, *(f"{target} {what}" for target in targets for what in AROUND)],
        prediction_rows(queries, shown, fit),
    )
    draw(files.PLOTS, params, train, test, line, fit, queries, predict)


def draw(
    folder: Path,
    params: Params,
    train: Part,
    test: Part | None,
    line: Line | None,
    fit: Fit,
    queries: NDArray[np.float64],
    predict: Predict,
) -> None:
    """Draw the plots that this job has something to show in into `folder`; remove the others."""
    targets, features = params.data.targets, fit.features
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    history = files.read_csv(files.HISTORY)
    if len(history) > 1:  # `exact` has one epoch, and a curve of one point shows nothing
        # A sum over few held-out rows stands beside one over many training rows: per error, then.
        sums = params.train.reduction == "sum" and test is not None
        plots.loss(
            folder / "loss.svg",
            [float(row["loss"]) / (train.y.size if sums else 1) for row in history],
            [float(row["test_loss"]) / (test.y.size if sums else 1) for row in history]
            if test
            else None,
            per_error=sums,
        )
    clouds = {"training rows": train} | ({"rows held out": test} if test else {})
    points = {name: plots.Points(part.y, part.predicted) for name, part in clouds.items()}
    if sum(len(part.y) for part in clouds.values()) >= plots.ENOUGH:
        plots.predicted_and_actual(folder / "predicted.svg", points, targets)
        plots.residuals(folder / "residuals.svg", points, targets)
        plots.quantiles(folder / "quantiles.svg", points, targets)
    if len(features) == 1:
        plots.fit(
            *(folder / "fit.svg", train.x, train.y, features[0], targets, queries),
            predict,
            truth(params.data),
        )
    elif line is not None:
        deviations = train.gram.deviations()[: len(features)]
        plots.coefficients(folder / "coefficients.svg", fit, line.weight, deviations)


def truth(data: Data) -> Predict | None:
    """The function that made the table, without its noise; None if nobody knows it."""
    weight, bias = data.generate.weight, data.generate.bias
    if data.source != GENERATE or weight is None:
        return None
    features, targets = len(weight), len(bias)
    made = Line(np.reshape(weight, (features, targets)).T, np.array(bias), np.zeros(features))
    return made.predict


if __name__ == "__main__":
    runner.run(main)
