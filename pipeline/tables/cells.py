"""Blocks of rows whose values are Python's: of JSON records and of the cells of a sheet."""

import json
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.settings.errors import UserError
from pipeline.settings.messages import show
from pipeline.tables.raw_file import Block

ROWS_PER_BLOCK = 16_384
_EXACT = 2**53


def block(
    path: Path,
    names: Sequence[str],
    columns: Sequence[int],
    rows: Sequence[Sequence[Any]],
    places: Sequence[int],
    size: int,
) -> Block:
    """Return a block. rows: a value for each of `names`, None for a gap: [rows][names].

    places: of the rows in the file: [rows]. size: see Block.
    Raises UserError if one of `columns` holds a list or a mapping.
    """
    values = {column: [row[column] for row in rows] for column in columns}
    for column, held in values.items():
        for row, value in enumerate(held):
            if isinstance(value, list | dict):
                kind = "a list" if isinstance(value, list) else "a mapping"
                raise UserError(
                    f"{path}:{places[row]}: {show(names[column])} is {kind}; records must be flat:"
                    f" leave it out, `exclude: [{json.dumps(names[column])}]` under data; or"
                    " write a column for each of its values"
                )
    try:
        arrays = [to_arrow(values[column]) for column in columns]
    except UnicodeEncodeError as error:
        raise UserError(
            f"{path}: found half of a character, {show(error.object[error.start])}, in records"
            f" {places[0]} to {places[-1]}; write the texts anew"
        ) from None
    typed = pa.table(arrays, names=[str(column) for column in columns])
    return Block(
        typed,
        size,
        lambda asked: [places[row] for row in asked],
        typed.column,
        partial(_as_texts, names, rows),
    )


def table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """Return rows with the types that their values have. rows: as of `block`."""
    columns = [[row[column] for row in rows] for column in range(len(names))]
    return pa.table([to_arrow(column) for column in columns], names=list(names))


def to_arrow(values: Sequence[Any]) -> pa.Array:
    """Return values with the type that they all have, else as text; None for a gap: [rows]."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {bool}:
        return pa.array(values, pa.bool_())
    if kinds and kinds <= {int, float}:
        integers = [value for value in values if isinstance(value, int)]
        # A larger one may be no float64; as text it can be said.
        if all(-_EXACT <= value <= _EXACT for value in integers):
            return pa.array(values, pa.float64() if float in kinds else pa.int64())
    if kinds and kinds <= {date, datetime}:
        return pa.array([_moment(value) for value in values], pa.timestamp("us"))
    return pa.array([None if value is None else text(value) for value in values], pa.string())


def _moment(value: date | datetime | None) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime.combine(value, time())


def text(value: Any) -> str:
    """Return a value as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) <= _EXACT:
        return str(int(value))
    if isinstance(value, date | datetime | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _as_texts(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pa.Table:
    """See Block.columns."""
    columns = [
        [None if row[column] is None else text(row[column]) for row in rows]
        for column in range(len(names))
    ]
    return pa.table([pa.array(column, pa.string()) for column in columns], names=list(names))
