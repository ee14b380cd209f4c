"""The clusters of rows that `data.clusters` names: their number, and the cluster of each row."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.compute.value_counts import MOST_VALUES, Groups, Integers, ValueCounts
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, show
from pipeline.tables import row_groups


@dataclass(frozen=True)
class Clusters:
    """The clusters of the training rows. hashes: of their values, sorted: [clusters]."""

    column: Groups
    hashes: Integers

    @property
    def number(self) -> int:
        """The number of clusters."""
        return len(self.hashes)

    def of(self, rows: pa.Table) -> NDArray[np.int64]:
        """Return the index of the cluster of each training row: [rows]."""
        return np.searchsorted(self.hashes, self.column.of(rows)).astype(np.int64)


def of_table(path: Path, name: str) -> Clusters:
    """Return the clusters of the rows of a table that the pipeline wrote. name: of the column.

    Raises UserError if all rows are of one cluster, or if there are too many clusters.
    """
    column = Groups(name, 0, "clusters")
    blocks = row_groups.column(path, name)
    counted = ValueCounts.of_blocks(column.of(pa.table({name: values})) for values in blocks)
    rows, values = count(counted.rows, "training row", ","), counted.values
    if values is None:
        raise UserError(
            f"data.clusters: found more than {MOST_VALUES:,} different values of {show(name)} in"
            f" {rows}; so many clusters are hardly other than single rows, whose errors are"
            " std_error_hc1: set it to null, or name a column with fewer values"
        )
    if len(values) == 1:
        raise UserError(
            f"data.clusters: found one value of {show(name)} in all {rows}; within one cluster"
            " nothing shows how clusters differ: name a column with more values, or set it to null"
        )
    return Clusters(column, values)


def check(path: Path, name: str, *, are_frequencies: bool) -> None:
    """Check the clusters while the table is prepared, and say if each has one row.

    are_frequencies: True if rows stand for several equal ones, which are a cluster.
    Raises UserError as `of_table`.
    """
    with row_groups.opened(path) as file:
        rows = file.metadata.num_rows
    if rows and of_table(path, name).number == rows and not are_frequencies:
        print(
            f"note: data.clusters: each training row has a value of {show(name)} of its own, so"
            " that std_error_clustered is std_error_hc1; a column whose values repeat says which"
            " rows belong together",
            file=sys.stderr,
        )
