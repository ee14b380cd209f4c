"""Messages for columns in which not all fields are numbers: their content, and the likely fix."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.settings.messages import first_of, show

MOST_NAMES_SHOWN = 20  # in a message; the line to paste has the other names
LONGEST_PASTE_CHARACTERS = 2_000  # of a line to paste

_WITH_COMMAS = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?")
"""Thousands divided by commas: 1,234 or 1,234,567.8."""
_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+(e[+-]?\d+)?", re.I)
_DIVIDED = re.compile(r"[+-]?\d{1,3}([ .'’\u00a0\u202f]\d{3})+([.,]\d+)?")
"""Thousands divided by anything else: 1 234 or 1.234,5."""
_WITH_SIGN = re.compile(r"[$€£]?\s*[+-]?\d[\d.,]*\s*[%$€£]?")
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}([ T]\d.*)?|\d{1,2}([:.])\d\d(\3\d\d)?")
_THOUSANDS = "separators of thousands", "write the numbers without them"
_DECIMAL = "decimal commas", "write decimals with a point"
_EITHER = (
    "commas, which may divide thousands or be decimal points",
    "write the numbers without them, or with a point, whichever it is",
)
_TRUTH = [("yes", "no"), ("true", "false"), ("y", "n"), ("t", "f")]
_CONTENTS_TO_LEAVE_OUT = ("text", "text with two values", "dates or times")
"""Contents whose fix is more than to replace characters: the column may be left out instead."""


@dataclass(frozen=True)
class Selection:
    """The columns that are read from a table.

    targets: empty where a model answers rows; it needs all its features.
    """

    features: tuple[str, ...]
    targets: tuple[str, ...]

    def without(self, names: Sequence[str]) -> str:
        """Return the advice to leave out the columns `names`, or "" if that is impossible."""
        if not (self.targets and names):
            return ""
        ways = []
        if any(name in self.targets for name in names):
            ways.append("choose another target in data.targets")
        others = [name for name in self.features if name not in names]
        if not others:
            ways.append("choose other features")
        elif len(others) < len(self.features):
            it = "it" if len(names) == 1 else "them"
            # JSON is YAML, too, whatever the names are.
            line = f"features: {json.dumps(others, ensure_ascii=False)}"
            if len(line) <= LONGEST_PASTE_CHARACTERS:
                ways.append(f"leave {it} out with this line in params.yaml, under data:\n  {line}")
            else:
                ways.append(f"name the features without {it} in data.features")
        return " and ".join(ways)


@dataclass(frozen=True)
class ColumnFields:
    """The fields of a column in which not all fields are numbers.

    line, text: of the first field that is not a number. wrong: all such fields. numbers: the other
    fields, except fields that mean a missing value.
    """

    line: int
    text: str
    wrong: list[str]
    numbers: list[str]

    def content(self) -> tuple[str, str]:
        """Return the content of the column, as the end of a sentence, and the advice for it.

        Two empty strings if most fields are numbers.
        """
        wrong = self.wrong
        if all("\0" in field or "\\x" in field for field in wrong):
            return "bytes that are not UTF-8", "save the file as text in UTF-8"
        if commas := _commas(wrong, self.numbers):
            return commas
        if _all(_DATE, wrong):
            return "dates or times", "write {it} as numbers, such as days since some date"
        if _all(_DIVIDED, wrong):
            return _THOUSANDS
        if _all(_WITH_SIGN, wrong) and any(set(field) & set("$€£%") for field in wrong):
            return "signs beside the numbers", "write the numbers alone"
        if len(wrong) <= len(self.numbers):
            return "", ""
        values = {*wrong, *self.numbers}
        folded = {value.lower() for value in values}
        for one, zero in _TRUTH:
            if folded == {one, zero} or (len(one) > 1 and folded < {one, zero}):
                return f"{one} and {zero}", f"write {one} as 1 and {zero} as 0"
        # Numbers for more than two values would say that one of them is more than another.
        if len(values) == 2:
            return "text with two values", "write {it} as 0 and 1"
        if 2 < len(values) <= min(20, (len(wrong) + len(self.numbers)) / 2):
            return "text", "make a column of 0 and 1 for each value but one"
        return "text", ""


def message(path: object, columns: Mapping[str, ColumnFields], selection: Selection) -> str:
    """Return the message about `columns`, by name; columns of one content share a sentence."""
    by_content: dict[tuple[str, str], list[str]] = {}
    for name, column in columns.items():
        by_content.setdefault(column.content(), []).append(name)
    # Commas have one meaning in all columns.
    meanings = [content for content in (_THOUSANDS, _DECIMAL) if content in by_content]
    if len(meanings) == 1 and _EITHER in by_content:
        by_content[meanings[0]] += by_content.pop(_EITHER)
    # A single wrong line is reported only if no column is wrong as a whole.
    whole = {content: names for content, names in by_content.items() if content[0]}
    first = min(
        (name for names in (whole or by_content).values() for name in names),
        key=lambda name: columns[name].line,
    )
    at = columns[first]
    times = len(at.wrong)
    more = f" (the first of {times} such fields)" if times > 1 else ""
    head = f"{path}:{at.line}: {show(first)} is {show(at.text)}{more}; must be a number"
    if not whole:
        way = selection.without([first])
        return f"{head}; correct the line" + (f", or {way}" if way else "")

    sentences, to_leave_out = [], []
    for (content, cure), names in whole.items():
        many = len(names) > 1
        shown = first_of([show(name) for name in names], MOST_NAMES_SHOWN)
        sentence = f"{shown} {'hold' if many else 'holds'} {content}"
        sentences.append(
            sentence + (f": {cure.format(it='them' if many else 'it')}" if cure else "")
        )
        if content in _CONTENTS_TO_LEAVE_OUT:
            to_leave_out += names
    way = selection.without(to_leave_out)
    if len(sentences) > 1:
        return "\n  ".join([head, *sentences, *([way] if way else [])])
    (text,) = sentences
    if way:
        text += f", or {way}" if ": " in text.removeprefix(show(first)) else f": {way}"
    return f"{head}; {text}"


def _commas(wrong: Sequence[str], numbers: Sequence[str]) -> tuple[str, str] | None:
    """Return the meaning of commas in a column, judged by all its fields, or None."""
    thousands, decimals = _all(_WITH_COMMAS, wrong), _all(_DECIMAL_COMMA, wrong)
    if not (thousands or decimals):
        return None
    if thousands and decimals:  # each has one comma and three digits after it
        points = any("." in field for field in numbers)
        small = numbers and all(re.fullmatch(r"[+-]?\d{1,3}", field) for field in numbers)
        if any(re.match(r"[+-]?0", field) for field in wrong):
            thousands = False  # 0,125
        elif points or small:
            decimals = False
    if thousands and decimals:
        return _EITHER
    return _THOUSANDS if thousands else _DECIMAL


def _all(pattern: re.Pattern[str], fields: Sequence[str]) -> bool:
    """Return True if all fields match."""
    return all(map(pattern.fullmatch, fields))
