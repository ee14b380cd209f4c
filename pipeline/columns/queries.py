"""The query points of `evaluate.queries`, as rows of the raw columns."""

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.columns.category import CategoryColumn
from pipeline.columns.date import GAP, SECONDS_PER_DAY, DateColumn, from_integers
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import AnyColumn, Plan
from pipeline.settings import queries as queries_yaml
from pipeline.settings.errors import UserError
from pipeline.settings.keys.column_settings import ColumnSettings, NumberSettings
from pipeline.settings.messages import dotted, first_of, mistakes, show
from pipeline.tables import table

MOST_MISTAKES_SHOWN = 10
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def query_table(
    queries: Sequence[Any], plan: Plan, settings: Mapping[str, ColumnSettings]
) -> pa.Table:
    """Return the queries as a table of the features, of the types of data/train.parquet.

    queries: `evaluate.queries`; each is a list of values, or a mapping of names to values.
    settings: of the columns; none if every column of the file is a number.
    Raises UserError with each query that has other columns than the features, and with each value
    that is of another kind or that the plan refuses.
    """
    known = settings or {name: NumberSettings(kind="number") for name in plan.features}
    wrong = [f"{dotted(key)}: {text}" for key, text in queries_yaml.mistakes(queries, known)]
    if not wrong:
        formats = {name: getattr(column, "format", None) for name, column in known.items()}
        rows = [queries_yaml.by_name(query, plan.features) for query in queries]
        arrays = {
            column.name: _array(column, [row[column.name] for row in rows], formats[column.name])
            for column in plan.columns
        }
        for column in plan.columns:
            out = np.empty((len(rows), len(column.encoded_names)), order="F")
            refused = column.encode(arrays[column.name], out)
            wrong += [
                f"evaluate.queries[{index}]: {_refusal(column, rows[index][column.name])}"
                for index in np.flatnonzero(refused).tolist()
            ]
        if not wrong:
            wrong = [*_without_value(plan, pa.table(arrays))]
    if wrong:
        raise UserError(mistakes(wrong, "evaluate.queries", MOST_MISTAKES_SHOWN))
    return pa.Table.from_arrays([*arrays.values()], names=[*arrays])


def _without_value(plan: Plan, rows: pa.Table) -> Iterator[str]:
    """Yield a message for each query at which a term has no value, such as the log of 0."""
    for term, numbers in plan.numbers_of_terms(rows):
        refused = ~np.isfinite(numbers).all(axis=1)
        for index in np.flatnonzero(refused).tolist():
            values = [
                f"{show(each.column)} is {_cell(rows.column(each.column)[index].as_py())}"
                for each in term.operands
            ]
            where = " and ".join(values)
            yield f"evaluate.queries[{index}]: {term.name} has no value where {where}"


def _cell(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def _refusal(column: AnyColumn, value: Any) -> str:
    """Return why the plan refuses a value of a query."""
    name = show(column.name)
    if value is None or value == "":
        return f"{name} is missing, which has no answer"
    if isinstance(column, CategoryColumn):
        levels = first_of([show(level.name) for level in column.levels], 8)
        known = [level.name for level in column.levels]
        near = difflib.get_close_matches(_text(value), known, 1)
        hint = f"did you mean {show(near[0])}? " if near else ""
        return f"{name} is {show(value)}, which no training row has; {hint}must be {levels}"
    return f"{name} is {show(value)}; its month or its weekday is in no training row"


def _array(column: AnyColumn, values: Sequence[Any], form: str | None) -> pa.Array:
    """Return values of a column as an array of its type; None and "" are gaps.

    form: how dates are written, as for strptime; None: as ISO 8601 says.
    """
    if isinstance(column, NumberColumn):
        numbers = [math.nan if value in (None, "") else float(value) for value in values]
        return table.array(np.array(numbers, np.float64), pa.float64())
    if isinstance(column, CategoryColumn):
        return table.texts([*map(_text, values)])
    seconds = np.array([_seconds(value, form) for value in values], np.int64)
    if column.unit == "days":
        return from_integers(np.where(seconds == GAP, GAP, seconds // SECONDS_PER_DAY), "days")
    return from_integers(seconds, "seconds")


def _text(value: Any) -> str:
    """Return the level that a value of YAML means: true is "true", 3 is "3"."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _seconds(value: Any, form: str | None) -> int:
    if value in (None, ""):
        return int(GAP)
    return (queries_yaml.moment(value, form) - EPOCH) // timedelta(seconds=1)


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
