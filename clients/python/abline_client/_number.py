"""A column of numbers: NaN, None and "" are gaps."""

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abline_client._column import Column, WrongValueError, is_gap, refuse
from abline_client._warning import Rounding


class NumberColumn(Column):
    """A column of numbers. rounding: warns if numbers are rounded to the model's dtype."""

    def __init__(self, entry: Mapping[str, Any], rounding: Rounding) -> None:
        super().__init__(entry)
        self._dtype = np.dtype(entry["dtype"])
        self._largest = float(np.finfo(self._dtype).max)
        self._takes_gaps = entry["fill"] is not None
        self._low, self._high = (self._dtype.type(entry[key]) for key in ("min", "max"))
        self._rounding = rounding
        # Of these the model takes the logarithm or the square root.
        self._above, self._least = entry.get("above"), entry.get("at_least")

    def single(self, value: Any) -> NDArray[Any]:
        """See Column.single."""
        kind = type(value)
        if (kind is float or kind is int) and -self._largest <= value <= self._largest:
            x = np.array([value], self._dtype)
            if self._without_value(x).any():
                raise TypeError
            return x
        if self._takes_gaps and (value is None or (kind is float and value != value)):
            return np.array([math.nan], self._dtype)
        raise TypeError

    def array(self, values: NDArray[Any]) -> NDArray[Any]:
        """See Column.array."""
        kind = values.dtype.kind
        if kind == "O":
            numbers_of = self._from_objects(values.tolist())
        elif kind in "iuf":
            numbers_of = values
        else:
            what = {"U": "text", "T": "text", "S": "bytes", "b": "booleans"}
            raise WrongValueError(f"must be numbers, found {what.get(kind, str(values.dtype))}")
        gaps = np.isnan(numbers_of)
        if not self._takes_gaps and gaps.any():
            refuse(np.flatnonzero(gaps), "found no value, and the model was made without a fill")
        infinite = np.flatnonzero(np.isinf(numbers_of))
        refuse(infinite, "found an infinite number")
        x = self._rounding.to(self._dtype, numbers_of, chosen=kind != "O")
        beyond = np.flatnonzero(np.isinf(x))
        if len(beyond):
            refuse(beyond, f"{numbers_of[beyond[0]]:g} is beyond {self._dtype}")
        wrong = np.flatnonzero(self._without_value(x))
        if len(wrong):
            limit, function = f"at least {self._least or 0:g}", "square root"
            if self._above is not None:
                limit, function = f"above {self._above:g}", "logarithm"
            limit += f", because the model takes its {function}"
            refuse(wrong, f"must be {limit}; found {numbers_of[wrong[0]]:g}")
        return x

    def _without_value(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """Return True where the model's logarithm or square root has no value."""
        wrong = np.zeros(len(x), np.bool_)
        if self._above is not None:
            wrong |= x <= self._above
        if self._least is not None:
            wrong |= x < self._least
        return wrong

    def _from_objects(self, values: Sequence[Any]) -> NDArray[np.float64]:
        """Return Python's numbers, NaN for a gap."""
        if not {*map(type, values)} <= {float, int}:
            wrong = [
                row
                for row, value in enumerate(values)
                if (isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Real))
                and not is_gap(value)
            ]
            if wrong:
                refuse(wrong, f"must be a number, found {values[wrong[0]]!r:.60}")
            values = [math.nan if is_gap(value) else value for value in values]
        try:
            return np.array(values, np.float64)
        except OverflowError:  # integers of hundreds of digits
            huge = [row for row, value in enumerate(values) if _is_huge(value)]
            refuse(huge, f"{values[huge[0]]!r:.60} is beyond {self._dtype}")
            raise

    def restored(self, values: Sequence[Any]) -> NDArray[Any]:
        """See Column.restored."""
        return np.array(values, np.float64).astype(self._dtype)

    def in_range(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """See Column.in_range."""
        inside: NDArray[np.bool_] = (x >= self._low) & (x <= self._high)
        return inside | np.isnan(x) if self._takes_gaps and self.missing_rows else inside


def _is_huge(value: Any) -> bool:
    try:
        float(value)
    except OverflowError:
        return True
    return False
