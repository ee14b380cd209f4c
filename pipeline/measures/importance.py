"""Permutation importance: how much the error grows if the values of one column are shuffled.

Shuffled among the rows, a column says nothing about a row any more, and its values stay what they
are (Breiman, *Random forests*, 2001). Columns that say the same share their importance, or have
none: the model still has the other one. Errors count with data.weights, as in the fit.
"""

import math
from fractions import Fraction

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.sample import Sample
from pipeline.exact.exact_sum import exact_sum
from pipeline.measures.measuring import Model
from pipeline.measures.model_errors import Floats, predictions
from pipeline.settings import seeds
from pipeline.tables import table

ORDERS = 5
"""Random orders of the rows; the mean squared error is that of all of them."""
MOST_ROWS, FEWEST_ROWS = 2_000, 50
MOST_NUMBERS = 20_000_000
"""Encoded numbers of all columns and orders: a wide table is measured on fewer rows."""


def of_columns(sample: Sample, model: Model) -> dict[str, float]:
    """Return the growth of the root mean square error for each raw column, the largest first.

    Of the rows held out in the sample, or of its training rows if none are held out. Columns whose
    figure is beyond float64 are left out.
    """
    rows = sample.test if sample.test.num_rows else sample.training.slice(0, sample.drawn)
    plan = model.plan
    numbers = len(plan.columns) * max(1, len(plan.encoded_names)) * ORDERS
    rows = some(rows, min(MOST_ROWS, max(FEWEST_ROWS, MOST_NUMBERS // numbers)))
    count = rows.num_rows
    usual = _error(rows, model)
    # The same orders for every job: a figure that changes is a change of the model or of the rows.
    draw = seeds.stream(0, "importance")
    orders = np.concatenate([draw.permutation(count) for _ in range(ORDERS)])
    again = taken(rows, np.tile(np.arange(count), ORDERS))
    growth = {}
    for name in plan.features:
        shuffled = with_column(again, name, rows.column(name), orders)
        growth[name] = _error(shuffled, model) - usual
    finite = {name: value for name, value in growth.items() if math.isfinite(value)}
    return dict(sorted(finite.items(), key=lambda item: -item[1]))


def some(rows: pa.Table, most: int) -> pa.Table:
    """Return `most` rows at equal distances, or all if there are no more."""
    count = min(rows.num_rows, most)
    return taken(rows, np.linspace(0, rows.num_rows - 1, count).round().astype(np.int64))


def taken(rows: pa.Table, places: NDArray[np.int64]) -> pa.Table:
    """Return the rows at `places`."""
    return rows.take(table.array(places, pa.int64()))


def with_column(
    rows: pa.Table, name: str, values: pa.ChunkedArray, places: NDArray[np.int64]
) -> pa.Table:
    """Return `rows` with the values at `places` as its column `name`."""
    column = values.take(table.array(places, pa.int64()))
    return rows.set_column(rows.column_names.index(name), name, column)


def predicted(rows: pa.Table, model: Model) -> Floats:
    """Return the predictions for typed rows: [rows, targets]."""
    encoded, _ = model.plan.encode(rows)
    return predictions(encoded, model.predict, len(model.targets))


def _error(rows: pa.Table, model: Model) -> float:
    """Return the root mean square error that is fitted: on its scale, and with its weights.

    Not finite if it is beyond float64.
    """
    numbers, features = model.numbers(rows), len(model.plan.encoded_names)
    x, y = numbers[:, :features], numbers[:, features:]
    with np.errstate(over="ignore", invalid="ignore"):
        squares = (y - predictions(x, model.predict, len(model.targets))) ** 2
        weight = Fraction(len(squares))
        if (weights := model.plan.weights_of(rows)) is not None:
            squares *= weights[:, None]
            weight = exact_sum(weights)
    if not np.isfinite(squares).all():
        return math.inf
    try:
        return math.sqrt(exact_sum(squares) / (weight * len(model.targets)))
    except OverflowError:
        return math.inf
