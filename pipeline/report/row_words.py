"""Held-out rows and folds in words: by the seed, in whole groups, or in time.

A value is what the flat parameters have for data.test_fraction or data.folds: a number, or a
mapping of it, `by` and `gap`. quoted: returns the name of a column as the text is to show it.
"""

from collections.abc import Callable, Mapping
from typing import Any

Quoted = Callable[[str], str]


def folds(value: Any, quoted: Quoted = str) -> str:
    """Return how many folds there are, and of what: `5 folds of the training rows`."""
    number, by, gap = _settings(value, "number")
    if by is None:
        return f"{number} folds of the training rows"
    column = quoted(by)
    if gap is None:
        return f"{number} folds of whole groups of {column}"
    return f"{number} folds in time by {column}"


def fits(value: Any) -> str:
    """Return which rows train for a fold of data.folds."""
    _, _, gap = _settings(value, "number")
    if gap is None:
        return "each predicted by a fit to the others"
    return f"each predicted by a fit to earlier rows{_with_gap(gap)}"


def held_out(value: Any, quoted: Quoted = str) -> str | None:
    """Return which rows are held out by a column; None if the seed chooses them row by row."""
    _, by, gap = _settings(value, "share")
    if by is None:
        return None
    column = quoted(by)
    if gap is None:
        return f"whole groups of {column}"
    return f"the latest rows by {column}{_with_gap(gap)}"


def dependence(value: Any, quoted: Quoted = str) -> str | None:
    """Return a sentence on the interval of rows that are held out in groups, or None."""
    _, by, gap = _settings(value, "share")
    if by is None or gap is not None:
        return None
    return (
        f"Held out are {held_out(value, quoted)}: rows of a group depend on each other, so the"
        " interval of the held-out rows may be too narrow."
    )


def _with_gap(days: int) -> str:
    return f", with a gap of {days} day{'s' * (days != 1)}" if days else ""


def _settings(value: Any, short: str) -> tuple[Any, str | None, int | None]:
    """Return the number, the column and the gap. short: the key of the number."""
    if isinstance(value, Mapping):
        return value.get(short), value.get("by"), value.get("gap")
    return value, None, None
