"""Conversion of rows (lists, records, tables or arrays) to the array that a model takes."""

import json
import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from abline_client._column import InputError, column_names, decoded
from abline_client._messages import count, no_column, shown
from abline_client._warning import Rounding


class Columns(Protocol):
    """Values by column name: a dict of lists or a pandas DataFrame.

    Tables with `columns` or `column_names` in place of `keys`, as of polars and pyarrow, work too.
    """

    def keys(self) -> Any:
        """Return the names."""

    def __getitem__(self, name: str, /) -> Any:
        """Return the values of a column."""


class Matrix:
    """Converts rows to the only input of one model. entry: the contract's description of it."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.features: tuple[str, ...] = tuple(feature["name"] for feature in entry["features"])
        self.dtype = np.dtype(entry["dtype"])
        self.width = len(self.features)
        self._name: str = entry["name"]
        self._low = np.array([feature["min"] for feature in entry["features"]], self.dtype)
        self._high = np.array([feature["max"] for feature in entry["features"]], self.dtype)
        self._rounding = Rounding()

    def feed(self, rows: Any) -> dict[str, NDArray[Any]]:
        """Return the input by its name. Raises InputError."""
        return {self._name: self.array(rows)}

    def unchecked(self, rows: Any) -> dict[str, Any]:
        """Return an array as it is, by the input's name."""
        return {self._name: rows}

    def restored(self, golden: Sequence[Sequence[float]]) -> dict[str, NDArray[Any]]:
        """Return the input of golden vectors."""
        return {self._name: np.array(golden, self.dtype)}

    def in_range(self, rows: Any) -> NDArray[np.bool_]:
        """Return True for each row whose every feature lies in its training range: [rows]."""
        x = self.array(rows)
        inside: NDArray[np.bool_] = np.logical_and.reduce(
            (x >= self._low) & (x <= self._high), axis=1
        )
        return inside

    def array(self, rows: Any) -> NDArray[Any]:
        """Return the rows as the model takes them, [rows, features]. Raises InputError."""
        if type(rows) is np.ndarray and rows.dtype == self.dtype and rows.ndim == 2:
            x = rows
        else:
            x = self._converted(rows)
        if x.shape[1] != self.width:
            raise InputError(
                f"found rows of {count(x.shape[1], 'number')}; the model has"
                f" {count(self.width, 'feature')}: {shown(self.features)}"
            )
        # NaN and infinity make this sum NaN or infinite. So do squares that overflow: look again.
        if not math.isfinite(np.vdot(x, x)):
            self._refuse_not_finite(x)
        return x

    def _converted(self, rows: Any) -> NDArray[Any]:
        there = column_names(rows)
        if there is not None:
            return self._from_columns(rows, there)
        if isinstance(rows, list | tuple) and rows and isinstance(rows[0], Mapping):
            return self._from_records(rows)
        values = self._numbers(rows, "the rows")
        if values.ndim == 1 and values.size == 0:
            values = values.reshape(0, self.width)
        if values.ndim != 2:
            hint = f"; a single row is [[{', '.join(self.features[:3])}{', …' * (self.width > 3)}]]"
            raise InputError(
                f"found {count(values.ndim, 'dimension')}; rows are a table of [rows, features]"
                + hint * (values.ndim == 1)
            )
        return values

    def _from_columns(self, columns: Any, there: list[Any]) -> NDArray[Any]:
        known = set(there)
        if missing := [name for name in self.features if name not in known]:
            raise InputError(no_column(missing, there))
        arrays = [
            self._numbers(decoded(columns[name]), f"column {json.dumps(name, ensure_ascii=False)}")
            for name in self.features
        ]
        for name, values in zip(self.features, arrays, strict=True):
            if values.ndim == 0:
                raise InputError(
                    f"column {name}: must be a list, found a single value; a single row is"
                    f" [{{{json.dumps(self.features[0], ensure_ascii=False)}: …}}]"
                )
            if values.ndim != 1:
                deep = count(values.ndim, "dimension")
                raise InputError(f"column {name}: must be a list, found {deep}")
            if len(values) != len(arrays[0]):
                lengths = f"{len(arrays[0])} and {len(values)}"
                raise InputError(f"column {name}: columns are lists of one length, found {lengths}")
        return np.column_stack(arrays)

    def _from_records(self, rows: Sequence[Any]) -> NDArray[Any]:
        values = np.empty((len(rows), self.width), np.float64)
        for index, row in enumerate(rows):
            if not isinstance(row, Mapping):
                raise InputError(f"row {index}: must be values by name, found {row!r:.60}")
            if missing := [name for name in self.features if name not in row]:
                raise InputError(f"row {index}: {no_column(missing, list(row))}")
            for column, name in enumerate(self.features):
                value = row[name]
                where = f"row {index}, {shown([name])}"
                if isinstance(value, bool) or not isinstance(value, numbers.Real):
                    raise InputError(f"{where}: must be a number, found {value!r:.60}")
                try:
                    values[index, column] = value
                except OverflowError:  # an integer of hundreds of digits
                    raise InputError(f"{where}: {value!r:.60} is beyond {self.dtype}") from None
        return self._numbers(values.tolist(), "the rows").reshape(values.shape)

    def _numbers(self, values: Any, what: str) -> NDArray[Any]:
        """Return values in the model's dtype. what: their name in a message."""
        if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
            raise InputError(f"{what}: found masked values; fill them in, or remove their rows")
        try:
            array = np.asarray(values)
        except ValueError:
            raise InputError(f"{what}: not all of one length") from None
        if array.dtype.kind not in "iuf" and array.size:
            kinds = {
                "U": "text",
                "S": "bytes",
                "b": "booleans",
                "O": "something else, such as null or text",
            }
            kind = kinds.get(array.dtype.kind, str(array.dtype))
            raise InputError(f"{what}: must be numbers, found {kind}")
        if array.dtype == self.dtype:
            return array
        rounded = self._rounding.to(self.dtype, array, chosen=hasattr(values, "dtype"))
        if not np.isfinite(rounded).all() and np.isfinite(array.astype(np.float64)).all():
            raise InputError(f"{what}: {np.abs(array).max():g} is beyond {self.dtype}")
        return rounded

    def _refuse_not_finite(self, x: NDArray[Any]) -> None:
        bad = ~np.isfinite(x)
        if bad.any():
            row, column = (int(index[0]) for index in np.nonzero(bad))
            others = int(bad.any(axis=1).sum()) - 1
            more = f" ({others} more rows like it)" if others else ""
            raise InputError(f"row {row}, {self.features[column]}: found {x[row, column]}{more}")
