"""The kind of a column, decided by all its values."""

import re
from collections.abc import Iterable
from typing import Literal

from pipeline.profiling.columns import Column

Kind = Literal["number", "units", "date", "text", "empty", "other"]
"""units: numbers with signs or words beside them, such as $1,200."""
_BEFORE = re.compile(
    r"[+-]?\s*([$€£¥₹₩₽]|[A-Z]{1,2}\$|USD|EUR|GBP|CHF|Rs\.?|kr\.?)?\s*[-+\d.,].*", re.S
)
"""A number with nothing or a currency before it: "car 12" is a name."""
_WITH_UNIT = re.compile(r"[+-]?\d[\d.,]* ?[^\d\s.,]{1,6}|[$€£¥] ?\d[\d.,]*")
_COMMON = {
    "%",
    "‰",
    "°",
    "°C",
    "°F",
    "kg",
    "g",
    "lb",
    "lbs",
    "m",
    "cm",
    "mm",
    "km",
    "s",
    "h",
    "ml",
    "l",
}
_YYYYMMDD = 19000101, 21001231


def kind(column: Column) -> Kind:
    """Return the kind of a column."""
    if column.typed == "other":
        return "other"
    if not column.known:
        return "empty"
    if column.typed == "date":
        return "date"
    if column.typed == "number":
        return "number"
    if not column.wrong_rows:
        return "text" if is_code(column) else "number"
    if column.dates.formats:
        return "date"
    if not column.wrong_with_units and _are_units(column):
        return "units"
    return "text"


def units(column: Column) -> set[str]:
    """Return the signs and words beside the numbers of a column, of the values that were kept."""
    texts = [re.sub(r"^[+-]|(?<=\d)[eE][+-]?\d+$", "", text) for text in column.values]
    return {re.sub(r"[\d.,'’\s+-]+", "", text) for text in texts} - {""}


def _are_units(column: Column) -> bool:
    """Return True if what is beside the numbers of a column can be a unit."""
    if not may_be_numbers([*column.values][:1_000]):
        return False
    beside = units(column)
    if len(beside) != 1:
        return not beside  # marks between thousands alone
    # 1st and 4a are names unless every value has the same word.
    unit = next(iter(beside))
    is_word = unit.isalpha() and unit not in _COMMON
    return not is_word or all(unit in text for text in column.values)


def may_be_numbers(texts: Iterable[str]) -> bool:
    """Return True if each text has nothing or a currency before its digits, unlike a name."""
    return all(map(_BEFORE.fullmatch, texts))


def has_mixed_units(column: Column) -> bool:
    """Return True for numbers with a few different units, such as 70 kg and 150 lb."""
    texts = [*column.values][:1_000]
    return 2 <= len(units(column)) <= 4 < len(texts) and all(map(_WITH_UNIT.fullmatch, texts))


def is_code(column: Column) -> bool:
    """Return True for digits that begin with zeros and have one length: 02134 is a code."""
    if not (column.leading_zeros and column.has_all and column.integers):
        return False
    return len({len(text) for text in column.values}) == 1


def is_packed_date(column: Column) -> bool:
    """Return True for integers that may be dates such as 20190301."""
    inside = _YYYYMMDD[0] <= column.low and column.high <= _YYYYMMDD[1]
    if not (inside and column.integers and column.has_all):
        return False
    return all(
        1 <= int(text[4:6]) <= 12 and 1 <= int(text[6:8]) <= 31
        for text in column.values
        if len(text) == 8 and text.isdigit()
    )
