"""A column of dates, or of moments in UTC: Python's, NumPy's, pandas', or ISO texts."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from abline_client._column import Column, WrongValueError, is_gap, refuse

GAP = np.iinfo(np.int64).min
"""The integer in the place of a missing date: NumPy's NaT."""
SECONDS_PER_DAY = 86_400
_EPOCH, _EPOCH_UTC = datetime(1970, 1, 1), datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY = date(1970, 1, 1).toordinal()


class DateColumn(Column):
    """A column of dates."""

    def __init__(self, entry: Mapping[str, Any]) -> None:
        super().__init__(entry)
        self._days = entry["unit"] == "days"
        self._code = "M8[D]" if self._days else "M8[s]"
        self._levels = {part: frozenset(levels) for part, levels in entry["levels"].items()}
        self._low, self._high = entry["min"], entry["max"]

    def single(self, value: Any) -> NDArray[Any]:
        """See Column.single."""
        moment = self._moment(value)
        if moment == GAP:  # NumPy's NaT
            raise ValueError
        # Python's own integers: NumPy takes ten times as long for one date.
        days = moment if self._days else moment // SECONDS_PER_DAY
        for part, levels in self._levels.items():
            if part == "weekday":
                level = (days + 3) % 7 + 1
            else:
                level = date.fromordinal(days + _EPOCH_DAY).month
            if level not in levels:
                raise ValueError
        return np.array([moment], np.int64)

    def array(self, values: NDArray[Any]) -> NDArray[Any]:
        """See Column.array."""
        if values.dtype.kind == "M":
            moments = values.astype(self._code).astype(np.int64)
        elif values.dtype.kind in "OUT":
            moments = self._from_objects(values.tolist())
        else:
            raise WrongValueError(f"must be dates or ISO texts, found {values.dtype}")
        gaps = np.flatnonzero(moments == GAP)
        refuse(gaps, "found no date, and the model was made without gaps here")
        self._refuse_unseen(moments)
        return moments

    def _from_objects(self, values: Sequence[Any]) -> NDArray[np.int64]:
        moments, wrong = [], []
        for row, value in enumerate(values):
            if is_gap(value):
                moments.append(GAP)
                continue
            try:
                moments.append(self._moment(value))
            except (TypeError, ValueError, AttributeError):
                wrong.append(row)
        if wrong:
            refuse(wrong, f"must be a date or an ISO text, found {values[wrong[0]]!r:.60}")
        return np.array(moments, np.int64)

    def _moment(self, value: Any) -> int:
        """Return a date as whole days or seconds since 1970-01-01 in UTC, rounded down.

        Raises TypeError, ValueError or AttributeError if it is no date.
        """
        if isinstance(value, str):
            # The first is twice as fast.
            value = (date if len(value) == 10 else datetime).fromisoformat(value)
        elif isinstance(value, np.datetime64):
            return int(value.astype(self._code).astype(np.int64))
        if isinstance(value, datetime):
            since = value - (_EPOCH if value.tzinfo is None else _EPOCH_UTC)
            days: int = since.days
            return days if self._days else days * SECONDS_PER_DAY + since.seconds
        days = value.toordinal() - _EPOCH_DAY
        return days if self._days else days * SECONDS_PER_DAY

    def _refuse_unseen(self, moments: NDArray[np.int64]) -> None:
        """Raise WrongValueError for a month or a weekday that no training row has."""
        days = moments if self._days else moments // SECONDS_PER_DAY
        for part, levels in self._levels.items():
            values = _PARTS[part](days)
            wrong = np.flatnonzero(~np.isin(values, [*levels]))
            if len(wrong):
                row = wrong[0]
                shown = moments[row].astype(self._code)
                refuse(
                    wrong,
                    f"found {shown}, {part} {values[row]}, which no training row has; known are"
                    f" {', '.join(map(str, sorted(levels)))}",
                )

    def restored(self, values: Sequence[Any]) -> NDArray[Any]:
        """See Column.restored."""
        return np.array([GAP if value is None else value for value in values], np.int64)

    def in_range(self, x: NDArray[Any]) -> NDArray[np.bool_]:
        """See Column.in_range."""
        inside: NDArray[np.bool_] = (x >= self._low) & (x <= self._high)
        return inside


def _month(days: NDArray[np.int64]) -> NDArray[np.int64]:
    return days.astype("M8[D]").astype("M8[M]").astype(np.int64) % 12 + 1


def _weekday(days: NDArray[np.int64]) -> NDArray[np.int64]:
    return (days + 3) % 7 + 1  # 1970-01-01 was a Thursday


_PARTS: dict[str, Callable[[NDArray[np.int64]], NDArray[np.int64]]] = {
    "month": _month,
    "weekday": _weekday,
}
