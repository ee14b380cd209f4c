"""A column of dates, in UTC: its parts are integers, of which month and weekday are levels."""

import math
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.column import Bools, EmptyColumnError, LearntColumn, Values
from pipeline.settings.column_settings import DatePart, DateSettings
from pipeline.tables import table
from pipeline.tables.date_texts import GAP, SECONDS_PER_DAY

__all__ = ["GAP", "SECONDS_PER_DAY", "DateColumn", "from_integers", "integers", "part_of"]

LEVEL_PARTS: tuple[DatePart, ...] = ("month", "weekday")


class DateColumn(LearntColumn):
    """A column of dates."""

    arrow_types = (pa.date32(), pa.timestamp("s"))

    kind: Literal["date"] = "date"
    unit: Literal["days", "seconds"]
    """What the integers of the column count since 1970-01-01: seconds if the hour is a part."""
    parts: tuple[DatePart, ...]
    levels: dict[DatePart, tuple[int, ...]]
    """The values of month and of weekday in the training rows, sorted."""
    references: dict[DatePart, int]
    """The value of each without a number of its own: the most frequent one."""
    min: int
    max: int

    @classmethod
    def learn(cls, name: str, settings: DateSettings, values: Values) -> "DateColumn":
        """Learn from the training rows. values: [rows], null for a gap.

        Raises EmptyColumnError if every value is missing.
        """
        unit: Literal["days", "seconds"] = "seconds" if "hour" in settings.parts else "days"
        moments = integers(values, unit)
        known = moments[moments != GAP]
        if not len(known):
            raise EmptyColumnError
        levels, references = {}, {}
        for part in settings.parts:
            if part in LEVEL_PARTS:
                present, counts = np.unique(part_of(known, part, unit), return_counts=True)
                levels[part] = tuple(present.tolist())
                references[part] = int(present[counts.argmax()])
        return cls(
            name=name,
            missing_rows=len(moments) - len(known),
            unit=unit,
            parts=settings.parts,
            levels=levels,
            references=references,
            min=int(known.min()),
            max=int(known.max()),
        )

    @property
    def encoded_names(self) -> tuple[str, ...]:
        """See LearntColumn.encoded_names."""
        return tuple(
            f"{self.name}[{part}]" if level is None else f"{self.name}[{part}={level}]"
            for part, level in self.numbers()
        )

    def numbers(self) -> Iterator[tuple[DatePart, int | None]]:
        """Yield the part of each encoded number, and the level that it stands for, if any."""
        for part in self.parts:
            if part not in LEVEL_PARTS:
                yield part, None
            else:
                for level in self.levels[part]:
                    if level != self.references[part]:
                        yield part, level

    @property
    def takes_gaps(self) -> bool:
        """See LearntColumn.takes_gaps."""
        return False

    def count_gaps(self, values: Values) -> int:
        """See LearntColumn.count_gaps."""
        return int(values.null_count)

    def encode(self, values: Values, out: NDArray[np.float64]) -> Bools:
        """See LearntColumn.encode."""
        moments = integers(values, self.unit)
        refused: Bools = moments == GAP
        moments = np.where(refused, 0, moments)
        parts = {part: part_of(moments, part, self.unit) for part in self.parts}
        for part, levels in self.levels.items():
            refused |= ~np.isin(parts[part], levels)
        for place, (part, level) in enumerate(self.numbers()):
            out[:, place] = parts[part] if level is None else parts[part] == level
        out[refused] = math.nan
        return refused

    def in_range(self, values: Values) -> Bools:
        """See LearntColumn.in_range."""
        moments = integers(values, self.unit)
        inside: Bools = (moments >= self.min) & (moments <= self.max)
        return inside

    def unseen_parts(self, values: Values) -> dict[DatePart, dict[int, int]]:
        """Return the months and weekdays that no training row has, with their numbers of rows."""
        moments = integers(values, self.unit)
        unseen: dict[DatePart, dict[int, int]] = {}
        for part, levels in self.levels.items():
            of_rows = part_of(moments[moments != GAP], part, self.unit)
            present, rows = np.unique(of_rows[~np.isin(of_rows, levels)], return_counts=True)
            if len(present):
                unseen[part] = dict(zip(present.tolist(), rows.tolist(), strict=True))
        return unseen


def integers(values: Values, unit: Literal["days", "seconds"]) -> NDArray[np.int64]:
    """Return dates as whole days or seconds since 1970-01-01, GAP for a missing one: [rows]."""
    whole = table.one_chunk(values)
    if unit == "days" and pa.types.is_timestamp(whole.type):
        moments = table.integers(whole.fill_null(0)) // SECONDS_PER_DAY
    elif unit == "days":
        moments = table.integers(whole.cast(pa.int32()).fill_null(0))
    else:
        moments = table.integers(whole.cast(pa.timestamp("s")).fill_null(0))
    return np.where(table.bools(whole.is_null()), GAP, moments)


def from_integers(moments: NDArray[np.int64], unit: Literal["days", "seconds"]) -> pa.Array:
    """Return whole days or seconds since 1970-01-01 as dates, null for GAP: [rows]."""
    kind, numbers = (pa.date32(), "i4") if unit == "days" else (pa.timestamp("s"), "i8")
    known = moments != GAP
    return table.array(np.where(known, moments, 0).astype(numbers), kind, known)


def part_of(
    moments: NDArray[np.int64], part: DatePart, unit: Literal["days", "seconds"]
) -> NDArray[np.int64]:
    """Return a part of each moment, in the proleptic Gregorian calendar: [rows]."""
    days = moments if unit == "days" else moments // SECONDS_PER_DAY
    if part == "days":
        return days
    if part == "weekday":
        return (days + 3) % 7 + 1  # 1970-01-01 was a Thursday
    if part == "hour":
        return moments // 3600 % 24
    months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    return months // 12 + 1970 if part == "year" else months % 12 + 1
