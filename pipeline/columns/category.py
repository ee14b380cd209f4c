"""A column of categories: a column of 0 and 1 for each level except the reference."""

import math
from typing import Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import compute
from pydantic import BaseModel, ConfigDict

from pipeline.columns.column import Bools, LearntColumn, Values
from pipeline.settings.column_settings import CategorySettings

MISSING, RARE = "(missing)", "(rare)"
MOST_LEVELS = 40
"""Levels without `min_count` or `unseen`."""


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
    def learn(cls, name: str, settings: CategorySettings, values: Values) -> "CategoryColumn":
        """Learn from the training rows. values: [rows], "" for a gap.

        Raises ValueError, with the reason and the cure, for too many levels and a reference that is
        no level.
        """
        counts = {
            entry["values"].as_py(): entry["counts"].as_py() for entry in values.value_counts()
        }
        missing_rows = counts.pop("", 0)
        kept = {level: n for level, n in counts.items() if n >= (settings.min_count or 1)}
        unseen = settings.unseen_or_default
        rare_rows = sum(counts.values()) - sum(kept.values())
        if not counts and not (settings.missing == "level" and missing_rows):
            raise ValueError("is missing in every training row")
        if len(counts) > MOST_LEVELS and unseen == "refuse":
            raise ValueError(f"has {len(counts):,} levels")
        all_levels = dict(sorted(kept.items(), key=lambda item: item[0].encode()))
        if settings.missing == "level":
            all_levels[MISSING] = missing_rows
        if unseen == "rare":
            all_levels[RARE] = rare_rows
        reference = settings.reference
        if reference is None:
            reference = max(all_levels, key=lambda level: all_levels[level])
        elif reference not in all_levels:
            raise ValueError(f"has no level {reference!r} in the training rows, for its reference")
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
        return tuple(f"{self.name}[{level}]" for level in self.encoded_levels)

    def encode(self, values: Values, out: NDArray[np.float64]) -> Bools:
        """See LearntColumn.encode."""
        codes = self._codes(values)
        for place, level in enumerate(self.encoded_levels):
            out[:, place] = codes == self.all_levels.index(level)
        refused: Bools = codes < 0
        out[refused] = math.nan
        return refused

    def in_range(self, values: Values) -> Bools:
        """See LearntColumn.in_range."""
        rows = {level.name: level.rows for level in self.levels}
        rows |= {MISSING: self.missing_rows, RARE: self.rare_rows}
        has_rows = np.array([rows[level] > 0 for level in self.all_levels] + [False])
        codes = self._codes(values)
        if self.unseen == "reference":
            codes = np.where(self._is_unseen(values), -1, codes)
        inside: Bools = has_rows[codes]
        return inside

    def _codes(self, values: Values) -> NDArray[np.int64]:
        """Return the index of each value in `all_levels`; −1 if it is refused."""
        codes = self._indices(values)
        unseen = codes < 0
        if self.unseen != "refuse" and unseen.any():
            level = RARE if self.unseen == "rare" else self.reference
            codes[unseen] = self.all_levels.index(level)
        gaps = _is_gap(values)
        if gaps.any():
            codes[gaps] = self.all_levels.index(MISSING) if self.has_missing else -1
        return codes

    def _is_unseen(self, values: Values) -> Bools:
        unseen: Bools = (self._indices(values) < 0) & ~_is_gap(values)
        return unseen

    def _indices(self, values: Values) -> NDArray[np.int64]:
        """Return the index of each value in `levels`; −1 if it is none of them."""
        names = pa.array([level.name for level in self.levels], pa.string())
        indices = compute.index_in(values, value_set=names).fill_null(-1).cast(pa.int64())
        return _numpy(indices).copy()


def _is_gap(values: Values) -> Bools:
    return _numpy(compute.equal(values, "").cast(pa.int8())).astype(np.bool_)


def _numpy(values: Values) -> NDArray[np.int64]:
    chunks = values.chunks if isinstance(values, pa.ChunkedArray) else [values]
    # Not to_numpy: it imports pandas.
    return np.concatenate([np.from_dlpack(chunk) for chunk in chunks] or [np.empty(0, np.int64)])
