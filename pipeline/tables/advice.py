"""Messages for columns with values that are not of their kind, and lines of params.yaml to paste.

A line is proposed only if it cannot make wrong numbers: where the values leave two readings open,
both are said.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.settings.column_settings import (
    CategorySettings,
    ColumnSettings,
    DateSettings,
    NumberSettings,
)
from pipeline.settings.messages import first_of, show
from pipeline.tables import wrong_values
from pipeline.tables.wrong_values import Content, WrongValues

MOST_NAMES_SHOWN = 20  # in a message; the line to paste has the other names
LONGEST_PASTE_CHARACTERS = 2_000  # of a line to paste

_HOLDS: dict[Content, str] = {
    "thousands": "separators of thousands",
    "decimal": "decimal commas",
    "either": "commas, which may divide thousands or be decimal marks",
    "points": "points between thousands",
    "signs": "signs or blanks beside the digits",
    "dates": "dates",
    "times": "times of day",
    "label": "text that differs in nearly every row",
    "text": "text",
}
_KINDS = {NumberSettings: "a number", CategorySettings: "text", DateSettings: "a date"}


@dataclass(frozen=True)
class Selection:
    """The columns that are read from a table.

    columns: the features with their settings. targets: empty where a model answers rows.
    is_list: True if data.features is a list. paths: of the table, for a command to paste.
    """

    columns: Mapping[str, ColumnSettings]
    targets: tuple[str, ...]
    is_list: bool = True
    exclude: tuple[str, ...] = ()
    path: Path | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns that are read."""
        return (*self.columns, *self.targets)

    def paste(
        self, changes: Mapping[str, Any], exclude: Sequence[str] = (), read: Sequence[str] = ()
    ) -> str:
        """Return lines to paste into params.yaml, and the command that writes them; "" if none.

        changes: the new settings of features by name. exclude: features to leave out.
        read: lines under data.read.
        """
        if not self.targets:
            return ""
        lines = [f"  read: … {line}" for line in read]
        kept = {name: settings for name, settings in self.columns.items() if name not in exclude}
        if changes or (exclude and not self.is_list):
            written = {name: changes.get(name, _short(kept[name])) for name in kept}
            if not self.is_list and not exclude:
                written = {name: changes[name] for name in kept if name in changes}
            lines.append(f"  features: {yaml_flow(written)}")
        if exclude and self.is_list:
            lines.append(f"  exclude: {yaml_flow([*self.exclude, *exclude])}")
        if not lines:
            return ""
        command = (
            f"python -m pipeline.describe {self.path} --target {yaml_name(self.targets[0])} --write"
        )
        if sum(map(len, lines)) > LONGEST_PASTE_CHARACTERS:
            return f"let `{command}` write the columns' kinds into params.yaml"
        return "\n".join(
            ["write in params.yaml, under data:", *lines, f"  or let `{command}` write it"]
        )

    def cure_for_gaps(self, names: Sequence[str]) -> str:
        """Return the advice for gaps in the columns `names`."""
        if not self.targets:
            return "fill them in, or remove these rows"
        cures = []
        if any(name in self.targets for name in names):
            cures.append("`drop_rows: missing_target`, under data, leaves the rows out")
        gapped = [name for name in names if name in self.columns]
        if gapped:
            changes = {name: _with_gaps(self.columns[name]) for name in gapped}
            cures.append(
                "say what becomes of a gap (missing: drop_row, mean or median of a number,"
                f" level of a category); {self.paste(changes)}"
            )
        return "; ".join(cures)


def message(path: object, columns: Mapping[str, WrongValues], selection: Selection) -> str:
    """Return the message about `columns`, by name; columns of one content share a sentence."""
    by_content: dict[Content, list[str]] = {}
    for name, column in columns.items():
        by_content.setdefault(column.content, []).append(name)
    # Commas have one meaning in all columns.
    meanings: list[Content] = [c for c in ("thousands", "decimal") if c in by_content]
    if len(meanings) == 1 and "either" in by_content:
        by_content[meanings[0]] += by_content.pop("either")
    # Single wrong lines are reported only if no column is wrong as a whole.
    whole = {content: names for content, names in by_content.items() if content != "few"}
    first = min(
        (name for names in (whole or by_content).values() for name in names),
        key=lambda name: columns[name].line,
    )
    at = columns[first]
    more = f" (the first of {at.wrong} such values)" if at.wrong > 1 else ""
    must = _KINDS[type(at.settings)]
    if isinstance(at.settings, DateSettings):
        must += f" as {at.settings.format}" if at.settings.format else " as ISO 8601 writes it"
    lines = [f"{path}:{at.line}: {show(first)} is {show(at.text)}{more}; must be {must}"]
    if not whole:
        return "\n  ".join([lines[0] + "; " + _few(columns, selection)])
    changes: dict[str, Any] = {}
    exclude, read, notes = [], [], []
    for content, names in whole.items():
        shown = first_of([show(name) for name in names], MOST_NAMES_SHOWN)
        lines.append(f"{shown} {'holds' if len(names) == 1 else 'hold'} {_HOLDS[content]}")
        features = [name for name in names if name in selection.columns]
        targets = [name for name in names if name in selection.targets]
        if content == "thousands":
            read.append('thousands: ","')
        elif content == "decimal":
            read.append('decimal: ","')
        elif content == "points":
            read += ['decimal: ","', 'thousands: "."']
        elif content == "either":
            example = columns[names[0]].text
            lines[-1] += (
                f': with `thousands: ","` under data: read:, {example} is'
                f' {example.replace(",", "")}; with `decimal: ","` it is'
                f" {example.replace(',', '.')}; write the one that is meant"
            )
        elif content == "signs":
            changes |= {name: {"kind": "number", "units": True} for name in features}
            if targets:
                read.append("units: true")
        elif content == "label":
            exclude += features
        elif content == "dates":
            for name in features:
                changes[name], note = _date(columns[name])
                notes += [f"{show(name)}: {note}"] if note else []
        else:
            changes |= dict.fromkeys(features, "category")
        if targets and content in ("label", "dates", "text", "times"):
            lines.append(
                f"{show(targets[0])} is a target, which must be numbers: choose another one in"
                " data.targets"
            )
    lines += notes
    if paste := selection.paste(changes, exclude, [*dict.fromkeys(read)]):
        lines.append(paste.replace("\n", "\n  "))
    return "\n  ".join(lines)


def _few(columns: Mapping[str, WrongValues], selection: Selection) -> str:
    """Return the advice for columns in which most values are right."""
    words = sorted({text for column in columns.values() for text in column.different})
    others = [show(name) for name in columns][1:]
    more = f" (also in {first_of(others, MOST_NAMES_SHOWN)})" if others else ""
    cure = f"correct the line{'s' if sum(c.wrong for c in columns.values()) > 1 else ''}{more}"
    if (
        selection.targets
        and len(words) <= wrong_values.MOST_WORDS
        and all(not re.search(r"\d", word) for word in words)
    ):
        cure += (
            f", or, if {first_of([show(word) for word in words], 5)} means no value, write"
            f" `missing: {yaml_flow(['NA', *words])}` in params.yaml, under data: read:"
        )
    return cure


def _date(column: WrongValues) -> tuple[Any, str]:
    """Return the settings of a column of dates, and a note if two formats are possible."""
    formats = wrong_values.date_formats(column.different)
    iso = all(re.match(r"\d{4}-\d\d-\d\d($|[ T])", text) for text in column.different)
    if iso:
        return "date", ""
    if len(formats) > 1:
        either = " or ".join(f'"{each}"' for each in formats)
        return (
            # Pasted as it is, this is refused again.
            {"kind": "date", "format": " or ".join(formats)},
            f"the format may be {either}; no value tells which: write the one that is meant",
        )
    if formats:
        return {"kind": "date", "format": formats[0]}, ""
    return "category", "no one format fits all its dates"


def _with_gaps(settings: ColumnSettings) -> Any:
    short = _short(settings)
    kind = short if isinstance(short, str) else short["kind"]
    missing = "level" if kind == "category" else "drop_row"
    return ({"kind": kind} if isinstance(short, str) else short) | {"missing": missing}


def _short(settings: ColumnSettings) -> Any:
    """Return settings as params.yaml writes them."""
    plain = settings.plain()
    return plain["kind"] if len(plain) == 1 else plain


def yaml_flow(value: Any) -> str:
    """Return a value as YAML in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{yaml_name(k)}: {yaml_flow(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(yaml_flow, value)) + "]"
    return yaml_name(value) if isinstance(value, str) else json.dumps(value)


def yaml_name(name: str) -> str:
    """Return a text as YAML: without quotes if it is a plain word, else as JSON."""
    is_word = re.fullmatch(r"[^\W\d]\w*", name) and name.lower() not in _YAML_WORDS
    return name if is_word else json.dumps(name, ensure_ascii=False)


_YAML_WORDS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n", "nan", "inf"}
