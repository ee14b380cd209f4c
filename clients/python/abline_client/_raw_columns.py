"""Conversion of columns, records and tables of raw values to the inputs of a model: version 2."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abline_client._category import CategoryColumn
from abline_client._column import Column, InputError, WrongValueError, column_names, plain
from abline_client._date import DateColumn
from abline_client._messages import no_column, shown
from abline_client._number import NumberColumn
from abline_client._warning import Rounding

Feed = dict[str, NDArray[Any]]


class RawColumns:
    """Converts rows to the inputs of one model. inputs: of the contract."""

    def __init__(self, inputs: Sequence[Mapping[str, Any]]) -> None:
        rounding = Rounding()
        self.columns: tuple[Column, ...] = tuple(_column(entry, rounding) for entry in inputs)
        self.names = tuple(column.name for column in self.columns)
        self._singles = [(column.name, column.single) for column in self.columns]

    def feed(self, rows: Any) -> Feed:
        """Return the inputs by name, [rows] each. Raises InputError."""
        if type(rows) is list and len(rows) == 1 and type(rows[0]) is dict:
            row = rows[0]
            try:
                return {name: single(row[name]) for name, single in self._singles}
            except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
                pass  # `_checked` takes more kinds of values, and says what is wrong
        return self._checked(self._raw(rows))

    def unchecked(self, rows: Any) -> Feed:
        """Return a mapping of arrays as it is."""
        feed: Feed = rows
        return feed

    def restored(self, golden: Mapping[str, Sequence[Any]]) -> Feed:
        """Return the inputs of golden vectors."""
        return {column.name: column.restored(golden[column.name]) for column in self.columns}

    def in_range(self, rows: Any) -> NDArray[np.bool_]:
        """Return True for each row whose every value is like the training rows': [rows]."""
        feed = self.feed(rows)
        inside: NDArray[np.bool_] = np.logical_and.reduce(
            [column.in_range(feed[column.name]) for column in self.columns]
        )
        return inside

    def _raw(self, rows: Any) -> dict[str, Any]:
        """Return the values of each column, in any form."""
        there = column_names(rows)
        if there is not None:
            if missing := [name for name in self.names if name not in set(there)]:
                raise InputError(no_column(missing, there))
            return {name: rows[name] for name in self.names}
        if not isinstance(rows, list | tuple) or not all(isinstance(r, Mapping) for r in rows):
            example = ", ".join(f'"{name}": …' for name in self.names[:3])
            more = ", …" * (len(self.names) > 3)
            raise InputError(
                "rows go by name, because columns have kinds: records, such as"
                f" [{{{example}{more}}}], or columns, or a table; found"
                f" {type(rows).__name__ if not isinstance(rows, list | tuple) else _other(rows)}"
            )
        for index, row in enumerate(rows):
            if missing := [name for name in self.names if name not in row]:
                raise InputError(f"row {index}: {no_column(missing, list(row))}")
        return {name: [row[name] for row in rows] for name in self.names}

    def _checked(self, raw: Mapping[str, Any]) -> Feed:
        """Return the inputs. Raises InputError with the mistakes of all columns."""
        feed: Feed = {}
        problems = []
        for column in self.columns:
            try:
                feed[column.name] = column.array(plain(raw[column.name]))
            except WrongValueError as error:
                problems.append(error.message(shown([column.name])))
        if problems:
            raise InputError("\n".join(problems))
        lengths = {name: len(x) for name, x in feed.items()}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{shown([name])} {length}" for name, length in lengths.items())
            raise InputError(f"columns are lists of one length, found {listed}")
        return feed


def _column(entry: Mapping[str, Any], rounding: Rounding) -> Column:
    if entry["kind"] == "number":
        return NumberColumn(entry, rounding)
    return CategoryColumn(entry) if entry["kind"] == "category" else DateColumn(entry)


def _other(rows: Sequence[Any]) -> str:
    """Return the first row that is no record, for a message."""
    return next(f"{row!r:.60}" for row in rows if not isinstance(row, Mapping))
