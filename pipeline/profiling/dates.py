"""How dates are written, judged by all texts of a column; two ways may both be possible."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.tables.date_texts import GAP, DateTexts

ISO = "ISO 8601"
_DAYS = (
    "%m/%d/%Y", "%d/%m/%Y", "%m/%d/%y", "%d/%m/%y", "%d.%m.%Y", "%d.%m.%y", "%d-%m-%Y", "%m-%d-%Y",
    "%d-%m-%y", "%m-%d-%y", "%m.%d.%Y", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%d-%b-%Y", "%d-%b-%y",
    "%b-%d-%Y", "%B-%d-%Y", "%d/%b/%Y", "%b-%Y", "%Y-%b", "%Y-%b-%d", "%d.%b.%Y",
    "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y", "%b %d %Y", "%b %Y", "%B %Y", "%b-%y",
    "%Y-%m", "%Y/%m", "%m/%Y",
)  # fmt: skip
_CLOCKS = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", " %H:%M:%S.%f")
FORMATS = (ISO, *(day + clock for day in _DAYS for clock in _CLOCKS))
_SAMPLE = 200


@dataclass
class DateForms:
    """The formats that all texts of a column have had so far.

    first, last: seconds since 1970-01-01 of the earliest and the latest date, by format.
    clocks: True if a text has a time of the day.
    """

    formats: list[str] | None = None
    first: dict[str, int] = field(default_factory=dict)
    last: dict[str, int] = field(default_factory=dict)
    has_clock: bool = False
    _readers: dict[str, DateTexts] = field(default_factory=dict)

    def add(self, texts: pa.Array) -> None:
        """Add different texts, none of them a gap."""
        if self.formats == [] or not len(texts):
            return
        if self.formats is None:
            sample = texts.slice(0, _SAMPLE)
            looks = all(re.search(r"\d", text) for text in sample.to_pylist()[:20])
            self.formats = [each for each in FORMATS if self._fits(each, sample)] if looks else []
        self.formats = [each for each in self.formats if self._fits(each, texts)]
        self.has_clock = self.has_clock or any(":" in text for text in texts.to_pylist()[:_SAMPLE])

    def read(self, texts: pa.Array, form: str) -> NDArray[np.int64]:
        """Return seconds since 1970-01-01, GAP for a text that is not of the format: [rows]."""
        reader = self._readers.setdefault(form, DateTexts(None if form == ISO else form))
        return reader.read(texts)

    def _fits(self, form: str, texts: pa.Array) -> bool:
        # The first texts exclude most formats.
        for part in (texts.slice(0, 5), texts):
            moments = self.read(part, form)
            if (moments == GAP).any():
                return False
        self.first[form] = min(int(moments.min()), self.first.get(form, int(moments.min())))
        self.last[form] = max(int(moments.max()), self.last.get(form, int(moments.max())))
        return True


def preferred(formats: Sequence[str]) -> str:
    """Return the format to propose: with slashes the month first, as in most such files."""
    return formats[0]


def day(seconds: int) -> str:
    """Return the day of a moment as ISO 8601 writes it."""
    return str(np.int64(seconds).astype("datetime64[s]"))[:10]
