"""The rows of a user's Parquet files, read where they are and divided into the two sides."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from pipeline.compute.draws import Division, DrawnDivision, Side
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
        names = None if names is None else (*names, *self.division.columns)
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

    of_pieces: rows of each side, by the name of the part and the first row group of the piece; if
    the rows' places say the side, all are of one.
    """

    rows: int
    of_pieces: Mapping[tuple[str, int], Mapping[Side, int]]
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
    pieces = pieces_of(parts, division, nothing)
    kept = Kept(0, {}, {})
    if parts[0].typing.can_drop or division.columns:
        kept = reduced(pieces, counted, kept, pool, "counting rows")
    tasks, before = [], nothing
    for task in pieces:
        fragment = task.fragment
        assert isinstance(fragment, SourceRows)
        all_rows: Mapping[Side, int] = {"train": task.rows}
        rows = kept.of_pieces.get((fragment.part.name, task.row_groups.start), all_rows)
        if isinstance(division, DrawnDivision):
            number = sum(rows.values())
            test = division.test_rows(sum(before.values()), number)
            rows = {"train": number - test, "test": test}
        if number := sum(rows.values()):
            fragment = replace(fragment, before=before)
            tasks.append(Task(fragment, task.row_groups, number))
        before = {side: before[side] + rows.get(side, 0) for side in before}
    return Source(tuple(tasks), before, dict(kept.dropped))


def pieces_of(
    parts: Sequence[RawPart], division: Division, before: Mapping[Side, int]
) -> list[Task]:
    """Return a task for each piece, with all its rows. before: see SourceRows."""
    return [
        Task(SourceRows(small, piece, division, before), piece.groups, piece.rows)
        for part in parts
        for small, piece in part.pieces()
    ]


def counted(fragment: Fragment, row_groups: range) -> Kept:
    """Return the numbers of rows of a piece. Raises UserError if it cannot be read."""
    assert isinstance(fragment, SourceRows)
    division, rows = fragment.division, Counter[Side]()

    def note(block: pa.Table) -> None:
        if isinstance(division, DrawnDivision):
            rows["train"] += block.num_rows
        else:
            rows.update({side: part.num_rows for side, part in division.sides(block, 0).items()})

    dropped = fragment.part.each(fragment.piece, division.columns, note)
    return Kept(fragment.piece.rows, {(fragment.part.name, row_groups.start): rows}, dropped)
