"""Held-out rows and folds in time: later days test what earlier days have trained."""

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.summary import FoldPlaces
from pipeline.compute.draws import Side
from pipeline.compute.groups import nearest
from pipeline.compute.value_counts import Days, Integers, ValueCounts
from pipeline.tables.table import array


@dataclass(frozen=True)
class HeldOutDays:
    """A division of rows in time: the rows of the day `first` and later ones are held out.

    Rows of the `gap` days before it are on neither side.
    """

    days: Days
    first: int
    gap: int

    @property
    def columns(self) -> tuple[str, ...]:
        """See Division.columns."""
        return (self.days.column,)

    @property
    def identity(self) -> str:
        """See Division.identity."""
        return repr(self)

    def sides(self, rows: pa.Table, _before: int) -> dict[Side, pa.Table]:
        """See Division.sides."""
        days = self.days.of(rows)
        is_training, is_test = days < self.first - self.gap, days >= self.first
        return {
            "train": rows.filter(array(is_training, pa.bool_())),
            "test": rows.filter(array(is_test, pa.bool_())),
        }


def first_held_out(days: ValueCounts, share: float) -> int:
    """Return the index of the first day that is held out, of at least two days.

    The latest days are held out until their rows come nearest to the share; of two choices that are
    as near, the smaller one. At least one day is held out, and one is not.
    """
    _, counts = days.known
    return len(counts) - 1 - nearest(np.cumsum(counts[::-1])[:-1], share * days.rows)


@dataclass(frozen=True, eq=False)
class DayFolds:
    """Folds in time. first: the first day of each part but the first one, ascending.

    places: which parts train and which test in each fold.
    """

    days: Days
    first: Integers
    places: tuple[FoldPlaces, ...]

    @property
    def parts(self) -> int:
        """See FoldsOfRows.parts."""
        return len(self.first) + 1

    @cached_property
    def identity(self) -> str:
        """See FoldsOfRows.identity."""
        return repr((self.days, self.first.tolist(), self.places))

    def of(self, rows: pa.Table, _before: int) -> NDArray[np.uint8]:
        """See FoldsOfRows.of."""
        return np.searchsorted(self.first, self.days.of(rows), "right").astype(np.uint8)


def blocks(days: ValueCounts, number: int) -> list[int]:
    """Return the index of the first day of each block: days divided into `number` blocks.

    There are at least `number` days. Each block but the last ends where the rows until then come
    nearest to its share of all rows; each has at least one day.
    """
    _, counts = days.known
    ends = np.cumsum(counts)
    first = [0]
    for block in range(1, number):
        low, high = first[-1] + 1, len(counts) - (number - block)
        wanted = days.rows * block / number
        first.append(low + nearest(ends[low - 1 : high], wanted))
    return first


def in_time(column: Days, days: ValueCounts, number: int, gap: int) -> DayFolds:
    """Return folds of at least `number` + 1 days, which are divided into as many blocks.

    Each block but the first is tested by a fit to the days before it and before the gap. A fold may
    have no such day. The parts are the days between the beginnings of blocks and of gaps.
    """
    values, _ = days.known
    tested = values[blocks(days, number + 1)][1:].tolist()
    # A part begins with a day that has rows, so that none is empty.
    wanted = {begin - left for begin in tested for left in (0, gap)}
    known = np.unique(values[np.searchsorted(values, sorted(wanted))])
    first = known[known > values[0]]
    bounds = [int(values[0]), *first.tolist()]
    tested.append(int(values[-1]) + 1)
    places = []
    for begin, end in itertools.pairwise(tested):
        test = [place for place, day in enumerate(bounds) if begin <= day < end]
        training = [place for place, day in enumerate(bounds) if day < begin - gap]
        places.append(FoldPlaces(tuple(test), tuple(training)))
    return DayFolds(column, first, tuple(places))
