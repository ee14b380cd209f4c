"""An input of its own for a column: values in many forms become the array that the file takes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abline_client._messages import count


class InputError(ValueError):
    """Rows that the model cannot answer."""


class WrongValueError(Exception):
    """Values of a column that the model cannot answer.

    row: the first of them; None if the mistake is of the whole column. others: how many more.
    """

    def __init__(self, problem: str, row: int | None = None, others: int = 0) -> None:
        super().__init__(problem)
        self.row, self.others = row, others

    def message(self, name: str) -> str:
        """Return the place and the problem. name: of the column, as a message shows it."""
        where = f"column {name}" if self.row is None else f"row {self.row}, {name}"
        more = f" ({count(self.others, 'more row')} like it)" if self.others else ""
        return f"{where}: {self}{more}"


class Column(ABC):
    """A column of the contract's version 2. entry: the contract's description of the input."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        self.name: str = entry["name"]
        self.missing_rows: int = entry["missing_rows"]

    single: Callable[[Any], NDArray[Any]]
    """Converts the value of a single row, [1], as fast as it can. Raises any of
    LookupError, TypeError, ValueError, ArithmeticError, AttributeError for a value that `array`
    must look at."""

    @abstractmethod
    def array(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return the values as the file takes them. values: [rows], see `plain`.

        Raises WrongValueError for values that the model cannot answer.
        """

    @abstractmethod
    def restored(self, values: Sequence[Any]) -> NDArray[Any]:
        """Return values of the contract's golden vectors as the file takes them, None for a gap."""

    @abstractmethod
    def in_range(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """Return True for each value that is like the training rows'. x: of `array`."""


def column_names(rows: Any) -> list[Any] | None:
    """Return the names of the columns of a mapping or a table; None if it is neither."""
    for names in ("keys", "column_names", "columns"):
        if hasattr(rows, names):
            there = getattr(rows, names)
            return list(there() if callable(there) else there)
    return None


def decoded(values: Any) -> Any:
    """Return the values themselves of a column of dictionaries of Arrow; others as they are."""
    value_type = getattr(getattr(values, "type", None), "value_type", None)
    if value_type is None or not hasattr(values, "cast"):
        return values
    # NumPy's view of Arrow's dictionaries has another value in the place of a null.
    return values.cast(value_type)


def plain(values: Any) -> NDArray[Any]:
    """Return the values of a column of any library as an array: numbers, dates or objects.

    Raises WrongValueError if it is no column.
    """
    if isinstance(values, np.ma.MaskedArray):
        values = values.tolist()  # None for a masked value
    values = decoded(values)
    if isinstance(values, list | tuple):
        # Not np.asarray: it would turn [1, "a"] into text, and cut zero bytes off texts.
        return np.fromiter(values, object, len(values))
    if isinstance(values, str | bytes) or not hasattr(values, "__len__"):
        raise WrongValueError(f"must be a list, found a single value, {values!r:.60}")
    array = np.asarray(values)
    if array.ndim != 1:
        raise WrongValueError(f"must be a list, found {count(array.ndim, 'dimension')}")
    return array


def is_gap(value: Any) -> bool:
    """True for None, "", NaN, NaT and pandas' NA."""
    if value is None:
        return True
    try:
        return bool(value == "" or value != value)  # only NaN and NaT differ from themselves
    except (TypeError, ValueError):  # pandas' NA is neither true nor false; nor is an array
        return type(value).__name__ == "NAType"


def refuse(wrong: Sequence[int] | NDArray[np.intp], problem: str) -> None:
    """Raise WrongValueError if any row is wrong. wrong: the rows, in order."""
    if len(wrong):
        raise WrongValueError(problem, int(wrong[0]), len(wrong) - 1)
