"""Encoded tables, block by block: what is in memory does not grow with the rows."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyarrow as pa

from pipeline.columns.plan import Plan
from pipeline.columns.sample import CURE
from pipeline.settings.errors import UserError
from pipeline.tables import row_groups
from pipeline.tables.table import ROWS_PER_ROW_GROUP, Table


@dataclass(frozen=True)
class TableFile:
    """A table of `generate`, encoded by its plan block by block as it is read.

    Its methods raise UserError if the file is missing or damaged.
    """

    path: Path
    plan: Plan
    targets: tuple[str, ...]

    @cached_property
    def group_rows(self) -> list[int]:
        """The number of rows of each row group."""
        return row_groups.sizes_in(self.path)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(self.group_rows)

    @property
    def features(self) -> tuple[str, ...]:
        """The names of the encoded columns."""
        return self.plan.encoded_names

    @property
    def has_weights(self) -> bool:
        """True if rows have weights."""
        return self.plan.weights is not None

    def block_sizes(
        self, groups: Sequence[int] | None = None, rows: int = ROWS_PER_ROW_GROUP
    ) -> list[int]:
        """Return the number of rows of each block that `blocks` yields."""
        chosen = range(len(self.group_rows)) if groups is None else groups
        parts = row_groups.joined(chosen, self.group_rows, rows)
        return [
            min(rows, total - begin)
            for total in (sum(self.group_rows[group] for group in part) for part in parts)
            for begin in range(0, total, rows)
        ]

    def blocks(
        self, groups: Sequence[int] | None = None, rows: int = ROWS_PER_ROW_GROUP
    ) -> Iterator[Table]:
        """Yield the rows in blocks of at most `rows` rows.

        groups: the row groups to read, in that order; None: all. A block is one row group, several
        small ones, or a part of a larger one. Raises UserError if another file is there now.
        """
        with row_groups.opened(self.path) as file:
            if (group_rows := row_groups.sizes(file)) != self.group_rows:
                raise UserError(
                    f"{self.path}: replaced by another file while it was read (found"
                    f" {sum(group_rows):,} rows, {self.rows:,} before); {CURE}"
                )
            chosen = range(len(group_rows)) if groups is None else groups
            for part in row_groups.joined(chosen, group_rows, rows):
                for block in row_groups.read(file, part, rows):
                    yield encoded(block, self.plan, self.targets)


def encoded(rows: pa.Table, plan: Plan, targets: Sequence[str]) -> Table:
    """Return typed raw rows as numbers: the encoded columns, then the targets.

    rows: the features, the targets and the weights, as data/train.parquet has them.
    """
    names = (*plan.encoded_names, *targets)
    float32 = plan.float32(rows.schema, targets)
    weights = plan.weights_of(rows)
    return Table(names, plan.numbers(rows, targets), float32, plan.exact, weights)
