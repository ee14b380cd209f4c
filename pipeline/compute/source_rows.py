"""The rows of a user's Parquet files, read where they are and divided into the two sides."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pipeline.compute.draws import Division, Side
from pipeline.compute.mapping import Task, reduced
from pipeline.compute.pool import Pool
from pipeline.compute.summarize import Fragment, Rows
from pipeline.tables.parquet_file import Piece
from pipeline.tables.raw_parts import RawPart


@dataclass(frozen=True)
class SourceRows:
    """A piece of a part. before: numbers of kept rows of each side before it."""

    part: RawPart
    piece: Piece
    division: Division
    before: Mapping[Side, int]

    @property
    def file(self) -> Path | None:
        """See Fragment.file."""
        path = self.part.file.path
        return path if isinstance(path, Path) else None

    def read(
        self, row_groups: Iterable[int], names: Collection[str] | None = None
    ) -> Iterator[Rows]:
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
    """The pieces of a table that have rows, without the rows that are left out.

    rows: number of rows of each side. dropped: rows that are left out, by the first column whose
    value is missing.
    """

    tasks: tuple[Task, ...]
    rows: dict[Side, int]
    dropped: dict[str, int]


@dataclass(frozen=True)
class Kept:
    """Numbers of rows of some pieces. rows: with the rows that are left out, `dropped`.

    of_pieces: rows without them, by the name of the part and the first row group of the piece.
    """

    rows: int
    of_pieces: Mapping[tuple[str, int], int]
    dropped: Mapping[str, int]

    def __add__(self, other: "Kept") -> "Kept":
        """Return the numbers of the pieces of both."""
        dropped = dict(Counter(self.dropped) + Counter(other.dropped))
        return Kept(self.rows + other.rows, {**self.of_pieces, **other.of_pieces}, dropped)


def divided(parts: Sequence[RawPart], division: Division, pool: Pool) -> Source:
    """Divide a table into pieces, of which the rows that are kept are counted.

    Raises UserError if a part cannot be read.
    """
    nothing: dict[Side, int] = {"train": 0, "test": 0}
    pieces = [
        Task(SourceRows(small, piece, division, nothing), piece.groups, piece.rows)
        for part in parts
        for small, piece in part.pieces()
    ]
    kept = Kept(0, {}, {})
    if parts[0].typing.can_drop:
        kept = reduced(pieces, counted, kept, pool, "counting rows")
    tasks, before = [], nothing
    for task in pieces:
        fragment = task.fragment
        assert isinstance(fragment, SourceRows)
        number = kept.of_pieces.get((fragment.part.name, task.row_groups.start), task.rows)
        test = division.test_rows(sum(before.values()), number)
        if number:
            fragment = replace(fragment, before=before)
            tasks.append(Task(fragment, task.row_groups, number))
        before = {"train": before["train"] + number - test, "test": before["test"] + test}
    return Source(tuple(tasks), before, dict(kept.dropped))


def counted(fragment: Fragment, row_groups: range) -> Kept:
    """Return the numbers of rows of a piece. Raises UserError if it cannot be read."""
    assert isinstance(fragment, SourceRows)
    rows, dropped = fragment.part.kept(fragment.piece)
    return Kept(fragment.piece.rows, {(fragment.part.name, row_groups.start): rows}, dropped)
