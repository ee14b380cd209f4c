"""Dates written as text: ISO 8601, or a format of strptime; years 1 to 9999."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.tables.table import integers

SECONDS_PER_DAY = 86_400
GAP = np.iinfo(np.int64).min
"""The integer in the place of a missing date, and of a text that is no date."""
_PACKED = re.compile(r"%[YymdHMS]%[YymdHMS]")
"""A part of a format that tells two numbers by their digits alone."""
_EPOCH = datetime(1970, 1, 1)
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d(:\d\d(:\d\d([.,]\d+)?)?)?( ?(Z|[+-]\d\d(:?\d\d)?))?)?")


@dataclass
class DateTexts:
    """Reader of the dates in a column of texts. Each text is parsed once for all blocks.

    format: as for strptime; None for ISO 8601.
    """

    format: str | None
    _known: dict[str, int] = field(default_factory=dict)

    def read(self, texts: pa.Array) -> NDArray[np.int64]:
        """Return whole seconds since 1970-01-01 in UTC, rounded down; GAP for a wrong text: [rows].

        texts: string, without nulls; best without repetition.
        """
        if self.format is None:
            try:
                micros = texts.cast(pa.timestamp("us"))
            except pa.ArrowInvalid:  # a wrong date, or an offset from UTC
                pass
            else:
                seconds = integers(micros) // 1_000_000
                # Arrow also takes the year 0.
                return np.where(is_in_range(seconds), seconds, GAP)
        if len(self._known) > 1_000_000:
            self._known.clear()
        return np.array([self._one(text) for text in texts.to_pylist()], np.int64)

    def _one(self, text: str) -> int:
        if text not in self._known:
            try:
                self._known[text] = self._parsed(text)
            except (ValueError, OverflowError):
                self._known[text] = GAP
        return self._known[text]

    def _parsed(self, text: str) -> int:
        """Return the seconds of a date. Raises ValueError, OverflowError."""
        if self.format is not None:
            # Arrow's strptime makes 3 March of 31 February.
            moment = datetime.strptime(text, self.format)
            # 2019111 may be 1 November or 11 January.
            if _PACKED.search(self.format) and moment.strftime(self.format) != text:
                raise ValueError(text)
        elif _ISO.fullmatch(text):
            moment = datetime.fromisoformat(text.replace(" +", "+").replace(" Z", "Z"))
        else:
            raise ValueError(text)
        if moment.tzinfo is not None:
            moment = moment.astimezone(UTC).replace(tzinfo=None)
        return _seconds(moment)


def _seconds(moment: datetime) -> int:
    between = moment - _EPOCH
    return between.days * SECONDS_PER_DAY + between.seconds


def is_in_range(seconds: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return True for moments in the years 1 to 9999: [rows]."""
    inside: NDArray[np.bool_] = (seconds >= _FIRST) & (seconds <= _LAST)
    return inside


_FIRST, _LAST = _seconds(datetime.min), _seconds(datetime.max)
