"""Advice for columns that cannot be read as asked: their content, and lines to paste.

A line is proposed only if it cannot make wrong numbers: where the values leave two readings open,
both are said.
"""

import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.settings import yaml_values
from pipeline.settings.keys.column_settings import (
    ColumnSettings,
    DateSettings,
    NumberSettings,
)
from pipeline.settings.messages import count, first_of, show
from pipeline.tables import wrong_values
from pipeline.tables.selection import Selection
from pipeline.tables.wrong_values import Content, WrongValues

MOST_NAMES_SHOWN = 20  # in a message; the line to paste has the other names
MOST_LEVELS = 40  # without min_count, as of columns.category
MOST_WORDS = 3  # that may stand for no value
LONGEST_PASTE_CHARACTERS = 2_000  # of a line to paste

_HOLDS: dict[Content, str] = {
    "thousands": "separators of thousands",
    "decimal": "decimal commas",
    "either": "commas, which may divide thousands or be decimal marks",
    "points": "points between thousands",
    "decimal points": 'decimal points, but `decimal: ","` is written under data: read:; write'
    ' `decimal: "."`, if no column has decimal commas',
    "points or groups": "points, which may divide thousands or be decimal marks",
    "signs": "signs or blanks beside the digits",
    "dates": "dates",
    "times": "times of day",
    "label": "text that differs in nearly every row",
    "text": "text",
    "nested": "lists or mappings",
    "no level": "values that cannot be levels",
}
_READ: dict[Content, list[str]] = {
    "thousands": ['thousands: ","'],
    "decimal": ['decimal: ","'],
    "points": ['decimal: ","', 'thousands: "."'],
}
"""Lines under data.read that let such a column be read."""


@dataclass
class Changes:
    """Changes of params.yaml that cure all faults of a file together.

    kinds: new settings of features. exclude: features to leave out. read: lines under data.read.
    lines: other lines under data.
    """

    selection: Selection
    kinds: dict[str, Any] = field(default_factory=dict)
    exclude: list[str] = field(default_factory=list)
    read: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def add_gaps(self, names: Sequence[str], empty: Collection[str]) -> str:
        """Add what gives the columns `names` a policy for gaps; return other ways.

        empty: those without any value; they are left out.
        """
        if not self.selection.targets:
            return "fill them in, or remove these rows"
        if any(name in self.selection.targets for name in names):
            self.lines.append("drop_rows: missing_target")
        ways = set()
        for name in names:
            if name not in self.selection.columns:
                continue
            if name in empty:
                self.exclude.append(name)
                ways.add(f"{show(name)} has no value at all")
                continue
            settings = self.kinds.get(name, _short(self.selection.columns[name]))
            settings = {"kind": settings} if isinstance(settings, str) else settings
            if settings["kind"] == "category":
                ways.add("a gap in a category may also be `missing: drop_row`")
                self.kinds[name] = settings | {"missing": "level"}
            else:
                if settings["kind"] == "number":
                    ways.add("a gap in a number may also be `missing: mean`, median or a constant")
                self.kinds[name] = settings | {"missing": "drop_row"}
        return "; ".join(sorted(ways, reverse=True))

    def add_wrong(self, columns: Mapping[str, WrongValues]) -> list[str]:
        """Add what lets the columns be read; return sentences about their content."""
        by_content = _by_content(columns)
        sentences = []
        for content, names in by_content.items():
            if content == "few":
                continue
            shown = first_of([show(name) for name in names], MOST_NAMES_SHOWN)
            sentence = f"{shown} {'holds' if len(names) == 1 else 'hold'} {_HOLDS[content]}"
            example = columns[names[0]].text
            if content == "either":
                sentence += (
                    f': with `thousands: ","` under data: read:, {example} is'
                    f' {example.replace(",", "")}; with `decimal: ","` it is'
                    f" {example.replace(',', '.')}; write the one that is meant"
                )
            elif content == "points or groups":
                sentence += (
                    f': with `thousands: "."` under data: read:, {example} is'
                    f' {example.replace(".", "")}; with `decimal: "."` it is {example}; write the'
                    " one that is meant"
                )
            sentences.append(sentence)
            features = [name for name in names if name in self.selection.columns]
            weights = self.selection.weights and self.selection.weights.by
            targets = [name for name in names if name in (*self.selection.targets, weights)]
            self.read += _READ.get(content, [])
            if content == "signs":
                self.kinds |= {name: {"kind": "number", "units": True} for name in features}
                self.read += ["units: true"] * bool(targets)
                if any(re.search(r"\d,\d{3}(?!\d)", columns[name].text) for name in names):
                    sentences[-1] += (
                        '; a comma before three digits divides thousands, unless `decimal: ","` is'
                        " written under data: read:"
                    )
            elif content in ("label", "nested"):
                self.exclude += features
            elif content == "no level":
                numbers = [name for name in features if columns[name].are_numbers]
                self.kinds |= dict.fromkeys(numbers, "number")
                self.exclude += [name for name in features if name not in numbers]
            elif content == "dates":
                for name in features:
                    kind, note = _date(columns[name])
                    self.kinds[name] = kind if len(kind) > 1 else kind["kind"]
                    sentences += [f"{show(name)}: {note}"] if note else []
            elif content in ("text", "times"):
                self.kinds |= {name: _category(columns[name]) for name in features}
            if targets and content in ("label", "nested", "dates", "text", "times"):
                role, key = "a target", "data.targets"
                if targets[0] == weights:
                    role, key = "the column of the weights", "data.weights"
                sentences.append(
                    f"{show(targets[0])} is {role}, which must be a number: choose another one"
                    f" in {key}"
                )
            if others := [name for name in names if name not in (*features, *targets)]:
                sentences.append(
                    f"{first_of([*map(show, others)], MOST_NAMES_SHOWN)} chooses rows and is no"
                    " feature, so it is read as"
                    f" {'an ISO date' if content == 'dates' else 'text or as an ISO date'}; a"
                    " feature, in data.features, can have another kind, and a format of dates"
                )
        if few := by_content.get("few"):
            sentences.append(_few({name: columns[name] for name in few}, self.selection))
        return sentences

    def paste(self) -> str:
        """Return the lines to paste into params.yaml, and the command that writes them."""
        selection = self.selection
        lines = [f"  {line}" for line in self.lines]
        if self.read:
            lines += ["  read:", *(f"    {line}" for line in dict.fromkeys(self.read))]
        kept = {
            name: self.kinds.get(name, _short(settings))
            for name, settings in selection.columns.items()
            if name not in self.exclude
        }
        if not selection.is_list and not self.exclude:
            kept = {name: kind for name, kind in kept.items() if name in self.kinds}
        if kept and (self.kinds or (self.exclude and not selection.is_list)):
            lines.append(f"  features: {yaml_values.flow(kept)}")
        if self.exclude and selection.is_list:
            lines.append(f"  exclude: {yaml_values.flow([*selection.exclude, *self.exclude])}")
        if not (lines and selection.targets):
            return ""
        command = (
            f"python -m pipeline.describe {shlex.quote(str(selection.path))} --target"
            f" {shlex.quote(selection.targets[0])} --write"
        )
        if sum(map(len, lines)) > LONGEST_PASTE_CHARACTERS:
            return f"let `{command}` write the kinds of the columns into params.yaml"
        lines = ["write in params.yaml, under data:", *lines, f"or let `{command}` write it"]
        return "\n".join(lines)


def first_wrong(path: object, columns: Mapping[str, WrongValues]) -> str:
    """Return the beginning of the message: the first wrong value, and what is allowed there."""
    by_content = _by_content(columns)
    # Single wrong lines come first only if no column is wrong as a whole.
    whole = [name for content, names in by_content.items() if content != "few" for name in names]
    name = min(whole or columns, key=lambda name: columns[name].line)
    at = columns[name]
    more = f" (the first of {at.wrong} such values)" if at.wrong > 1 else ""
    settings = at.settings
    if isinstance(settings, NumberSettings):
        must = "a number" + " with the unit of the first ones" * settings.units
    elif isinstance(settings, DateSettings):
        must = f"a date as {settings.format or 'ISO 8601'} writes it"
    else:
        must = "text without the character NUL" if "\0" in at.text else "text"
    return f"{path}:{at.line}: {show(name)} is {show(at.text)}{more}; must be {must}"


def _by_content(columns: Mapping[str, WrongValues]) -> dict[Content, list[str]]:
    by_content: dict[Content, list[str]] = {}
    for name, column in columns.items():
        by_content.setdefault(column.content, []).append(name)
    # Commas have one meaning in all columns.
    meanings: list[Content] = [each for each in ("thousands", "decimal") if each in by_content]
    if len(meanings) == 1 and "either" in by_content:
        by_content[meanings[0]] += by_content.pop("either")
    return by_content


def _few(columns: Mapping[str, WrongValues], selection: Selection) -> str:
    """Return the advice for columns in which most values are right."""
    words = sorted({text for column in columns.values() for text in column.different})
    lines = count(sum(column.wrong for column in columns.values()), "line")
    shown = first_of([show(name) for name in columns], MOST_NAMES_SHOWN)
    cure = f"correct {'the line' if lines == '1 line' else lines} in {shown}"
    is_number = all(isinstance(each.settings, NumberSettings) for each in columns.values())
    has_digits = any(re.search(r"\d", word) for word in words)
    is_weight = selection.weights is not None and selection.weights.by in columns
    if is_weight:  # a missing weight is refused too
        cure += "; each row needs a weight: write 0 for a row that is not to count"
    elif selection.targets and is_number and len(words) <= MOST_WORDS and not has_digits:
        cure += (
            f"; or, if {first_of([show(word) for word in words], 5)} means no value, write"
            f" `missing: {yaml_values.flow(['NA', *words])}` in params.yaml, under data: read:"
        )
    return cure


def _category(column: WrongValues) -> Any:
    """Return the settings of a column of text."""
    if len(column.different) > MOST_LEVELS:
        return {"kind": "category", "min_count": 10}
    return "category"


def _date(column: WrongValues) -> tuple[dict[str, Any], str]:
    """Return the settings of a column of dates, and a note if two formats are possible."""
    # What was asked of a date stays.
    asked = column.settings.plain() if isinstance(column.settings, DateSettings) else {}
    date = {"kind": "date"} | {key: value for key, value in asked.items() if key != "format"}
    formats = wrong_values.date_formats(column.different)
    iso = all(re.match(r"\d{4}-\d\d-\d\d($|[ T])", text) for text in column.different)
    if iso and ("format" in asked or not asked):
        return date, ""
    if len(formats) > 1:
        either = " or ".join(f'"{each}"' for each in formats)
        return (
            # Pasted as it is, this is refused again.
            date | {"format": " or ".join(formats)},
            f"the format may be {either}; no value tells which: write the one that is meant",
        )
    if formats:
        return date | {"format": formats[0]}, ""
    if all(re.fullmatch(wrong_values.TIME, text, re.I) for text in column.different):
        return {"kind": "category"}, ""
    note = "no one format fits all; correct the lines of the others, or exclude the column"
    return asked or date, note


def _short(settings: ColumnSettings) -> Any:
    """Return settings as params.yaml writes them."""
    plain = settings.plain()
    return plain["kind"] if len(plain) == 1 else plain
