"""What the values of a column have in common that are not of its kind: text, dates, marks."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.settings.keys.column_settings import CategorySettings, ColumnSettings, NumberSettings
from pipeline.tables.table import array

Content = Literal[
    "thousands",
    "decimal",
    "either",
    "points",
    "decimal points",
    "points or groups",
    "signs",
    "dates",
    "times",
    "label",
    "text",
    "nested",
    "no level",
    "few",
]
MOST_DIFFERENT = 10_000
"""Different values that are kept of a column."""
TIME = r"\d{1,2}[:.]\d\d([:.]\d\d)?( ?[ap]m)?"

_PATTERNS: dict[str, re.Pattern[str]] = {
    name: re.compile(pattern, re.I)
    for name, pattern in {
        "commas": r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?",
        "decimal": r"[+-]?\d*,\d+(e[+-]?\d+)?",
        "decimal points": r"[+-]?\d*\.\d+(e[+-]?\d+)?",
        # Several points, or points and a decimal comma.
        "points": r"[+-]?\d{1,3}(\.\d{3})+(\.\d{3}|,\d+)",
        "blanks": r"[+-]?\d{1,3}([ '’\u00a0\u202f\u2009]\d{3})+([.,]\d+)?",
        "signs": r"[+-]?\s?[$€£¥₹]?\s?[+-]?\d[\d.,'\u00a0\u202f ]*?\s?[%$€£¥₹]?",
        "dates": r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T]\d.*)?"
        r"|\d{1,2}[ -][a-z]{3,9}[ -,]+\d{2,4}|[a-z]{3,9} \d{1,2},? \d{4}",
        "times": TIME,
    }.items()
}


@dataclass
class WrongValues:
    """The values of a column of which some are not of its kind.

    settings: of the column. line: of the first wrong value, which is `text`.
    is_nested: True if the values are lists or mappings. decimal: the decimal mark of the file.
    wrong, right: how many there are of each.
    """

    settings: ColumnSettings
    line: int
    text: str
    is_nested: bool = False
    decimal: str = "."
    wrong: int = 0
    right: int = 0
    different: set[str] = field(default_factory=set)
    """The different wrong values, at most MOST_DIFFERENT of them."""
    _matching: dict[str, re.Pattern[str]] = field(default_factory=lambda: dict(_PATTERNS))
    _has_points: bool = False
    _all_small: bool = True
    _different_in_blocks: int = 0

    def add(self, mask: NDArray[np.bool_], texts: pa.Array) -> None:
        """Count the values of a block. mask: True for the wrong ones; texts: all: [rows] each."""
        wrong = texts.filter(array(mask, pa.bool_())).drop_null().unique().to_pylist()
        self.wrong += int(np.count_nonzero(mask))
        for name, pattern in [*self._matching.items()]:
            if not all(map(pattern.fullmatch, wrong)):
                del self._matching[name]
        before = len(self.different)
        new = [text for text in wrong if text not in self.different]
        self.different.update(new[: MOST_DIFFERENT - before])
        self._different_in_blocks += len(new)
        others = texts.filter(array(~mask, pa.bool_())).drop_null()
        self.right += len(others)
        for text in others.slice(0, MOST_DIFFERENT).unique().to_pylist():
            number = text.strip()
            self._has_points |= "." in number
            self._all_small &= re.fullmatch(r"[+-]?\d{0,3}", number) is not None

    @property
    def content(self) -> Content:
        """What the column holds."""
        if self.is_nested:
            return "nested"
        if not isinstance(self.settings, NumberSettings):
            if isinstance(self.settings, CategorySettings):
                return "few" if self.right > self.wrong and not self.are_numbers else "no level"
            if self.right > self.wrong:
                return "few"
            is_date = self.right or "dates" in self._matching or date_formats(self.different)
            return "dates" if is_date else "text"
        matching = self._matching
        if "commas" in matching or "decimal" in matching:
            return self._commas()
        if self.decimal == "," and "decimal points" in matching:
            may_group = all(re.fullmatch(r"[+-]?[1-9]\d?\d?\.\d{3}", t) for t in self.different)
            return "points or groups" if may_group else "decimal points"
        if "points" in matching:
            return "points"
        for name in ("dates", "times"):
            if name in matching:
                return name
        if "blanks" in matching or "signs" in matching:
            return "signs"
        if self.right >= self.wrong:
            return "few"
        if self._different_in_blocks >= 0.9 * self.wrong and self.wrong > 10:
            return "label"
        return "text"

    @property
    def are_numbers(self) -> bool:
        """True if the wrong values are numbers."""
        return all(re.fullmatch(r"[+-]?\d*\.?\d+(e[+-]?\d+)?", text) for text in self.different)

    def _commas(self) -> Content:
        """Return the meaning of commas in the column, as all its values tell it."""
        thousands, decimal = "commas" in self._matching, "decimal" in self._matching
        if thousands and decimal:  # each has one comma and three digits after it
            if any(re.match(r"[+-]?0", text) for text in self.different):
                return "decimal"  # 0,125
            if self._has_points or (self.right and self._all_small):
                return "thousands"
            return "either"
        return "thousands" if thousands else "decimal"


def date_formats(texts: Collection[str]) -> Sequence[str]:
    """Return the formats of strptime that all `texts` have; two if day and month cannot be told."""
    formats = []
    for form in FORMATS:
        try:
            for text in texts:
                datetime.strptime(text, form)
        except ValueError:
            continue
        formats.append(form)
    return formats


FORMATS = [
    f"{date}{time}"
    for date in (
        "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d.%m.%Y", "%d.%m.%y", "%d-%m-%Y",
        "%m-%d-%Y", "%Y/%m/%d", "%Y-%m-%d", "%d-%b-%Y", "%d-%b-%y", "%d %b %Y", "%d %B %Y",
        "%b %d, %Y", "%B %d, %Y", "%Y.%m.%d",
    )
    for time in ("", " %H:%M", " %H:%M:%S", " %I:%M %p", "T%H:%M:%S")
]  # fmt: skip
"""The formats that are tried."""
