"""A column of categories: a column of 0 and 1 for each level except the reference."""

import difflib
import hashlib
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from pipeline.columns.column import (
    Bools,
    EmptyColumnError,
    LearntColumn,
    Times,
    Values,
    added,
)
from pipeline.settings import terminal
from pipeline.settings.keys.column_settings import CategorySettings
from pipeline.settings.messages import first_of, show
from pipeline.tables import table
from pipeline.tables.typed_values import dictionary

MISSING, RARE = "(missing)", "(rare)"
MOST_LEVELS = 40
"""Levels without `min_count` or `unseen`."""
MOST_LEVELS_AT_ALL = 1_000
"""A model of more columns takes minutes to fit exactly, and its file megabytes."""
MOST_TEXTS = 1_000_000
"""Different texts that are counted, in some 150 MB; what has more is no category."""


class TooManyLevelsError(Exception):
    """More levels than a column may have without a policy for rare or new ones."""

    def __init__(self, levels: int, rows: int) -> None:
        """rows: the training rows that have a level."""
        super().__init__(levels, rows)
        self.levels, self.rows = levels, rows

    @property
    def is_label(self) -> bool:
        """True if nearly every row has a level of its own."""
        return self.levels > 0.8 * self.rows


class TooManyTextsError(Exception):
    """More than MOST_TEXTS different texts, which no policy makes levels of."""


class LevelError(Exception):
    """A level that is not there, or has the name of another; the text follows the column's name."""


@dataclass(frozen=True)
class CategoryStatistics:
    """What the plan is learnt from: of a block, or of several, which add exactly.

    missing: number of rows with a gap. levels: number of rows of each text.
    uncounted: of a column with more than MOST_TEXTS texts, whose `levels` are empty, number of rows
    without a gap; else 0.
    """

    missing: int = 0
    levels: Mapping[str, int] = field(default_factory=dict)
    uncounted: int = 0

    @classmethod
    def of(
        cls, _settings: CategorySettings, values: Values, times: Times | None = None
    ) -> "CategoryStatistics":
        """Return the statistics of a block. values: [rows], "" for a gap. times: see Times."""
        if times is None:
            counted = values.value_counts()
            texts, rows = counted.field("values").to_pylist(), counted.field("counts").to_pylist()
        else:
            indices, uniques = dictionary(values)
            texts, rows = uniques.to_pylist(), added(table.integers(indices), times, len(uniques))
        levels = dict(zip(texts, rows, strict=True))
        return cls(levels.pop("", 0), levels)

    def __add__(self, other: "CategoryStatistics") -> "CategoryStatistics":
        """Return the statistics of the rows of both; levels in the order of their first rows."""
        missing, uncounted = self.missing + other.missing, self.uncounted + other.uncounted
        levels: dict[str, int] = {}
        if not uncounted:
            levels |= self.levels
            for level, rows in other.levels.items():
                levels[level] = levels.get(level, 0) + rows
            if len(levels) <= MOST_TEXTS:
                return CategoryStatistics(missing, levels)
        uncounted += sum(self.levels.values()) + sum(other.levels.values())
        return CategoryStatistics(missing, {}, uncounted)


class Level(BaseModel):
    """A level, and the number of training rows that have it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    rows: int


class CategoryColumn(LearntColumn):
    """A column of categories."""

    arrow_types = (pa.string(),)

    kind: Literal["category"] = "category"
    levels: tuple[Level, ...]
    """Sorted by the bytes of their names; without (missing) and (rare)."""
    reference: str
    """The level without a number of its own; may be (missing) or (rare)."""
    unseen: Literal["refuse", "reference", "rare"]
    has_missing: bool
    """True if a gap is the level (missing); else it is refused."""
    rare_rows: int
    """Training rows whose level was folded into (rare)."""

    @classmethod
    def learnt(
        cls, name: str, settings: CategorySettings, of_rows: "CategoryStatistics"
    ) -> "CategoryColumn":
        """Return the column that the statistics of the training rows give.

        Raises EmptyColumnError if every value is missing, TooManyTextsError, TooManyLevelsError,
        and LevelError for a reference that is no level and for a level with the name of another.
        """
        if of_rows.uncounted:
            raise TooManyTextsError
        counts, missing_rows = of_rows.levels, of_rows.missing
        rows = sum(counts.values()) + missing_rows
        if not counts and not (settings.missing == "level" and missing_rows):
            raise EmptyColumnError
        unseen = settings.unseen_or_default
        kept = {level: n for level, n in counts.items() if n >= (settings.min_count or 1)}
        if len(kept) > (MOST_LEVELS if unseen == "refuse" else MOST_LEVELS_AT_ALL):
            raise TooManyLevelsError(len(kept), rows - missing_rows)
        rare_rows = sum(counts.values()) - sum(kept.values())
        all_levels = dict(sorted(kept.items(), key=lambda item: item[0].encode()))
        for special, is_made in ((MISSING, settings.missing == "level"), (RARE, unseen == "rare")):
            if is_made and special in kept:
                raise LevelError(
                    f"has {show(special)} as a text, which is also the name of the level for"
                    f" {'gaps' if special == MISSING else 'rare levels'}; change that text in the"
                    " file"
                )
        if settings.missing == "level":
            all_levels[MISSING] = missing_rows
        if unseen == "rare":
            all_levels[RARE] = rare_rows
        reference = settings.reference
        if reference is None:
            reference = max(all_levels, key=lambda level: all_levels[level])
        elif reference not in all_levels:
            near = difflib.get_close_matches(reference, all_levels, 1)
            hint = f"did you mean {show(near[0])}? " if near else ""
            levels = first_of([show(level) for level in all_levels], 8)
            raise LevelError(
                f"has no level {show(reference)} in the training rows, which is to be its"
                f" reference; {hint}it has {levels}"
            )
        return cls(
            name=name,
            missing_rows=missing_rows,
            levels=tuple(
                Level(name=level, rows=rows) for level, rows in all_levels.items() if level in kept
            ),
            reference=reference,
            unseen=unseen,
            has_missing=settings.missing == "level",
            rare_rows=rare_rows,
        )

    @property
    def all_levels(self) -> tuple[str, ...]:
        """The levels in order, (missing) and (rare) at the end if the column has them."""
        return (
            *(level.name for level in self.levels),
            *([MISSING] if self.has_missing else []),
            *([RARE] if self.unseen == "rare" else []),
        )

    @property
    def encoded_levels(self) -> tuple[str, ...]:
        """The levels that have a number of their own, in order."""
        return tuple(level for level in self.all_levels if level != self.reference)

    @property
    def encoded_names(self) -> tuple[str, ...]:
        """See LearntColumn.encoded_names."""
        return tuple(f"{self.name}[{label(level)}]" for level in self.encoded_levels)

    @property
    def takes_gaps(self) -> bool:
        """See LearntColumn.takes_gaps."""
        return self.has_missing

    def encode(self, values: Values, out: NDArray[np.float64]) -> Bools:
        """See LearntColumn.encode."""
        codes, _ = self._codes(values)
        # One number a row is written beside the zeros: 20 comparisons of a column take longer.
        encoded = {level: place for place, level in enumerate(self.encoded_levels)}
        places = np.array([encoded.get(level, -1) for level in self.all_levels] + [-1])[codes]
        rows = np.flatnonzero(places >= 0)
        out[:] = 0
        out[rows, places[rows]] = 1
        refused: Bools = codes < 0
        if refused.any():
            out[refused] = math.nan
        return refused

    def in_range(self, values: Values) -> Bools:
        """See LearntColumn.in_range."""
        rows = {level.name: level.rows for level in self.levels}
        rows |= {MISSING: self.missing_rows} if self.has_missing else {}
        rows |= {RARE: self.rare_rows} if self.unseen == "rare" else {}
        has_rows = np.array([rows[level] > 0 for level in self.all_levels] + [False])
        codes, unseen = self._codes(values)
        inside: Bools = has_rows[codes]
        return inside & ~unseen if self.unseen == "reference" else inside

    def unseen_levels(self, of_rows: "CategoryStatistics") -> dict[str, int]:
        """Return the levels of some rows that no training row has, and their numbers of rows."""
        known = {level.name for level in self.levels}
        unseen = {level: rows for level, rows in of_rows.levels.items() if level not in known}
        if of_rows.uncounted:
            unseen[f"more than {MOST_TEXTS:,} texts"] = of_rows.uncounted
        return unseen

    def _codes(self, values: Values) -> tuple[NDArray[np.int32], Bools]:
        """Return the index of each value in `all_levels`, −1 if it is refused; and the unseen ones.

        A value is unseen if it is a level that no training row has, or a rare one.
        """
        from pyarrow import compute  # 30 ms that no table of numbers needs

        names = table.texts([level.name for level in self.levels])
        indices = compute.index_in(values, value_set=names).fill_null(-1)
        codes = np.array(np.from_dlpack(table.one_chunk(indices)), np.int32)
        unseen: Bools = codes < 0
        if unseen.any():
            gaps = unseen & table.bools(table.one_chunk(compute.equal(values, "")))
            unseen &= ~gaps
            if self.unseen != "refuse":
                level = RARE if self.unseen == "rare" else self.reference
                codes[unseen] = self.all_levels.index(level)
            if self.has_missing:
                codes[gaps] = self.all_levels.index(MISSING)
        return codes, unseen


LONGEST_LABEL_CHARACTERS = 100


def label(level: str) -> str:
    """Return the form of a level in names: escapes for invisible characters, cut if it is long.

    A cut level ends in a part of its hash, so that two of them have two names.
    """
    text = re.sub(r"[\t\n]", lambda match: match[0].encode("unicode_escape").decode(), level)
    text = terminal.visible(text)
    if len(text) > LONGEST_LABEL_CHARACTERS:
        return f"{text[:80]}… {hashlib.sha256(level.encode()).hexdigest()[:8]}"
    return text
