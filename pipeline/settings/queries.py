"""The query points of `evaluate.queries`, checked against the columns: names, number and types.

A query is a list of values in the order of the features, or a mapping of names to values.
"""

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.settings import messages
from pipeline.settings.keys.column_settings import ColumnSettings, DateSettings, NumberSettings
from pipeline.settings.yaml_file import Key

KEY: Key = ("evaluate", "queries")


def mistakes(
    queries: Sequence[Any], columns: Mapping[str, ColumnSettings]
) -> Iterator[tuple[Key, str]]:
    """Yield the key and the end of the message of each mistake that the columns' kinds show.

    columns: all features, in order. After a list of a wrong length no other is looked at: they
    probably have the same cause.
    """
    for index, query in enumerate(queries):
        key = (*KEY, index)
        if isinstance(query, dict):
            yield from _wrong_names(key, query, columns)
        elif len(query) != len(columns):
            yield (
                key,
                f"found {messages.count(len(query), 'value')}; must be {len(columns)}, one for each"
                f" feature ({messages.first_of([*columns], 8)}), or a mapping of their names to"
                " values",
            )
            return
        for name, value in by_name(query, columns).items():
            part = name if isinstance(query, dict) else [*columns].index(name)
            for text in _wrong_value(value, columns[name]):
                yield (*key, part), text


def by_name(query: Any, names: Sequence[str] | Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of a query by the names of the features, of those that it has."""
    values = query if isinstance(query, dict) else dict(zip(names, query, strict=False))
    return {name: values[name] for name in names if name in values}


def _wrong_names(
    key: Key, query: Mapping[str, Any], columns: Mapping[str, Any]
) -> Iterator[tuple[Key, str]]:
    """Yield the names that are no features, and then those that are missing.

    A misspelt name and the missing one that it means are one mistake.
    """
    missing = [name for name in columns if name not in query]
    for name in query:
        if name not in columns:
            near = difflib.get_close_matches(str(name), missing or [*columns], 1)
            text = f"no such feature; the features are {messages.first_of([*columns], 8)}"
            if near:
                text = f"no such feature; did you mean {near[0]}?"
                missing = [other for other in missing if other != near[0]]
            yield (*key, name), text
    if missing:
        shown = messages.first_of([messages.show(name) for name in missing], 8)
        yield key, f"found no value for {shown}; add it, or null if it is missing"


def _wrong_value(value: Any, column: ColumnSettings) -> Iterator[str]:
    """Yield what is wrong with a value that is there and of the wrong type, at most one text."""
    if value is None or value == "":
        # What becomes of a gap, the plan says; these columns have no policy for one.
        if is_refused_gap(column):
            yield f"found {messages.show(value)}; must be a value: {gap_cure(column)}"
    elif isinstance(column, NumberSettings):
        if isinstance(value, bool | str):
            hint = _number_hint(value)
            yield f"found {messages.show(value)}; must be a number{hint}"
        elif not math.isfinite(value):
            yield f"found {messages.show(value)}; must be a finite number"
    elif isinstance(column, DateSettings):
        try:
            moment(value, column.format)
        except ValueError:
            form = ", or as its format says" if column.format else ""
            example = f'"2019-03-01"{form}'
            yield f"found {messages.show(value)}; must be a date in quotes, such as {example}"


def _number_hint(value: bool | str) -> str:
    try:
        float(value)
    except ValueError:
        return ", as data.features says; if the column has text, its kind is category"
    return f"; write {float(value):g}" if not isinstance(value, bool) else ", such as 1 or 0"


def is_refused_gap(column: ColumnSettings) -> bool:
    """True if the column's settings have no answer for a row in which its value is missing."""
    return getattr(column, "missing", "refuse") in ("refuse", "drop_row")


def gap_cure(column: ColumnSettings) -> str:
    """Return what makes a missing value of the column one that is answered."""
    if isinstance(column, NumberSettings):
        return "its `missing` would have to be mean, median or a number"
    if isinstance(column, DateSettings):
        return "a date that is missing has no answer"
    return "its `missing` would have to be level"


def moment(value: Any, form: str | None = None) -> datetime:
    """Return the moment in UTC that a text says: in ISO 8601, or as `form` has it for strptime.

    Raises ValueError for any other value.
    """
    if not isinstance(value, str):
        raise ValueError("no text")
    text = value.strip()
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        if form is None:
            raise
        when = datetime.strptime(text, form)
    return when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
