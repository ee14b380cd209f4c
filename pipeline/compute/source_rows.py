"""The rows of a user's Parquet files, read where they are and divided into the two sides."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from pipeline.compute.draws import Side, uniform
from pipeline.compute.mapping import TASKS_FOR_THREAD, Task
from pipeline.compute.summarize import Rows
from pipeline.tables import held_out
from pipeline.tables.parquet_file import Piece
from pipeline.tables.parts import LARGEST_PIECE_ROWS, SMALLEST_PIECE_ROWS, Part

DRAWN_AT_A_TIME = 1 << 20


@dataclass(frozen=True)
class Division:
    """How rows are divided: `data.test_fraction` of them are test rows, chosen by the seed."""

    seed: int
    fraction: float

    def test_rows(self, before: int, rows: int) -> int:
        """Return how many of some rows are test rows. before: number of rows before these."""
        if self.fraction == 0:
            return 0
        return sum(
            int(np.count_nonzero(self._draws(begin, min(DRAWN_AT_A_TIME, before + rows - begin))))
            for begin in range(before, before + rows, DRAWN_AT_A_TIME)
        )

    def sides(self, rows: pa.Table, before: int) -> dict[Side, pa.Table]:
        """Return the rows of each side. before: number of rows before these."""
        if self.fraction == 0:
            return {"train": rows}
        train, test = held_out.parted(rows, self._draws(before, rows.num_rows))
        return {"train": train, "test": test}

    def _draws(self, before: int, rows: int) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        return uniform(self.seed, "split", before, rows) < self.fraction


@dataclass(frozen=True)
class SourceRows:
    """A piece of a part. before: numbers of kept rows of each side before it."""

    part: Part
    piece: Piece
    division: Division
    before: Mapping[Side, int]

    def read(self, row_groups: Iterable[int], names: Sequence[str] | None = None) -> Iterator[Rows]:
        """See Fragment.read. row_groups: all of the piece. names: of the columns; None: all."""
        assert row_groups == self.piece.groups
        places = dict(self.before)
        for block in self.part.read(self.piece, names):
            for side, rows in self.division.sides(block, sum(places.values())).items():
                if rows.num_rows:
                    yield Rows(rows, side, places[side])
                    places[side] += rows.num_rows


@dataclass(frozen=True)
class Source:
    """The pieces of a table with rows that are kept.

    rows: number of kept rows of each side. dropped: rows that are left out, by the first column
    whose value is missing.
    """

    tasks: tuple[Task, ...]
    rows: dict[Side, int]
    dropped: dict[str, int]

    @property
    def fragments(self) -> list[SourceRows]:
        """The pieces."""
        return [task.fragment for task in self.tasks if isinstance(task.fragment, SourceRows)]


def divided(parts: Sequence[Part], division: Division, executor: Executor, workers: int) -> Source:
    """Divide a table into pieces, of which the rows that are kept are counted.

    Raises UserError if a part cannot be read.
    """
    rows = sum(part.file.rows for part in parts)
    wanted = rows // (workers * TASKS_FOR_THREAD)
    wanted = min(max(wanted, SMALLEST_PIECE_ROWS), LARGEST_PIECE_ROWS)
    pieces = [piece for part in parts for piece in part.pieces(wanted)]
    tasks, dropped = [], dict[str, int]()
    before: dict[Side, int] = {"train": 0, "test": 0}
    for (part, piece), (kept, left_out) in zip(pieces, executor.map(_kept, pieces), strict=True):
        for name, number in left_out.items():
            dropped[name] = dropped.get(name, 0) + number
        test = division.test_rows(sum(before.values()), kept)
        if kept:
            fragment = SourceRows(part, piece, division, dict(before))
            tasks.append(Task(fragment, piece.groups, kept))
        before = {"train": before["train"] + kept - test, "test": before["test"] + test}
    return Source(tuple(tasks), before, dropped)


def _kept(piece: tuple[Part, Piece]) -> tuple[int, dict[str, int]]:
    part, rows = piece
    return part.kept(rows)
