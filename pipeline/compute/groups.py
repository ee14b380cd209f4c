"""Held-out rows and folds by the values of a column: rows with an equal value stay together.

Groups come in the order of their hashes, which the seed gives, so the choice depends on no order of
the rows.
"""

import hashlib
import heapq
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.compute.draws import PartsInTurn, Side
from pipeline.compute.value_counts import Groups, Integers, ValueCounts
from pipeline.tables import held_out


@dataclass(frozen=True)
class HeldOutGroups:
    """A division of rows by groups. last: the largest hash of the groups that are held out."""

    groups: Groups
    last: int

    @property
    def columns(self) -> tuple[str, ...]:
        """See Division.columns."""
        return (self.groups.column,)

    @property
    def identity(self) -> str:
        """See Division.identity."""
        return repr(self)

    def sides(self, rows: pa.Table, _before: int) -> dict[Side, pa.Table]:
        """See Division.sides."""
        train, test = held_out.parted(rows, self.groups.of(rows) <= np.uint64(self.last))
        return {"train": train, "test": test}


def last_held_out(groups: ValueCounts, share: float) -> int:
    """Return the index of the last group that is held out, of at least two groups.

    The first groups are held out until their rows come nearest to the share; of two choices that
    are as near, the smaller one. At least one group is held out, and one is not.
    """
    _, counts = groups.known
    return nearest(np.cumsum(counts)[:-1], share * groups.rows)


def nearest(ends: NDArray[np.int64], wanted: float) -> int:
    """Return the index of the number of rows that is nearest to `wanted`: the first such one."""
    return int(np.argmin(abs(ends - wanted)))


@dataclass(frozen=True, eq=False)
class GroupFolds(PartsInTurn):
    """Folds of groups. hashes: of all groups, sorted. folds: of each group: [groups] both."""

    groups: Groups
    hashes: Integers
    folds: NDArray[np.uint8]
    number: int

    @cached_property
    def identity(self) -> str:
        """See FoldsOfRows.identity."""
        content = hashlib.sha256(self.hashes.tobytes() + self.folds.tobytes()).hexdigest()
        return f"{self.groups!r} {content}"

    def of(self, rows: pa.Table, _before: int) -> NDArray[np.uint8]:
        """See FoldsOfRows.of."""
        hashes = self.groups.of(rows)
        places = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        assert (self.hashes[places] == hashes).all(), "a group that was not counted"
        return self.folds[places]


def balanced(groups: ValueCounts, number: int) -> NDArray[np.uint8]:
    """Return the fold of each group, of at least `number` groups: [groups].

    As scikit-learn's GroupKFold: the largest group first, of equal ones that with the smaller hash,
    into the fold with the fewest rows, of equal ones the first.
    """
    _, counts = groups.known
    folds = np.empty(len(counts), np.uint8)
    smallest = [(0, fold) for fold in range(number)]
    for group in np.argsort(-counts, kind="stable").tolist():
        rows, fold = smallest[0]
        folds[group] = fold
        heapq.heapreplace(smallest, (rows + int(counts[group]), fold))
    return folds
