"""What is wrong with a value, in words for the person who wrote it."""

import difflib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.settings.yaml_file import Key


def problems(error: ValidationError, section: type[BaseModel]) -> Iterator[tuple[Key, str]]:
    """Pydantic's findings in our words; a misspelt key and the key it meant are one finding."""
    known = dict(_fields(section))
    details = error.errors(include_url=False)
    # A list that is too short only because what is in it was refused is not a finding of its own.
    places = {detail["loc"] for detail in details}
    parents = {place[:-1] for place in places if place}
    details = [
        detail
        for detail in details
        if detail["type"] != "too_short" or detail["loc"] not in parents
    ]
    missing = {detail["loc"] for detail in details if detail["type"] == "missing"}
    for detail in sorted(details, key=lambda detail: detail["type"] != "extra_forbidden"):
        key = detail["loc"]
        if detail["type"] == "extra_forbidden":
            meant = _nearest(key, known, missing)
            missing.discard(meant or ())
            text = f"no such key; did you mean {dotted(meant)}?" if meant else "no such key"
        elif detail["type"] == "missing":
            if key not in missing:
                continue
            text = f"missing; {_hint(known[key])}"
        elif detail["type"] == "model_type":
            text = f"found {show(detail['input'])}; {_hint(known[key])}"
        elif detail["type"] == "list":
            # The rows after a first one that is none most likely have the same cause.
            if isinstance(key[-1], int) and (*key[:-1], 0) != key and (*key[:-1], 0) in places:
                continue
            name = tuple(part for part in key if isinstance(part, str))
            text = f"found {show(detail['input'])}; must be a list; {_hint(known[name])}"
        else:
            text = f"found {show(detail['input'])}; {_allowed(detail['msg'])}"
        yield key, text


def _fields(section: type[BaseModel], prefix: Key = ()) -> Iterator[tuple[Key, Any]]:
    for name, field in section.model_fields.items():
        yield (*prefix, name), field
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields(field.annotation, (*prefix, name))


def _nearest(key: Key, known: dict[Key, Any], missing: set[Key]) -> Key | None:
    """The known key that `key` most likely meant, a missing sibling before any other; or None."""

    def likeness(other: Key) -> float:
        ours, theirs = str(key[-1])[:100], str(other[-1])
        closeness = difflib.SequenceMatcher(None, ours, theirs).ratio()
        # learning_rate for lr, batch for batch_size
        initials = "".join(word[:1] for word in ours.split("_"))
        if theirs in (ours, initials) or ours in theirs.split("_"):
            closeness = 1.0
        if closeness < 0.6:
            return 0.0
        return closeness + (other[:-1] == key[:-1]) * 0.5 + (other in missing) * 0.25

    nearest = max(known, key=likeness)
    return nearest if likeness(nearest) else None


def _hint(field: Any) -> str:
    if field.examples:
        return f"the tutorial's job has {show(field.examples[0])} there"
    return f"it must be a mapping of {', '.join(field.annotation.model_fields)}"


def _allowed(message: str) -> str:
    """Pydantic's "Input should be ..." as "must be ..."."""
    text = re.sub(r"^Input should (have|be) ", r"must \1 ", message)
    text = re.sub(r"^must be a valid (\w+)", r"must be a \1", text)
    text = re.sub(r"^(Tuple|String|Value) should have", r"must have", text)
    text = text.replace(" after validation, not 0", "").replace("tuple", "list")
    return text.replace("a integer", "an integer")


def dotted(key: Key) -> str:
    """A key as people write it: train.lr, evaluate.queries[0]."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{_cut(part)}"
    return text.removeprefix(".")


def show(value: Any) -> str:
    """A value as params.yaml would say it, cut to a readable length."""
    if isinstance(value, dict):
        return f"a mapping of {_cut(', '.join(map(str, value))) or 'nothing'}"
    return _cut(json.dumps(value, default=str, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


def count(number: int, unit: str, style: str = "") -> str:
    """1 row, 2 rows; with the style "," 2,000 rows."""
    return f"{number:{style}} {unit}" + "s" * (number != 1)


def first_of(items: Sequence[str], most: int) -> str:
    """The first items, in a sentence: a, b and 3 more."""
    *before, last = first_lines(items, most) or [""]
    return f"{', '.join(before)}{' ' if len(items) > most else ', ' * bool(before)}{last}"


def first_lines(items: Sequence[str], most: int) -> list[str]:
    """The first items, and a last one that says how many more there are."""
    return [*items[:most], *[f"and {len(items) - most} more"] * (len(items) > most)]
