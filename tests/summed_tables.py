"""A table in memory whose row groups are as small as a test likes, and its sums."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import Plan, RowCounts
from pipeline.columns.summary import SampleRows
from pipeline.compute import written
from pipeline.compute.draws import SAMPLED_ROWS, DrawnFolds, Draws, Side
from pipeline.compute.mapping import Task, reduced, tasks_of
from pipeline.compute.pool import Pool
from pipeline.compute.summarize import Fragment, Layout, Partial, Rows, no_rows, summarize

ROWS = 1_000


@dataclass(frozen=True)
class RowsInMemory:
    """Rows from `make_rows`, in groups of `size`."""

    size: int
    side: Side = "train"
    file: Path | None = None

    def read(self, row_groups: Iterable[int]) -> Iterator[Rows]:
        """See Fragment.read."""
        table = make_rows()
        for group in row_groups:
            yield Rows(table.slice(group * self.size, self.size), self.side, group * self.size)

    def rows_of_groups(self) -> list[int]:
        """Return the number of rows of each row group."""
        return [min(self.size, ROWS - at) for at in range(0, ROWS, self.size)]


def make_rows() -> pa.Table:
    """Return ROWS rows of numbers of all sizes, in columns a and y."""
    numbers = np.random.default_rng(0)
    columns = numbers.standard_normal((2, ROWS)) * 2.0 ** numbers.integers(-30, 30, (2, ROWS))
    return pa.table({"a": pa.array(columns[0]), "y": pa.array(columns[1])})


def layout() -> Layout:
    """Return the layout of the rows: one feature and one target in three folds."""
    counts = RowCounts(source=ROWS, dropped={}, training=ROWS, test=0)
    column = NumberColumn(name="a", missing_rows=0, fill=None, indicator=False, min=-1.0, max=1.0)
    plan = Plan(rows=counts, excluded=(), columns=(column,))
    # Of so many rows a fifth is drawn into the sample.
    return Layout(
        plan, ("y",), Draws(0, DrawnFolds(0, 3), {"train": 5 * SAMPLED_ROWS["train"], "test": 0}, 2)
    )


def tasks(size: int, threads: int) -> list[Task]:
    """Return the tasks of the rows in groups of `size`."""
    rows = RowsInMemory(size)
    return tasks_of(rows, rows.rows_of_groups(), threads)


def summed(pool: Pool | None, size: int = 10) -> Partial:
    """Return what is known of the rows in groups of `size`."""
    work = partial(summarize, layout=layout())
    divided = tasks(size, pool.threads if pool else 1)
    return reduced(divided, work, no_rows(layout(), make_rows().schema), pool)


def inner_products(known: Partial) -> list[object]:
    """Return the inner products of each part, and the ranges: in whatever way they are held."""
    return [
        (part.smallest, part.largest, part.gram.inner_product(i, j))
        for part in known.parts
        for i in range(3)
        for j in range(3)
    ]


def sample_of(known: Partial) -> str:
    """Return the rows of the sample and the extreme ones, which are not all rows."""
    drawn = known.sampled["train"].in_order()
    assert 0 < drawn.num_rows < ROWS
    return str([*drawn.to_pylist(), *known.extremes.rows.in_order().to_pylist()])


def content(known: Partial) -> bytes:
    """Return the bytes of the summary, and the rows of the sample."""
    counts = SampleRows(known.sampled["train"].in_order().num_rows, 0, 0)
    summary = written.summary_of(known, layout(), make_rows().schema, counts)
    return summary.as_bytes() + sample_of(known).encode()


def count(fragment: Fragment, row_groups: range) -> Partial:
    """Sum up rows: a work that another process can import."""
    return summarize(fragment, row_groups, layout())
