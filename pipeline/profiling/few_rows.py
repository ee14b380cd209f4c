"""Fewer columns where there are few rows: levels are folded, then columns left out."""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.profiling.choices import MIN_COUNT, Choice, category
from pipeline.profiling.columns import Column
from pipeline.profiling.table_profile import TableProfile
from pipeline.settings.messages import count

ROWS_PER_COLUMN = 3
"""Training rows for each column of the model, as long as something can be folded."""
ROWS_PER_NUMBER = 2
"""Training rows for each column; beyond it, columns are left out."""


def fitted(
    profile: TableProfile, choices: Sequence[Choice], training_rows: int, fraction: float
) -> list[Choice]:
    """Return choices with columns enough for the training rows."""
    result = list(choices)
    places = {place for place, choice in enumerate(result) if choice.encoded > 1}
    while places and _total(result) > max(1, training_rows // ROWS_PER_COLUMN):
        place = max(places, key=lambda place: (result[place].encoded, place))
        choice = result[place]
        smaller = _smaller(choice, profile.column(choice.name), fraction)
        if smaller.encoded < choice.encoded:
            result[place] = smaller
        if smaller.encoded in (1, choice.encoded):
            places.remove(place)
    most = max(1, training_rows // ROWS_PER_NUMBER)
    while _total(result) > most:
        # The largest first, then texts, then the last: tables begin with what matters.
        place = max(
            (place for place, choice in enumerate(result) if choice.settings),
            key=lambda place: (result[place].encoded, bool(result[place].levels), place),
        )
        why = f"{count(training_rows, 'row')} allow {count(most, 'column')} at the most"
        result[place] = replace(result[place], settings=None, why=why, encoded=0)
    return result


def _total(choices: Sequence[Choice]) -> int:
    return sum(choice.encoded for choice in choices if choice.settings)


def _smaller(choice: Choice, column: Column, fraction: float) -> Choice:
    """Return the choice with fewer columns, or as it is."""
    assert choice.settings is not None
    settings = dict(choice.settings)
    few = "few rows for so many columns"
    if settings["kind"] == "date":
        return replace(
            choice, settings=settings | {"parts": ["days"]}, encoded=1, why=_and(choice.why, few)
        )
    if settings["kind"] == "number":
        settings.pop("indicator", None)
        return replace(choice, settings=settings, encoded=1)
    smallest = min(choice.levels.values())
    smaller = category(column, fraction, max(MIN_COUNT, smallest) + 1)
    # Of one level alone nothing can be learnt.
    is_flat = len(smaller.levels) + (sum(smaller.levels.values()) < column.rows) < 2
    return choice if smaller.settings is None or is_flat else smaller


def _and(first: str, second: str) -> str:
    return f"{first}; {second}" if first else second
