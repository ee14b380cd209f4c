"""Differences between two results in data, parameters, code and packages, as short texts."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from pipeline.results.provenance import one_line
from pipeline.results.recorded import Opened, Recorded
from pipeline.settings import dvc_md5, files
from pipeline.settings.messages import first_of

MOST_SHOWN = 8
"""Names in a list; the others are counted."""
MOST_LETTERS_OF_A_VALUE = 40
CUT_IN_A_RUN = re.compile(r"\.\.\. \((\d+) characters\)$")
"""End of a value that a run of MLflow has the beginning of alone."""

HELD_OUT, FOLDS = "data.test_fraction", "data.folds"
DEFAULTS = {HELD_OUT: ("share", 0.2), FOLDS: ("number", 5)}
"""How rows are chosen: the setting that a number alone is short for, and its default."""

Differences = dict[str, list[str]]
"""Texts by their subject: data, params, code, packages. A subject that is equal has no text."""


def between(first: Opened, other: Opened) -> Differences:
    """Return what differs from the first result to the other one."""
    return {
        "data": list(_of_data(first, other)),
        "params": list(_of_params(first.recorded.params, other.recorded.params)),
        "code": list(_of_code(first.recorded, other.recorded)),
        "packages": list(_of_packages(first.pins, other.pins)),
    }


def have_same_folds(first: Opened, other: Opened) -> bool:
    """Return True if the training rows are the same, and in the same folds; columns may differ.

    The seed and a row's place choose its fold, or a column of the table.
    """
    a, b = first.recorded, other.recorded
    same_source = a.deps is not None and b.deps is not None and _raw(a) == _raw(b)
    keys = {HELD_OUT, FOLDS, "data.source"}
    return (
        (same_training_rows(a, b) or same_source)
        and first.row_counts.get("training") == other.row_counts.get("training")
        and not _chosen_otherwise(a, b, keys)
    )


def held_out_otherwise(first: Recorded, other: Recorded) -> list[str]:
    """Return the keys by which the two choose the held-out rows, and which differ."""
    if _same(first, other, str(files.TEST)):
        return []
    return _chosen_otherwise(first, other, {HELD_OUT})


def _chosen_otherwise(first: Recorded, other: Recorded, keys: Set[str]) -> list[str]:
    """Return those of the keys that differ, and the seed if it differs and chooses rows."""
    a, b = first.params, other.params
    by_seed = any(_is_drawn(values.get(key)) for key in keys & DEFAULTS.keys() for values in (a, b))
    keys = keys | ({"seed"} if by_seed else set())
    return sorted(key for key in keys if _choice(a, key) != _choice(b, key))


def _choice(params: Mapping[str, Any], key: str) -> Any:
    """Return a value; of a choice of rows its long form: 5 is short for {number: 5}."""
    value = params.get(key)
    if key not in DEFAULTS or value is None:
        return value
    short, default = DEFAULTS[key]
    given = value if isinstance(value, Mapping) else {short: value}
    return {"by": None, "gap": None, short: default, **given}


def _is_drawn(choice: Any) -> bool:
    """Return True if the seed has a part in a choice of rows: in all but the choice in time."""
    return not isinstance(choice, Mapping) or choice.get("gap") is None


def _raw(recorded: Recorded) -> str | None:
    return (recorded.deps or {}).get(str(files.RAW))


def same_training_rows(first: Recorded, other: Recorded) -> bool:
    """Return True if both were trained on the same table, with the same columns."""
    return _same(first, other, str(files.TRAIN)) and (
        _keeps_rows(first) or _same(first, other, str(files.SUMMARY))
    )


def _same(first: Recorded, other: Recorded, path: str) -> bool:
    return first.outs.get(path) == other.outs.get(path)


def _keeps_rows(recorded: Recorded) -> bool:
    return recorded.params.get("data.keep_rows", True) not in (False, "false")


def _of_data(first: Opened, other: Opened) -> Iterator[str]:
    a, b = first.recorded, other.recorded
    if a.deps is not None and b.deps is not None and _raw(a) != _raw(b):
        yield f"other files in {files.RAW}"
    same = {"training": same_training_rows(a, b), "test": _same(a, b, str(files.TEST))}
    for use, is_same in same.items():
        before, after = (each.row_counts.get(use) for each in (first, other))
        name = "held-out" if use == "test" else use
        if before is None or after is None or before == after:
            if not is_same:
                yield f"other values or columns in the {name} rows"
        else:
            yield f"{before:,} → {after:,} {name} rows"


def _of_params(first: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    both = sorted(set(first) & set(other))
    for key in both:
        before, after = (one_line(values[key]) for values in (first, other))
        if key in DEFAULTS:
            if _choice(first, key) != _choice(other, key):
                yield f"{key}: {before} → {after}"
        elif not _can_be_equal(before, after):
            yield f"{key}: {_change(before, after)}"
    for side, values, others in (("first", first, other), ("other", other, first)):
        if alone := [
            f"{key}={_cut(one_line(values[key]))}" for key in sorted(set(values) - set(others))
        ]:
            yield f"only the {side} one has {first_of(alone, MOST_SHOWN)}"


def _can_be_equal(before: str, after: str) -> bool:
    """Return True if two values are equal; of a value that a run has cut, if it begins so."""
    shown = [CUT_IN_A_RUN.sub("", text) for text in (before, after)]
    lengths = [
        int(cut[1]) if (cut := CUT_IN_A_RUN.search(text)) else len(text) for text in (before, after)
    ]
    letters = min(map(len, shown))
    return lengths[0] == lengths[1] and shown[0][:letters] == shown[1][:letters]


def _change(before: str, after: str) -> str:
    """Return a change of a parameter; of names, those that came and those that went."""
    names = [_names(text) for text in (before, after)]
    if None in names or names[0] == names[1]:
        return f"{_cut(before)} → {_cut(after)}"
    old, new = ({} if each is None else each for each in names)
    parts = [f"+ {name}" for name in new if name not in old]
    parts += [f"− {name}" for name in old if name not in new]
    parts += [f"{name} otherwise" for name in new if name in old and new[name] != old[name]]
    return first_of(parts, MOST_SHOWN)


def _names(text: str) -> dict[str, Any] | None:
    """Return the names in a list or a mapping, with their settings; None for other values."""
    try:
        value = json.loads(text)
    except ValueError:
        return None
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return dict.fromkeys(value)
    return value if isinstance(value, dict) else None


def _of_code(first: Recorded, other: Recorded) -> Iterator[str]:
    if first.deps is None or other.deps is None:
        yield "unknown: of one of them only the run is left"
        return
    paths = {path for path in (*first.deps, *other.deps) if dvc_md5.is_code(path)}
    if changed := sorted(p for p in paths if first.deps.get(p) != other.deps.get(p)):
        yield first_of(changed, MOST_SHOWN)


def _of_packages(first: Sequence[str] | None, other: Sequence[str] | None) -> Iterator[str]:
    if first is None or other is None:
        yield "unknown: the requirements.txt of one of them is not at hand"
        return
    old, new = (
        dict(line.split("==", 1) for line in lines if "==" in line) for lines in (first, other)
    )
    changes = [
        f"{name} {old.get(name, 'none')} → {new.get(name, 'none')}"
        for name in sorted(set(old) | set(new))
        if old.get(name) != new.get(name)
    ]
    if changes:
        yield first_of(changes, MOST_SHOWN)


def _cut(text: str) -> str:
    return text if len(text) <= MOST_LETTERS_OF_A_VALUE else f"{text[:MOST_LETTERS_OF_A_VALUE]}..."
