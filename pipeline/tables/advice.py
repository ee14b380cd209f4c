"""Messages for columns that hold no numbers: what they seem to hold, and the likely fix."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.settings.messages import first_of, show

SHOWN = 20  # names in a message; the line to paste has the others
LONGEST_LINE = 2_000  # characters of a line to paste

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
_WORK = ("text", "text with two values", "dates or times")
"""What takes more than to replace characters, so that the column may be left out instead."""


@dataclass(frozen=True)
class Asked:
    """The columns that are to be read: of what they may be left out depends on what they are.

    targets: none where rows are to be answered by a model, which needs all its features.
    """

    features: tuple[str, ...]
    targets: tuple[str, ...]

    def without(self, names: Sequence[str]) -> str:
        """How to do without the columns `names`; nothing if that is impossible."""
        if not (self.targets and names):
            return ""
        ways = []
        if any(name in self.targets for name in names):
            ways.append("choose another target in data.targets")
        left = [name for name in self.features if name not in names]
        if not left:
            ways.append("choose other features")
        elif len(left) < len(self.features):
            it = "it" if len(names) == 1 else "them"
            # JSON is YAML, too, whatever the names are.
            line = f"features: {json.dumps(left, ensure_ascii=False)}"
            if len(line) <= LONGEST_LINE:
                ways.append(f"leave {it} out with this line in params.yaml, under data:\n  {line}")
            else:
                ways.append(f"name the features without {it} in data.features")
        return " and ".join(ways)


@dataclass(frozen=True)
class Mistakes:
    """The fields of one column that are no numbers.

    line, text: the first of them. wrong: all of them. right: the column's numbers, as they are
    written; fields that stand for a missing value are in neither.
    """

    line: int
    text: str
    wrong: list[str]
    right: list[str]

    def kind(self) -> tuple[str, str]:
        """Content of the column, as the end of a sentence, and the advice for it.

        Two empty strings if most fields are numbers.
        """
        wrong = self.wrong
        if all("\0" in field or "\\x" in field for field in wrong):
            return "bytes that are not UTF-8", "save the file as text in UTF-8"
        if commas := _commas(wrong, self.right):
            return commas
        if _all(_DATE, wrong):
            return "dates or times", "write {it} as numbers, such as days since some date"
        if _all(_DIVIDED, wrong):
            return _THOUSANDS
        if _all(_WITH_SIGN, wrong) and any(set(field) & set("$€£%") for field in wrong):
            return "signs beside the numbers", "write the numbers alone"
        if len(wrong) <= len(self.right):
            return "", ""
        values = {*wrong, *self.right}
        folded = {value.lower() for value in values}
        for one, zero in _TRUTH:
            if folded == {one, zero} or (len(one) > 1 and folded < {one, zero}):
                return f"{one} and {zero}", f"write {one} as 1 and {zero} as 0"
        # Numbers for more than two values would say that one of them is more than another.
        if len(values) == 2:
            return "text with two values", "write {it} as 0 and 1"
        if 2 < len(values) <= min(20, (len(wrong) + len(self.right)) / 2):
            return "text", "make a column of 0 and 1 for each value but one"
        return "text", ""


def told(path: object, mistakes: Mapping[str, Mistakes], asked: Asked) -> str:
    """The message about columns with mistakes, of each kind all columns at once."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for name, column in mistakes.items():
        kinds.setdefault(column.kind(), []).append(name)
    # What commas mean in one column they mean in all.
    meant = [kind for kind in (_THOUSANDS, _DECIMAL) if kind in kinds]
    if len(meant) == 1 and _EITHER in kinds:
        kinds[meant[0]] += kinds.pop(_EITHER)
    # A mistake of a line is told only if no column is a mistake as a whole.
    whole = {kind: names for kind, names in kinds.items() if kind[0]}
    first = min(
        (name for names in (whole or kinds).values() for name in names),
        key=lambda name: mistakes[name].line,
    )
    at = mistakes[first]
    times = len(at.wrong)
    more = f" (the first of {times} such fields)" if times > 1 else ""
    head = f"{path}:{at.line}: {show(first)} is {show(at.text)}{more}; must be a number"
    if not whole:
        way = asked.without([first])
        return f"{head}; put the line right" + (f", or {way}" if way else "")

    sentences, to_leave = [], []
    for (holds, cure), names in whole.items():
        many = len(names) > 1
        shown = first_of([show(name) for name in names], SHOWN)
        sentence = f"{shown} {'hold' if many else 'holds'} {holds}"
        sentences.append(
            sentence + (f": {cure.format(it='them' if many else 'it')}" if cure else "")
        )
        if holds in _WORK:
            to_leave += names
    way = asked.without(to_leave)
    if len(sentences) > 1:
        return "\n  ".join([head, *sentences, *([way] if way else [])])
    (text,) = sentences
    if way:
        text += f", or {way}" if ": " in text.removeprefix(show(first)) else f": {way}"
    return f"{head}; {text}"


def _commas(wrong: Sequence[str], right: Sequence[str]) -> tuple[str, str] | None:
    """Which of their two meanings commas have in a column, judged by all its fields."""
    thousands, decimals = _all(_WITH_COMMAS, wrong), _all(_DECIMAL_COMMA, wrong)
    if not (thousands or decimals):
        return None
    if thousands and decimals:  # each has one comma and three digits after it
        points = any("." in field for field in right)
        small = right and all(re.fullmatch(r"[+-]?\d{1,3}", field) for field in right)
        if any(re.match(r"[+-]?0", field) for field in wrong):
            thousands = False  # 0,125
        elif points or small:
            decimals = False
    if thousands and decimals:
        return _EITHER
    return _THOUSANDS if thousands else _DECIMAL


def _all(pattern: re.Pattern[str], fields: Sequence[str]) -> bool:
    return all(map(pattern.fullmatch, fields))
