"""Messages about a wrong value: what was found, what is allowed, and lists of a readable length."""

import difflib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pipeline.settings.keys.column_settings import OF_KIND
from pipeline.settings.yaml_file import Key


def problems(
    error: ValidationError, section: type[BaseModel], value: Any
) -> Iterator[tuple[Key, str]]:
    """Yield each key that pydantic refuses, and the end of its message.

    value: what was checked. A misspelt key and the missing key that it means are one mistake.
    """
    details = error.errors(include_url=False)
    for detail in details:
        detail["loc"] = _place(detail, value)
    fields = dict(_fields(section)) | _fields_of_columns(value)
    refused = {detail["loc"] for detail in details}
    missing = {detail["loc"] for detail in details if detail["type"] == "missing"}
    texts: dict[Key, str] = {}
    for detail in sorted(details, key=lambda detail: detail["type"] != "extra_forbidden"):
        key = detail["loc"]
        if _follows_from_another(detail, refused):
            continue
        if detail["type"] == "extra_forbidden":
            meant = _nearest(key, fields, missing)
            missing.discard(meant or ())
            text = f"no such key; did you mean {dotted(meant)}?" if meant else "no such key"
        elif detail["type"] == "missing":
            if key not in missing:
                continue
            text = f"missing; {_hint(fields[key])}"
        elif key in texts:  # the value is none of several types
            text = f"{texts[key]}, or {_allowed(detail, fields).removeprefix('must be ')}"
        elif detail["type"] == "union_tag_invalid":  # a kind that no column has
            key = (*key, "kind")
            text = f"found {show(detail['input']['kind'])}; {_allowed(detail, fields)}"
        else:
            text = f"found {show(detail['input'])}; {_allowed(detail, fields)}"
        texts[key] = text
    yield from texts.items()


def _place(detail: ErrorDetails, value: Any) -> Key:
    """Return the path to the value that is refused, without pydantic's names of types.

    value: all of the file.
    """
    place: list[str | int] = []
    for part in detail["loc"]:
        if (isinstance(value, dict) and part in value) or (
            isinstance(value, list) and isinstance(part, int)
        ):
            place.append(part)
            value = value[part]  # type: ignore[index]
    return (*place, detail["loc"][-1]) if detail["type"] == "missing" else tuple(place)


def _fields_of_columns(value: Any) -> dict[Key, Any]:
    """Return the fields of each column in data.features that has a mapping of settings."""
    key = ("data", "features")
    for part in key:
        value = value.get(part) if isinstance(value, dict) else None
    return {
        (*key, name, setting): field
        for name, settings in (value.items() if isinstance(value, dict) else ())
        if isinstance(settings, dict) and str(settings.get("kind")) in OF_KIND
        for setting, field in OF_KIND[str(settings["kind"])].model_fields.items()
    }


def _follows_from_another(detail: ErrorDetails, refused: Collection[Key]) -> bool:
    """True if the mistake most likely has the same cause as another one."""
    key, kind = detail["loc"], detail["type"]
    if kind == "too_short":  # because its elements were refused
        return any(place and place[:-1] == key for place in refused)
    # If the first row is not a list, the other rows are probably not lists either.
    is_later_row = kind == "list" and isinstance(key[-1], int) and key[-1] > 0
    return is_later_row and (*key[:-1], 0) in refused


def _fields(section: type[BaseModel], prefix: Key = ()) -> Iterator[tuple[Key, Any]]:
    for name, field in section.model_fields.items():
        yield (*prefix, name), field
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, (*prefix, name))


def _nearest(key: Key, fields: Collection[Key], missing: Collection[Key]) -> Key | None:
    """Return the field that `key` most likely means, a missing sibling first; None if unlikely.

    Of a column's settings only that column's are near.

    A short form counts as near: lr for learning_rate, batch_size for batch.
    """

    def likeness(other: Key) -> float:
        written, name = str(key[-1])[:100], str(other[-1])
        closeness = difflib.SequenceMatcher(None, written, name).ratio()
        initials = "".join(word[:1] for word in written.split("_"))
        if name in (written, initials) or written in name.split("_"):
            closeness = 1.0
        if closeness < 0.6:
            return 0.0
        return closeness + (other[:-1] == key[:-1]) * 0.5 + (other in missing) * 0.25

    columns = ("data", "features")
    fields = [f for f in fields if f[:2] != columns or len(f) == 2 or f[:-1] == key[:-1]]
    nearest = max(fields, key=likeness)
    return nearest if likeness(nearest) else None


def _hint(field: Any) -> str:
    if field.examples:
        return f"the tutorial's job has {show(field.examples[0])} there"
    return f"it must be a mapping of {', '.join(field.annotation.model_fields)}"


_ALLOWED = {
    "bool_type": "must be a boolean",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be greater than or equal to {ge}",
    "int_type": "must be an integer",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be less than or equal to {le}",
    "string_pattern_mismatch": "must match the pattern {pattern}",
    "string_type": "must be a string",
}
"""Allowed values by the type of pydantic's error; the names in braces are in its context."""


def _allowed(detail: ErrorDetails, fields: Mapping[Key, Any]) -> str:
    kind = detail["type"]
    context: dict[str, Any] = {
        name: f"{value:g}" if isinstance(value, float) else value
        for name, value in detail.get("ctx", {}).items()
    }
    name = tuple(part for part in detail["loc"] if isinstance(part, str))
    if kind == "model_type":
        return _hint(fields[name]).removeprefix("it ")
    if kind == "list":
        return (
            f"must be a list; {_hint(fields[name])}" if fields[name].examples else "must be a list"
        )
    if kind == "string_type" and isinstance(detail["input"], int | float | date):
        return f"must be a string; write {_quoted(detail['input'])}"
    if kind == "value" and isinstance(detail["input"], date):
        return f"must be in quotes, because DVC has no dates: {_quoted(detail['input'])}"
    if kind == "union_tag_invalid":
        kinds = "'number', 'category' or 'date'"
        return f"must be {_one_of(kinds, context['tag'])}"
    if kind == "union_tag_not_found":
        return "must have a kind: number, category or date"
    if kind == "literal_error":
        return f"must be {_one_of(context['expected'], detail['input'])}"
    if kind == "too_short":
        return f"must have at least {count(context['min_length'], 'item')}"
    if kind == "string_too_short":
        return f"must have at least {count(context['min_length'], 'character')}"
    if kind == "string_too_long":
        return f"must have at most {count(context['max_length'], 'character')}"
    # Errors of our own types have their message from us.
    return _ALLOWED[kind].format(**context) if kind in _ALLOWED else detail["msg"]


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, date) else f'"{show(value)}"'


def _one_of(expected: str, value: Any) -> str:
    """Return the allowed texts, and the one that `value` most likely means."""
    near = difflib.get_close_matches(str(value), re.findall("'([^']*)'", expected), 1)
    return expected + "".join(f"; did you mean {choice}?" for choice in near)


def dotted(key: Key) -> str:
    """Return a key as people write it: train.lr, evaluate.queries[0]."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{_cut(part)}"
    return text.removeprefix(".")


def show(value: Any) -> str:
    """Return a value as params.yaml writes it, cut to a readable length."""
    if isinstance(value, dict):
        return f"a mapping of {_cut(', '.join(map(str, value))) or 'nothing'}"
    return _cut(json.dumps(value, default=str, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def count(number: int, unit: str, style: str = "") -> str:
    """Return a number with its unit: 1 row, 2 rows; with the style "," 2,000 rows."""
    return f"{number:{style}} {unit}" + "s" * (number != 1)


def mistakes(lines: Sequence[str], place: object, most: int) -> str:
    """Return one message of all mistakes in `place`: a line for each of the first `most`."""
    if len(lines) == 1:
        return lines[0]
    number = f"{len(lines)}" if len(lines) <= most else f"more than {most}"
    return "\n  ".join([f"{number} mistakes in {place}", *lines[:most]])


def first_of(items: Sequence[str], most: int) -> str:
    """Return the first items in a sentence: a, b and 3 more."""
    *before, last = first_lines(items, most) or [""]
    return f"{', '.join(before)}{' ' if len(items) > most else ', ' * bool(before)}{last}"


def first_lines(items: Sequence[str], most: int) -> list[str]:
    """Return the first `most` items, and a line with the number of the others if there are any."""
    return [*items[:most], *[f"and {len(items) - most} more"] * (len(items) > most)]
