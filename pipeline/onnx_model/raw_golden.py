"""The golden vectors of a file that takes raw columns: raw rows, answered or refused."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.date import GAP, DateColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import Plan
from pipeline.columns.term import LOG_UNITS
from pipeline.learning.line import Line
from pipeline.onnx_model import feed, golden, provable, raw_values
from pipeline.onnx_model.contract import TableVectors
from pipeline.onnx_model.expected import Expected
from pipeline.onnx_model.feed import Feed, Inputs
from pipeline.onnx_model.hard_rows import hard_rows
from pipeline.onnx_model.raw_trials import one_at_a_time
from pipeline.settings.seeds import stream

MOST_COLUMNS = 64
"""Columns whose odd values are tried one at a time."""
REFUSAL_DERIVATION = ". Encoding: exact; null where the plan of the columns refuses a value"
TERMS_DERIVATION = (
    ". Terms: in float64 inside the file; a logarithm may be off by"
    f" {LOG_UNITS} units in the last place of float64, a power by its exponent, and the number is"
    " then rounded to the output's dtype, perhaps to the other side: |weight| times that is part of"
    " the bounds"
)


def vectors(expected: Expected, training: Inputs, queries: Inputs, seed: int) -> TableVectors:
    """Return the golden vectors: queries, hard numbers, every level, odd values.

    Raises UserError if no answer is finite and has a finite bound.
    """
    plan = expected.plan
    assert plan is not None
    random = stream(seed, "golden vectors")
    rows = feed.stacked(
        [
            feed.chosen(queries, slice(8)),
            _hard(expected, plan, training, random),
            _odd(expected, plan, training, random),
        ]
    )
    tried = expected.feed(rows)
    with np.errstate(invalid="ignore"):
        checkable = tried.refused | np.isfinite(tried.x).all(axis=1)
    finite = {
        each.name: np.isfinite(rows[each.name]) | np.isnan(rows[each.name])
        for each in plan.columns
        if isinstance(each, NumberColumn)
    }
    checkable &= np.logical_and.reduce([*finite.values(), np.ones(len(tried.x), np.bool_)])
    tried = expected.feed(feed.chosen(rows, np.flatnonzero(checkable)))
    # Any numbers do for a refused row, whose logarithm may be that of zero.
    x = np.where(tried.refused[:, None], 0.0, tried.x)
    computed, derivation = golden.right_answers(expected, x)
    right = expected.by_output(computed, tried, np.nan)
    bounds = expected.allowed_in(tried, right)
    whole = tried.refused | np.isfinite(np.hstack([*computed, *bounds])).all(axis=1)
    if not (whole & ~tried.refused).any():
        raise golden.too_large(expected.precision)
    whole = _provable(expected, plan, tried, right, bounds, whole)
    if "in_range" in expected.asked:
        derivation += golden.IN_RANGE_DERIVATION
    if plan.terms:
        derivation += TERMS_DERIVATION
    return _written(expected, plan, tried, right, bounds, np.flatnonzero(whole), derivation)


def _provable(
    expected: Expected,
    plan: Plan,
    tried: Feed,
    right: list[NDArray[Any]],
    bounds: list[NDArray[np.float64]],
    whole: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return which of the `whole` rows have bounds that prove something; see provable.py."""
    dtype = expected.precision
    kept = whole.copy()
    kept[whole] = provable.rows(
        expected.outputs,
        [y[whole] for y in right],
        [bound[whole] for bound in bounds],
        provable.distance_of_table(tried.inputs, feed.shipped(plan, dtype))[whole],
        tried.inside[whole],
        len(plan.encoded_names),
        dtype,
    )
    return kept


def _written(
    expected: Expected,
    plan: Plan,
    tried: Feed,
    right: list[NDArray[Any]],
    bounds: list[NDArray[np.float64]],
    chosen: NDArray[np.int64],
    derivation: str,
) -> TableVectors:
    """Return the chosen rows as the contract has them."""

    def column(name: str) -> list[float | int | str | None]:
        values = tried.inputs[name][chosen].tolist()
        return [None if value in ("", GAP) or value != value else value for value in values]

    names = [output.name for output in expected.outputs]
    answers = {
        name: [[None if np.isnan(each) else float(each) for each in row] for row in y[chosen]]
        for name, y in zip(names, right, strict=True)
    }
    allowed = {
        name: [
            [None if answer is None else each for each, answer in zip(row, answered, strict=True)]
            for row, answered in zip(bound[chosen].tolist(), answers[name], strict=True)
        ]
        for name, bound in zip(names, bounds, strict=True)
    }
    return TableVectors(
        inputs={name: column(name) for name in plan.features},
        outputs=answers,
        bounds=allowed,
        derivation=derivation + REFUSAL_DERIVATION,
    )


def _hard(expected: Expected, plan: Plan, training: Inputs, random: np.random.Generator) -> Inputs:
    """Return rows with hard numbers, then rows of the training numbers; together every level."""
    dtype = expected.precision
    rows: dict[str, NDArray[Any]] = {}
    values = {each.name: raw_values.usual(each, dtype) for each in plan.columns}
    for column in plan.columns:
        if isinstance(column, DateColumn):
            refused = column.encode(*_alone(plan, column, values[column.name]))
            values[column.name] = values[column.name][~refused]
    levels = [len(values[each.name]) for each in plan.columns if each.kind != "number"]
    numbers = [each for each in plan.columns if isinstance(each, NumberColumn)]
    hard = _hard_numbers(expected, plan, numbers, random) if numbers else np.empty((0, 0))
    count = len(hard) + max([*levels, golden.VECTOR_COUNT])
    base = random.integers(0, feed.row_count(training), count)
    for each in plan.columns:
        if isinstance(each, NumberColumn):
            rows[each.name] = training[each.name][base]
            rows[each.name][: len(hard)] = hard[:, numbers.index(each)]
        else:
            turns = np.arange(count) - len(hard)
            rows[each.name] = values[each.name][turns % len(values[each.name])]
    return rows


def _alone(plan: Plan, column: DateColumn, values: NDArray[Any]) -> Any:
    arrow = feed.arrow({column.name: values}, plan.model_copy(update={"columns": (column,)}))
    return arrow.column(0), np.empty((len(values), len(column.encoded_names)), order="F")


def _hard_numbers(
    expected: Expected, plan: Plan, numbers: list[NumberColumn], random: np.random.Generator
) -> NDArray[np.float64]:
    """Return hard values of the columns of numbers: [rows, columns]."""
    line, interval = expected.line, expected.interval
    if plan.terms:  # an answer is no line over the columns
        line = interval = None
    if line is not None:
        places = [plan.encoded_names.index(each.name) for each in numbers]
        line = Line(line.weight[:, places], line.bias, line.centre[places])
    low, high = (np.array([getattr(each, end) for each in numbers]) for end in ("min", "max"))
    nothing = np.empty((0, len(numbers)))
    dtype = expected.precision
    rows = hard_rows(golden.VECTOR_COUNT, low, high, nothing, line, interval, dtype, random)
    return rows[: golden.VECTOR_COUNT]


def _odd(expected: Expected, plan: Plan, training: Inputs, random: np.random.Generator) -> Inputs:
    """Return training rows with an odd value in one column."""
    chosen = np.sort(random.permutation(len(plan.columns))[:MOST_COLUMNS])
    some = plan.model_copy(update={"columns": tuple(plan.columns[place] for place in chosen)})
    return one_at_a_time(some, training, expected.precision, odd=True, random=random)
