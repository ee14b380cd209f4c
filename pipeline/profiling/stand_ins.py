"""Texts and numbers that stand for a missing value: unknown, n.d., −999, −200."""

import math
import re
from collections.abc import Mapping, Sequence

from pipeline.profiling.columns import Column
from pipeline.profiling.kinds import may_be_numbers
from pipeline.settings.keys.sections import Read
from pipeline.settings.messages import count, first_of, show
from pipeline.tables.number_texts import NumberTexts

MOST_TEXTS = 3
_WORDS = re.compile(
    r"unknown|missing|not available|not known|n\.?\s*/?\s*[ad]\.?|none|nil|void|no data|nodata"
    r"|blank|not applicable|undefined|undef|error|#\w+[!?]|[^\w\s]{1,5}|x+|tbd|tba|inf",
    re.I,
)
_NUMBERS = re.compile(r"[-−]?(9{2,}|1{4,}|8{2,})|[-−](1|[1-9]0+|9|8|7)|0", re.A)


def added(read: Read, columns: Sequence[Column], notes: dict[str, str]) -> Read:
    """Return the settings with what stands for a gap; why is added to `notes`."""
    reasons: dict[str, str] = {}
    for column in columns:
        reasons |= _words(column)
        reasons |= _sentinels(column)
    for text in [*reasons]:
        # Where another column has the number in its midst, it is a number.
        if any(text in column.values and text not in _texts(column) for column in columns):
            del reasons[text]
    if not reasons:
        return read
    notes["missing"] = "; ".join(reasons.values())
    return read.model_copy(update={"missing": (*read.missing_levels, *reasons)})


def _texts(column: Column) -> Mapping[str, str]:
    return _words(column) | _sentinels(column)


def _words(column: Column) -> dict[str, str]:
    """Return the few texts in a column of numbers, each with the reason."""
    rows = column.wrong_with_units
    if not 0 < 2 * rows < column.known or column.typed != "text":
        return {}
    _, wrong = NumberTexts.of(column.read, units=True), 0
    texts = [text for text in column.wrong if not re.search(r"\d", text)]
    wrong = sum(column.wrong[text] for text in texts)
    if wrong != rows or len(texts) > MOST_TEXTS:
        return {}
    # Of levels such as z1, z2 and other, other is one.
    if not may_be_numbers(text for text in [*column.values][:1_000] if text not in texts):
        return {}
    few = 50 * rows < column.known
    if not all(_WORDS.fullmatch(text) or few for text in texts):
        return {}
    shown = first_of([show(text) for text in texts], MOST_TEXTS)
    name = show(column.name)
    # Among numbers, none and - stand for a gap without being named.
    texts = [text for text in texts if text not in column.read.missing_texts]
    return {text: f"{shown} in {count(rows, 'row', ',')} of {name}, else numbers" for text in texts}


def _sentinels(column: Column) -> dict[str, str]:
    """Return the texts of a number that is repeated far outside all others, with the reason."""
    if column.wrong_rows or not column.has_all or len(column.values) < 4 or not column.known:
        return {}
    if column.typed not in ("text", "number") or column.low == column.high:
        return {}
    numbers: dict[float, list[str]] = {}
    for text in column.values:
        value = _number(text, column.read)
        if value is not None:
            numbers.setdefault(value, []).append(text)
    ordered = sorted(numbers)
    reasons: dict[str, str] = {}
    if len(ordered) < 4:
        return {}
    for value, near, far in (
        (ordered[0], ordered[1], ordered[-1]),
        (ordered[-1], ordered[-2], ordered[0]),
    ):
        rows = sum(column.values[text] for text in numbers[value])
        repeated = rows >= max(3, column.known // 1000)
        usual = value == int(value) and _NUMBERS.fullmatch(str(int(value))) and value != 0
        if repeated and usual and abs(value - near) > abs(far - near):
            shown = f"{value:g}"
            for text in numbers[value]:
                reasons[text] = (
                    f"{shown} in {count(rows, 'row', ',')} of {show(column.name)}, whose other"
                    f" values lie between {min(near, far):g} and {max(near, far):g}"
                )
    return reasons


def _number(text: str, read: Read) -> float | None:
    plain = text.replace(read.thousands, "") if read.thousands else text
    try:
        number = float(plain.replace(read.decimal, "."))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
