"""The raw rows that a file of raw columns is tried on."""

from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.category import CategoryColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import AnyColumn, Plan
from pipeline.onnx_model import feed, raw_values
from pipeline.onnx_model.contract_inputs import Float
from pipeline.onnx_model.feed import Inputs

RANDOM_ROWS = 1000


def raw_trials(
    plan: Plan,
    training: pa.Table,
    queries: pa.Table,
    dtype: Float,
    random: np.random.Generator,
) -> dict[str, Inputs]:
    """Return the rows to try, by kind: not all finite, and not all answered.

    training, queries: with the raw columns.
    """
    rows = feed.inputs_of(training, plan, dtype)
    return {
        "training rows": rows,
        "queries": feed.inputs_of(queries, plan, dtype),
        "one value at a time": one_at_a_time(plan, rows, dtype, odd=True, random=random),
        "random rows": _random(plan, rows, dtype, random),
    }


def one_at_a_time(
    plan: Plan, training: Inputs, dtype: Float, *, odd: bool, random: np.random.Generator
) -> Inputs:
    """Return training rows with every value of `raw_values` in turn. odd: the odd ones, too."""
    values: dict[str, NDArray[Any]] = {}
    for each in plan.columns:
        values[each.name] = raw_values.usual(each, dtype)
        if odd:
            both = [values[each.name], raw_values.odd(each, dtype)]
            values[each.name] = np.concatenate(both)
    counts = {name: len(each) for name, each in values.items()}
    base = random.integers(0, feed.row_count(training), sum(counts.values()))
    rows = {name: values.copy() for name, values in feed.chosen(training, base).items()}
    begin = 0
    for name, tried in values.items():
        rows[name][begin : begin + counts[name]] = tried
        begin += counts[name]
    return rows


def _random(
    plan: Plan, training: Inputs, dtype: Float, random: np.random.Generator
) -> dict[str, NDArray[Any]]:
    """Return rows with the values of a training row, a usual or an odd value in every column."""
    rows = {}
    for column in plan.columns:
        known = training[column.name][
            random.integers(0, feed.row_count(training), RANDOM_ROWS)
        ].copy()
        usual = random.uniform(size=RANDOM_ROWS) < 0.5
        known[usual] = _drawn(column, dtype, int(usual.sum()), random)
        odd = random.uniform(size=RANDOM_ROWS) < 0.3 / len(plan.columns)
        known[odd] = random.choice(raw_values.odd(column, dtype), int(odd.sum()))
        rows[column.name] = known
    return rows


def _drawn(
    column: AnyColumn, dtype: Float, count: int, random: np.random.Generator
) -> NDArray[Any]:
    """Return random values: numbers and dates over ten times the training range, or levels."""
    if isinstance(column, CategoryColumn):
        return random.choice(raw_values.usual(column, dtype), count)
    if isinstance(column, NumberColumn):
        middle, reach = column.min / 2 + column.max / 2, (column.max / 2 - column.min / 2) * 10
        reach = reach or max(1.0, abs(middle))
        with np.errstate(over="ignore"):
            return (middle + reach * random.uniform(-1, 1, count)).astype(dtype)
    span = 10 * (column.max - column.min) + 1
    moments = random.integers(column.min - span, column.max + span, count)
    return raw_values.within_arrow(column, moments)
