"""Partial dependence: the mean prediction as one column runs over its range.

For a model that has no coefficients, and of its most important columns.
Every row keeps its other values, also where no row has such a combination (Friedman, *Greedy
function approximation: a gradient boosting machine*, 2001). The single rows' curves show what the
mean hides (Goldstein et al., *Peeking inside the black box*, 2015).
"""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.category import CategoryColumn
from pipeline.columns.date import GAP, DateColumn, integers
from pipeline.columns.plan import AnyColumn
from pipeline.columns.sample import read_sample
from pipeline.columns.summary import Summary
from pipeline.exact.exact_sum import exact_sum
from pipeline.measures import importance
from pipeline.measures.measuring import Model
from pipeline.measures.model_errors import Floats
from pipeline.tables import table

MOST_IN_METRICS = 20
"""Columns in metrics.json."""
MOST_COLUMNS = 8
"""Columns that are drawn, the most important ones."""
MOST_ROWS = 200
"""Training rows over which the predictions are averaged."""
MOST_VALUES = 24
"""Values of a number or a date, at equal shares of the rows."""
MOST_LEVELS = 12
"""Levels of a category, the most frequent ones."""


@dataclass(frozen=True)
class Dependence:
    """The predictions as one raw column runs over its range.

    values: what the column is set to: numbers, moments (datetime64) or texts: [values].
    rows_at: the column's known values in the rows, for a rug; empty for texts.
    mean: exactly summed mean predictions, weighted as the fit: [values, targets].
    rows: the predictions for the first target, of each row: [values, rows].
    importance: by how much the error grows if the column is shuffled.
    """

    name: str
    kind: Literal["number", "category", "date"]
    values: NDArray[np.generic]
    rows_at: NDArray[np.generic]
    mean: Floats
    rows: Floats
    importance: float


@dataclass(frozen=True)
class Dependences:
    """The importance of each column, the largest first, and the curves of the first of them.

    Both are empty for a linear model, whose coefficients say it.
    """

    importance: dict[str, float]
    curves: tuple[Dependence, ...]

    @classmethod
    def of(cls, summary: Summary, model: Model) -> "Dependences":
        """Return how a model depends on its columns. Reads data/sample.parquet."""
        if model.is_line:
            return cls({}, ())
        sample = read_sample(summary, model.plan, model.targets)
        growth = importance.of_columns(sample, model)
        rows = importance.some(sample.training.slice(0, sample.drawn), MOST_ROWS)
        columns = {column.name: column for column in model.plan.columns}
        drawn = [*growth.items()][:MOST_COLUMNS]
        return cls(growth, tuple(_of_column(columns[name], rows, model, by) for name, by in drawn))

    def in_metrics(self) -> dict[str, Any]:
        """Return the part of metrics.json: the importance of the most important columns."""
        most = dict([*self.importance.items()][:MOST_IN_METRICS])
        return {"importance": most} if most else {}


def _of_column(column: AnyColumn, rows: pa.Table, model: Model, growth: float) -> Dependence:
    values = rows.column(column.name)
    known, places = _grid(column, values)
    count = rows.num_rows
    again = importance.taken(rows, np.tile(np.arange(count), len(places)))
    set_to = importance.with_column(again, column.name, values, np.repeat(places, count))
    predicted = importance.predicted(set_to, model).reshape(len(places), count, len(model.targets))
    weights = model.plan.weights_of(rows)
    weights = np.ones(count) if weights is None else weights
    weight = exact_sum(weights)
    mean = [
        [float(exact_sum(each * weights) / weight) for each in at_value.T] for at_value in predicted
    ]
    return Dependence(
        name=column.name,
        kind=column.kind,
        values=known[places],
        rows_at=known[:0] if column.kind == "category" else known[_are_known(known)],
        mean=np.array(mean).reshape(len(places), len(model.targets)),
        rows=predicted[:, :, 0],
        importance=growth,
    )


def _grid(
    column: AnyColumn, values: pa.ChunkedArray
) -> tuple[NDArray[np.generic], NDArray[np.int64]]:
    """Return the values of the rows, and the places of those that the column is set to.

    Values that rows have are typed as the table's, and no value between two of them is made up.
    """
    if isinstance(column, CategoryColumn):
        texts = np.array(values.to_pylist(), dtype=object)
        levels, first, counts = np.unique(texts.astype(str), return_index=True, return_counts=True)
        most = np.argsort(-counts, kind="stable")[:MOST_LEVELS]
        return texts, first[np.sort(most)] if len(levels) else first
    if isinstance(column, DateColumn):
        moments = integers(values, column.unit)
        unit = "D" if column.unit == "days" else "s"
        known = np.where(moments == GAP, np.iinfo(np.int64).min, moments).astype(f"M8[{unit}]")
    else:
        known = table.numbers(values)
    order = np.argsort(known, kind="stable")
    order = order[_are_known(known[order])]
    distinct = order[np.append(True, known[order][1:] != known[order][:-1])[: len(order)]]
    if len(distinct) > MOST_VALUES:
        ranks = np.linspace(0, len(order) - 1, MOST_VALUES).round().astype(np.int64)
        chosen = order[ranks]
        distinct = chosen[np.append(True, known[chosen][1:] != known[chosen][:-1])]
    return known, distinct


def _are_known(values: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Return False for NaN and NaT: [rows]."""
    known: NDArray[np.bool_] = values == values
    return known
