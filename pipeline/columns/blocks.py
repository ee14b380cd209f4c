"""Encoded tables, block by block: what is in memory does not grow with the rows."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.columns.plan import Plan
from pipeline.tables import row_groups, table
from pipeline.tables.table import Table


def blocks(
    path: Path, plan: Plan, targets: Sequence[str], groups: Sequence[int] | None = None
) -> Iterator[Table]:
    """Yield the rows of a table of `generate` in blocks, encoded as by `plan.read_table`.

    groups: the row groups to read, in that order; None: all. A block is one row group, or several
    small ones with at most as many rows as `generate` gives a group.
    Raises UserError if the file is missing or damaged.
    """
    with row_groups.opened(path) as file:
        group_rows = row_groups.sizes_of(file)
        chosen = range(len(group_rows)) if groups is None else groups
        for part in row_groups.joined(chosen, group_rows):
            # One thread: the callers have threads of their own.
            yield encoded(file.read_row_groups(part, use_threads=False), plan, targets)


def encoded(rows: pa.Table, plan: Plan, targets: Sequence[str]) -> Table:
    """Return typed raw rows as numbers: the encoded columns, then the targets.

    rows: the features and the targets, with the columns and types of data/train.parquet.
    """
    float32 = frozenset(field.name for field in rows.schema if field.type == pa.float32())
    if plan.is_matrix:
        return Table(tuple(rows.column_names), table.matrix(rows), float32)
    features = plan.encoded_names
    values = np.empty((rows.num_rows, len(features) + len(targets)), order="F")
    plan.encode_into(values[:, : len(features)], rows.column)
    for index, name in enumerate(targets, len(features)):
        values[:, index] = table.numbers(rows.column(name))
    return Table((*features, *targets), values, float32, plan.exact_names)
