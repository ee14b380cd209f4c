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
    while _total(result) > max(1, training_rows // ROWS_PER_COLUMN):
        place = max(
            (place for place, choice in enumerate(result) if _can_shrink(choice)),
            key=lambda place: result[place].encoded,
            default=None,
        )
        if place is None:
            break
        result[place] = _smaller(result[place], profile.column(result[place].name), fraction)
    most = max(1, training_rows // ROWS_PER_NUMBER)
    while _total(result) > most:
        # Texts first, then the last columns: tables begin with what matters.
        place = max(
            (place for place, choice in enumerate(result) if choice.settings),
            key=lambda place: (bool(result[place].levels), place),
        )
        why = f"{count(training_rows, 'row')} allow {count(most, 'column')} at the most"
        result[place] = replace(result[place], settings=None, why=why, encoded=0)
    return result


def _total(choices: Sequence[Choice]) -> int:
    return sum(choice.encoded for choice in choices if choice.settings)


def _can_shrink(choice: Choice) -> bool:
    return choice.settings is not None and choice.encoded > 1


def _smaller(choice: Choice, column: Column, fraction: float) -> Choice:
    """Return the choice with fewer columns."""
    assert choice.settings is not None
    settings = dict(choice.settings)
    few = "few rows for so many columns"
    if settings["kind"] == "date":
        return replace(
            choice, settings=settings | {"parts": ["days"]}, encoded=1, why=_and(choice.why, few)
        )
    if settings["kind"] == "number":
        del settings["indicator"]
        return replace(choice, settings=settings, encoded=1)
    smallest = min(choice.levels.values())
    smaller = category(column, fraction, max(MIN_COUNT, smallest) + 1)
    if smaller.settings is None or smaller.encoded >= choice.encoded:
        return Choice(choice.name, None, f"{few}: {count(len(column.values), 'level', ',')}")
    return smaller


def _and(first: str, second: str) -> str:
    return f"{first}; {second}" if first else second
