"""The query points of `evaluate.queries`, as rows of the raw columns."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.columns.category import CategoryColumn
from pipeline.columns.date import GAP, SECONDS_PER_DAY, DateColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import AnyColumn, Plan
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, first_of, mistakes, show
from pipeline.tables import table

MOST_MISTAKES_SHOWN = 10
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def query_table(queries: Sequence[Any], plan: Plan) -> pa.Table:
    """Return the queries as a table of the features, of the types of data/train.parquet.

    queries: `evaluate.queries`; each is a list of numbers, or a mapping of names to values.
    Raises UserError with each query that has other columns than the features, and with each value
    that is of another kind or that the plan refuses.
    """
    problems: list[str] = []
    rows: list[Mapping[str, Any]] = []
    for index, query in enumerate(queries):
        place = f"evaluate.queries[{index}]"
        problem = _other_columns(query, plan)
        if problem:
            problems.append(f"{place}: {problem}")
            continue
        named = isinstance(query, Mapping)
        rows.append(query if named else dict(zip(plan.features, query, strict=True)))
        for column in plan.columns:
            problem = _refusal(column, rows[-1][column.name])
            if problem:
                problems.append(f"{place}: {problem}")
    if problems:
        raise UserError(mistakes(problems, "evaluate.queries", MOST_MISTAKES_SHOWN))
    arrays = [_array(column, [row[column.name] for row in rows]) for column in plan.columns]
    return pa.Table.from_arrays(arrays, names=list(plan.features))


def _other_columns(query: Any, plan: Plan) -> str:
    """Return what is wrong with the columns of a query; "" if they are the features."""
    features = plan.features
    if isinstance(query, Mapping):
        unknown = [name for name in query if name not in features]
        absent = [name for name in features if name not in query]
        if unknown:
            names = ", ".join(show(name) for name in unknown)
            return f"found {names}; the features are {first_of(features, 8)}"
        if absent:
            names = ", ".join(show(name) for name in absent)
            return f"{names} must be there too; a missing value is written as null"
    elif not all(isinstance(column, NumberColumn) for column in plan.columns):
        return (
            "found a list, but not every feature is a number; write a mapping of names to values,"
            f" such as {_example(plan)}"
        )
    elif len(query) != len(features):
        return (
            f"found {count(len(query), 'number')}; must be {len(features)}, one for each feature"
            f" ({first_of(features, 8)}), or evaluate.queries must be []"
        )
    return ""


def _example(plan: Plan) -> str:
    """Return a query that the plan answers, as params.yaml writes it."""
    values = []
    for column in plan.columns[:6]:
        if isinstance(column, NumberColumn):
            value = f"{column.max:g}"
        elif isinstance(column, CategoryColumn):
            value = json.dumps(next(iter(column.levels)).name if column.levels else "",
                               ensure_ascii=False)  # fmt: skip
        else:
            value = iso(column.max, column)
        values.append(f"{json.dumps(column.name, ensure_ascii=False)}: {value}")
    return f"{{{', '.join(values)}{', …' if len(plan.columns) > 6 else ''}}}"


def _refusal(column: AnyColumn, value: Any) -> str:
    """Return why a value of a query cannot be answered; "" if it can be."""
    name = show(column.name)
    try:
        values = _array(column, [value])
    except ValueError as error:
        return f"{name} is {show(value)}; must be {error}"
    out = np.empty((1, len(column.encoded_names)), order="F")
    if not column.encode(values, out)[0]:
        return ""
    if value is None or value == "":
        return f"{name} is missing; data.features does not say what a missing value stands for"
    if isinstance(column, CategoryColumn):
        levels = first_of([show(level.name) for level in column.levels], 8)
        return f"{name} is {show(value)}, which no training row has; must be {levels}"
    return f"{name} is {show(value)}; its month or its weekday is in no training row"


def _array(column: AnyColumn, values: Sequence[Any]) -> pa.Array:
    """Return values of a column as an array of its type; None is a gap.

    Raises ValueError, with what it must be, for a value of another kind.
    """
    if isinstance(column, NumberColumn):
        return table.array(np.array([*map(_number, values)], np.float64), pa.float64())
    if isinstance(column, CategoryColumn):
        return _texts([*map(_text, values)])
    convert: Callable[[Any], int] = _days if column.unit == "days" else _seconds
    moments = np.array([*map(convert, values)], np.int64)
    known = np.packbits(moments != GAP, bitorder="little")
    kind = pa.date32() if column.unit == "days" else pa.timestamp("s")
    held = np.where(moments == GAP, 0, moments)
    held = held.astype(np.int32) if column.unit == "days" else held
    buffers = [pa.py_buffer(known), pa.py_buffer(np.ascontiguousarray(held))]
    return pa.Array.from_buffers(kind, len(moments), buffers)


def _number(value: Any) -> float:
    if value is None or value == "":
        return math.nan
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number, or null")
    return float(value)


def _text(value: Any) -> str:
    """Return the level that a value of YAML means: true is "true", 3 is "3"."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, date) else str(value)


def _seconds(value: Any) -> int:
    if value is None or value == "":
        return int(GAP)
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
        if not isinstance(moment, datetime):
            moment = datetime(moment.year, moment.month, moment.day)
    except (ValueError, AttributeError):
        raise ValueError("a date such as 2024-02-29 or 2024-02-29T13:00:00, or null") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (aware - EPOCH) // timedelta(seconds=1)


def _days(value: Any) -> int:
    seconds = _seconds(value)
    return seconds if seconds == GAP else seconds // SECONDS_PER_DAY


def _texts(values: Sequence[str]) -> pa.Array:
    # Not pa.array: it imports pandas, a quarter of a second.
    encoded = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), buffers)


def iso(moment: int, column: DateColumn) -> str:
    """Return a moment, in the column's unit, as ISO 8601 writes it."""
    unit = "D" if column.unit == "days" else "s"
    return str(np.int64(moment).astype(f"datetime64[{unit}]"))


def cells(rows: pa.Table, plan: Plan) -> list[list[Any]]:
    """Return the rows as a CSV file has them: numbers, texts, ISO dates; None for a gap."""
    columns: list[list[Any]] = []
    for column in plan.columns:
        values = rows.column(column.name).to_pylist()
        if isinstance(column, NumberColumn):
            values = [None if math.isnan(value) else value for value in values]
        elif isinstance(column, CategoryColumn):
            values = [value or None for value in values]
        else:
            values = [None if value is None else value.isoformat() for value in values]
        columns.append(values)
    return [list(row) for row in zip(*columns, strict=True)]
