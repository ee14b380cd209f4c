"""Conversion of rows (lists, records, tables or arrays) to the array that a model takes."""

import difflib
import json
import math
import numbers
import sys
import unicodedata
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from abline_client._contract import count, shown


class InputError(ValueError):
    """Rows that the model cannot answer."""


class Columns(Protocol):
    """Values by column name: a dict of lists or a pandas DataFrame.

    Tables with `columns` or `column_names` in place of `keys`, as of polars and pyarrow, work too.
    """

    def keys(self) -> Any:
        """Return the names."""

    def __getitem__(self, name: str, /) -> Any:
        """Return the values of a column."""


class Rows:
    """Converts rows to arrays for one model. features: the names of its columns, in order."""

    def __init__(self, features: Sequence[str], dtype: np.dtype[Any]) -> None:
        self.features = features
        self.dtype = dtype
        self.width = len(features)
        self._has_warned = False

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
        for names in ("keys", "column_names", "columns"):
            if hasattr(rows, names):
                column_names = getattr(rows, names)
                if callable(column_names):
                    column_names = column_names()
                return self._from_columns(rows, list(column_names))
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
            raise InputError(_no_column(missing, there))
        arrays = [
            self._numbers(columns[name], f"column {json.dumps(name, ensure_ascii=False)}")
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
                raise InputError(f"row {index}: {_no_column(missing, list(row))}")
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
        # Warn only of a dtype that the caller chose: Python has no other floats than float64.
        chosen = hasattr(values, "dtype") and array.dtype.kind == "f"
        if chosen and array.dtype.itemsize > self.dtype.itemsize and not self._has_warned:
            self._has_warned = True
            _warn(f"{array.dtype} is rounded to the model's {self.dtype}")
        with np.errstate(over="ignore"):
            rounded = array.astype(self.dtype)
        # Not every integer above 2²⁴ is a number of float32.
        if array.dtype.kind in "iu" and not self._has_warned and (rounded != array).any():
            self._has_warned = True
            _warn(f"integers are rounded to the model's {self.dtype}")
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


def _no_column(missing: Sequence[str], there: Sequence[Any]) -> str:
    """Return a message: the missing columns, the columns that are there, and likely matches."""
    near = []
    by_case = {str(name).casefold(): str(name) for name in there}
    for name in missing[:3]:
        if same := [each for each in there if _normal(each) == _normal(name)]:
            near.append(
                f"{shown(same)} looks the same but is written with other characters"
                " (unicodedata.normalize makes them equal)"
            )
        elif close := difflib.get_close_matches(name.casefold(), by_case, 1):
            near.append(f"is {shown([by_case[close[0]]])} meant for {shown([name])}?")
    first = "there is no column" if len(missing) == 1 else "there are no columns"
    return "; ".join([f"{first} {shown(missing)}", f"found {shown(there)}", *near])


def _normal(name: Any) -> str:
    return unicodedata.normalize("NFC", str(name))


def _warn(text: str) -> None:
    """Warn, with the place in the code that called this package."""
    level, frame = 1, sys._getframe()
    here = str(Path(__file__).parent)
    while frame.f_code.co_filename.startswith(here) and frame.f_back is not None:
        level, frame = level + 1, frame.f_back
    warnings.warn(text, UserWarning, stacklevel=level)
