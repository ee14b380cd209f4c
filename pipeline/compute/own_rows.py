"""The pipeline's own tables, data/train.parquet and data/test.parquet, as fragments."""

from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pipeline.columns.plan import Plan
from pipeline.compute import wide
from pipeline.compute.draws import Draws, FoldsOfRows, Side
from pipeline.compute.mapping import Task, note_small_table, reduced, tasks_of, workers
from pipeline.compute.summarize import (
    Layout,
    Partial,
    Rows,
    bytes_in_thread,
    no_rows,
    summarize,
)
from pipeline.exact import cores
from pipeline.tables import row_groups as groups
from pipeline.tables import table
from pipeline.tables.table import ROWS_PER_ROW_GROUP

# To limit BLAS takes longer than to multiply so few rows.
FEW_ROWS = 4_096


@dataclass(frozen=True)
class OwnRows:
    """A table that `generate` wrote: every row group but the last has ROWS_PER_ROW_GROUP rows."""

    path: Path
    side: Side

    @property
    def file(self) -> Path:
        """See Fragment.file."""
        return self.path

    def read(self, row_groups: Iterable[int]) -> Iterator[Rows]:
        """See Fragment.read."""
        with groups.opened(self.path) as file:
            for group in row_groups:
                for rows in groups.read(file, [group], ROWS_PER_ROW_GROUP):  # one block
                    yield Rows(rows, self.side, group * ROWS_PER_ROW_GROUP)
                    del rows  # while the next ones are read, these need not be in memory


def summarized(
    paths: dict[Side, Path],
    plan: Plan,
    targets: tuple[str, ...],
    seed: int,
    folds: FoldsOfRows,
    device: str = "cpu",
) -> tuple[Partial, Layout]:
    """Sum up the training table and the test table. paths: of both. device: see `workers`."""
    rows_of = {side: groups.sizes_in(path) for side, path in paths.items()}
    counts = {side: sum(rows) for side, rows in rows_of.items()}
    columns = len(plan.encoded_names) + len(targets)
    wide.announce(columns, folds.parts)
    layout = Layout(plan, targets, Draws(seed, folds, counts, columns))
    nothing = no_rows(layout, table.schema(paths["train"]))
    work = partial(summarize, layout=layout)
    most = max(counts.values())
    if most <= ROWS_PER_ROW_GROUP:  # not worth a thread
        note_small_table()
        with cores.one_blas_thread() if most > FEW_ROWS else nullcontext():
            return reduced(tasks(paths, rows_of, 1), work, nothing, None), layout
    with workers(bytes_in_thread(columns), device) as pool:
        work = partial(summarize, layout=layout, product=pool.product)
        return reduced(tasks(paths, rows_of, pool.threads), work, nothing, pool), layout


def tasks(paths: dict[Side, Path], rows_of: dict[Side, list[int]], threads: int) -> list[Task]:
    """Divide both tables into tasks. rows_of: number of rows of each row group."""
    return [
        task
        for side, path in paths.items()
        for task in tasks_of(OwnRows(path.absolute(), side), rows_of[side], threads)
    ]
