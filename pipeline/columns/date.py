"""A column of dates, in UTC: its parts are integers, of which month and weekday are levels."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.column import (
    Bools,
    EmptyColumnError,
    LearntColumn,
    Times,
    Values,
    added,
)
from pipeline.settings.keys.column_settings import DatePart, DateSettings
from pipeline.tables import table
from pipeline.tables.date_texts import GAP, SECONDS_PER_DAY

__all__ = ["GAP", "SECONDS_PER_DAY", "DateColumn", "from_integers", "integers", "part_of"]

LEVEL_PARTS: tuple[DatePart, ...] = ("month", "weekday")


@dataclass(frozen=True)
class DateStatistics:
    """What the plan is learnt from: of a block, or of several, which add exactly.

    missing: number of rows with a gap. smallest, largest: None without a date.
    levels: for month and weekday the number of rows of each value.
    """

    missing: int = 0
    smallest: int | None = None
    largest: int | None = None
    levels: Mapping[DatePart, Mapping[int, int]] = field(default_factory=dict)

    @classmethod
    def of(
        cls, settings: DateSettings, values: Values, times: Times | None = None
    ) -> "DateStatistics":
        """Return the statistics of a block. values: [rows], null for a gap. times: see Times."""
        unit = _unit(settings)
        moments = integers(values, unit)
        times = np.ones(len(moments), np.int64) if times is None else times
        is_known = moments != GAP
        known, own, missing = moments[is_known], times[is_known], int(times[~is_known].sum())
        if not len(known):
            return cls(missing=missing)
        levels = {}
        for part in settings.parts:
            if part in LEVEL_PARTS:
                present, places = np.unique(part_of(known, part, unit), return_inverse=True)
                rows = added(places, own, len(present))
                levels[part] = dict(zip(present.tolist(), rows, strict=True))
        return cls(missing, int(known.min()), int(known.max()), levels)

    def __add__(self, other: "DateStatistics") -> "DateStatistics":
        """Return the statistics of the rows of both."""
        if self.smallest is None or self.largest is None:
            return replace(other, missing=self.missing + other.missing)
        if other.smallest is None or other.largest is None:
            return replace(self, missing=self.missing + other.missing)
        return DateStatistics(
            self.missing + other.missing,
            min(self.smallest, other.smallest),
            max(self.largest, other.largest),
            {
                part: Counter(rows) + Counter(other.levels[part])
                for part, rows in self.levels.items()
            },
        )


def _unit(settings: DateSettings) -> Literal["days", "seconds"]:
    return "seconds" if "hour" in settings.parts else "days"


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
    def learnt(cls, name: str, settings: DateSettings, of_rows: "DateStatistics") -> "DateColumn":
        """Return the column that the statistics of the training rows give.

        Raises EmptyColumnError if every value is missing.
        """
        if of_rows.smallest is None or of_rows.largest is None:
            raise EmptyColumnError
        levels = {part: tuple(sorted(rows)) for part, rows in of_rows.levels.items()}
        return cls(
            name=name,
            missing_rows=of_rows.missing,
            unit=_unit(settings),
            parts=settings.parts,
            levels=levels,
            references={
                # The first of the most frequent ones.
                part: max(values, key=lambda value, part=part: of_rows.levels[part][value])  # type: ignore[misc]
                for part, values in levels.items()
            },
            min=of_rows.smallest,
            max=of_rows.largest,
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

    def unseen_parts(self, of_rows: "DateStatistics") -> dict[DatePart, dict[int, int]]:
        """Return the months and weekdays that no training row has, with their numbers of rows."""
        unseen = {
            part: {value: rows for value, rows in sorted(present.items()) if value not in known}
            for part, known in self.levels.items()
            if (present := of_rows.levels.get(part, {}))
        }
        return {part: values for part, values in unseen.items() if values}


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
