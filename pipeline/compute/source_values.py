"""The values by which the rows of a user's Parquet files are chosen, counted where the rows are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from pipeline.compute.draws import DrawnDivision
from pipeline.compute.mapping import reduced
from pipeline.compute.pool import Pool
from pipeline.compute.source_rows import Source, SourceRows, pieces_of
from pipeline.compute.summarize import Fragment
from pipeline.compute.value_counts import Integers, ValueCounts, Valued
from pipeline.tables.raw_parts import RawPart


@dataclass(frozen=True)
class Counted:
    """The values of a column in some rows. rows: number of rows, with those that are dropped."""

    rows: int
    values: ValueCounts

    def __add__(self, other: "Counted") -> "Counted":
        """Return the counts of the rows of both."""
        return Counted(self.rows + other.rows, self.values + other.values)


NOTHING = Counted(0, ValueCounts.of_no_rows())


def of_all_rows(parts: Sequence[RawPart], pool: Pool, column: Valued) -> ValueCounts:
    """Return the values of a column in all rows that are not dropped.

    Raises UserError if a part cannot be read.
    """
    pieces = pieces_of(parts, DrawnDivision(0, 0.0), {"train": 0, "test": 0})
    work = partial(in_piece, column=column)
    return reduced(pieces, work, NOTHING, pool, f"values of {column.column}").values


def in_piece(fragment: Fragment, row_groups: range, column: Valued) -> Counted:
    """Return the values in all rows of a piece. Raises UserError if it cannot be read."""
    assert isinstance(fragment, SourceRows)
    in_rows = in_training_rows(fragment, row_groups, column)
    return Counted(fragment.piece.rows, in_rows.values)


def of_training_rows(source: Source, pool: Pool, column: Valued) -> ValueCounts:
    """Return the values of a column in the training rows. Raises UserError as `of_all_rows`."""
    work = partial(in_training_rows, column=column)
    return reduced(source.tasks, work, NOTHING, pool, f"values of {column.column}").values


def in_training_rows(fragment: Fragment, row_groups: range, column: Valued) -> Counted:
    """Return the values in the training rows of a piece. Raises UserError as `in_piece`."""
    assert isinstance(fragment, SourceRows)
    rows = 0

    def values() -> Iterator[Integers]:
        nonlocal rows
        for block in fragment.read(row_groups, [column.column]):
            rows += block.values.num_rows
            if block.side == "train":
                yield column.of(block.values)

    counted = ValueCounts.of_blocks(values())
    return Counted(rows, counted)
