"""The choice for one column: a feature with its settings, or left out; and why."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.columns.category import MOST_LEVELS
from pipeline.columns.date import part_of
from pipeline.profiling import dates, signs
from pipeline.profiling.columns import Column
from pipeline.profiling.kinds import Kind, kind
from pipeline.settings.keys.column_settings import DatePart
from pipeline.settings.messages import count
from pipeline.tables.date_texts import GAP

MIN_COUNT = 5
LARGEST_GAP_SHARE = 0.9
LARGEST_DROPPED_SHARE = 0.05
"""Share of rows without a date that may be left out."""
MOST_NUMBERS = 200_000_000
"""Rows times levels of a column."""
UNLIKELY = 1e-3
"""Probability that some level is in the held-out rows alone."""


@dataclass(frozen=True)
class Choice:
    """What is made of a column.

    settings: as in data.features; None if the column is left out. why: a comment, or "".
    encoded: the number of columns that the model gets for it.
    levels: rows of each level that has a column, or may have one, of a category.
    """

    name: str
    settings: Mapping[str, Any] | None
    why: str = ""
    encoded: int = 0
    levels: Mapping[str, int] = field(default_factory=dict)


def choose(column: Column, is_named: bool, fraction: float) -> Choice:
    """Return the choice for a column. fraction: of the rows that are held out."""
    of = kind(column)
    reason = (
        ("no values" if of == "empty" else "")
        or ("lists or structures" if of == "other" else "")
        or signs.constant(column)
        or signs.row_number(column, is_named)
        or signs.identifier(column, of, is_named)
        or signs.label(column, of)
        or ("texts with the character NUL" if any("\0" in text for text in column.values) else "")
        or ("infinite values" if column.infinite else "")
        or ("integers that float64 cannot represent" if column.inexact and of == "number" else "")
    )
    gap_share = column.gaps / max(1, column.rows)
    if not reason and of != "text" and gap_share > LARGEST_GAP_SHARE:
        reason = f"{gap_share:.0%} of the values are missing"
    if reason:
        return Choice(column.name, None, reason)
    if of in ("number", "units"):
        return _number(column, of)
    if of == "date":
        return _date(column, fraction)
    return category(column, fraction)


def _number(column: Column, of: Kind) -> Choice:
    settings: dict[str, Any] = {"kind": "number"}
    if of == "units":
        settings["units"] = True
    if not column.gaps:
        return Choice(column.name, settings, encoded=1)
    settings |= {"missing": "mean", "indicator": True}
    place = "its place" if column.gaps == 1 else "their places"
    why = f"{count(column.gaps, 'gap', ',')} of {column.rows:,} rows: the mean in {place}"
    return Choice(column.name, settings, why, encoded=2)


def category(column: Column, fraction: float, min_count: int = MIN_COUNT) -> Choice:
    """Return the choice for a column of levels. min_count: for the levels, if any are folded."""
    levels = column.values
    settings: dict[str, Any] = {"kind": "category"}
    gaps = 0
    if column.gaps:
        settings["missing"] = "level"
        gaps = 1
    smallest = min(levels.values())
    few = rows_needed(len(levels), fraction)
    own = "its own" if column.gaps == 1 else "their own"
    why = f"{count(column.gaps, 'gap', ',')}: a level of {own}" if gaps else ""
    # To fold a single level is no gain, and of yes and no nothing would be left.
    is_single = fraction == 0 and (
        len(levels) == 2 or sum(rows < few for rows in levels.values()) == 1
    )
    is_plain = len(levels) <= MOST_LEVELS and min_count == MIN_COUNT
    if is_plain and (smallest >= few or is_single):
        return Choice(column.name, settings, why, len(levels) - 1 + gaps, levels)
    most = min(1_000, max(MOST_LEVELS, MOST_NUMBERS // column.rows))
    if len(levels) > most:
        # The most frequent ones; all would not fit into memory.
        min_count = max(min_count, sorted(levels.values(), reverse=True)[most] + 1)
    settings |= {"min_count": min_count, "unseen": "rare"}
    kept = {level: rows for level, rows in levels.items() if rows >= min_count}
    if not kept and not (gaps and column.known >= min_count):
        reason = f"{count(len(levels), 'level', ',')}, each in fewer than {min_count} rows"
        return Choice(column.name, None, reason)
    folded = len(levels) - len(kept)
    if folded:
        fold_why = f"{folded:,} of {len(levels):,} levels: fewer than {min_count} rows each"
    elif smallest < few:
        fold_why = f"a level has {count(smallest, 'row')} only, which may all be held out"
    else:
        fold_why = f"{len(levels)} levels are many: a new one is taken for a rare one"
    return Choice(
        column.name, settings, "; ".join(filter(None, [fold_why, why])), len(kept) + gaps, kept
    )


def rows_needed(levels: int, fraction: float) -> int:
    """Return the rows that each level must have, so that the training rows have them all."""
    if not fraction:
        return MIN_COUNT
    return max(MIN_COUNT, math.ceil(math.log(UNLIKELY / levels) / math.log(fraction)))


def _date(column: Column, fraction: float) -> Choice:
    forms = column.dates.formats or [dates.ISO]
    form = dates.preferred(forms)
    reasons = []
    settings: dict[str, Any] = {"kind": "date"}
    if form != dates.ISO:
        settings["format"] = form
        others = other_readings(column, form)
        if others:
            reasons.append(f"{column.example} could also be read as {' or '.join(others)}")
    if column.gaps:
        if column.gaps > LARGEST_DROPPED_SHARE * column.rows:
            reason = f"{count(column.gaps, 'gap', ',')}, and a date cannot be filled in"
            return Choice(column.name, None, reason)
        settings["missing"] = "drop_row"
        reasons.append(f"{count(column.gaps, 'row', ',')} without a date left out")
    parts, encoded = _parts(column, form, fraction)
    settings["parts"] = parts
    return Choice(column.name, settings, "; ".join(reasons), encoded)


def other_readings(column: Column, form: str) -> list[str]:
    """Return the other formats by which the dates are other days."""
    spans = column.dates
    return [
        other
        for other in column.dates.formats or []
        if (spans.first[other], spans.last[other]) != (spans.first[form], spans.last[form])
    ]


def _parts(column: Column, form: str, fraction: float) -> tuple[list[DatePart], int]:
    """Return the parts of a date, and the number of columns for them."""
    parts: list[DatePart] = ["days"]
    encoded = 1
    if column.has_all:
        texts = list(column.values)
        moments = column.dates.read(pa.array(texts, pa.string()), form)
        rows = np.array([*column.values.values()])
        known = moments != GAP
        few = rows_needed(12, fraction)
        # The weekdays of dates that are a month or a year apart say nothing.
        gaps = np.diff(np.unique(moments[known] // 86_400))
        usual_gap = float(np.median(gaps)) if len(gaps) else math.inf
        wanted: tuple[tuple[DatePart, int, float], ...] = (("month", 12, 92), ("weekday", 7, 6))
        for part, size, largest_gap in wanted:
            values = part_of(moments[known], part, "seconds")
            counts = np.bincount(values, weights=rows[known], minlength=size + 1)[1:]
            # A month that no training row has would be refused later.
            spans_enough = np.ptp(moments[known]) > 2 * 365 * 86_400 or part == "weekday"
            if usual_gap <= largest_gap and spans_enough and counts.min() >= few:
                parts.append(part)
                encoded += size - 1
        if column.dates.has_clock and len(np.unique(moments[known] // 3600 % 24)) > 1:
            parts.append("hour")
            encoded += 1
    return parts, encoded
