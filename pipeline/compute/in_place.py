"""A table whose rows stay where they are: its plan, its summary and its sample."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial, reduce
from operator import add

from pipeline.columns import learn, statistics
from pipeline.columns.learn import Learnable
from pipeline.columns.median import Counts, Search
from pipeline.columns.number import NumberStatistics
from pipeline.columns.statistics import CountColumn, Statistics
from pipeline.compute import written
from pipeline.compute.draws import Draws, Side
from pipeline.compute.mapping import reduced, threads
from pipeline.compute.source_rows import Division, Source, SourceRows, divided
from pipeline.compute.summarize import Layout, Partial, no_rows
from pipeline.settings import files
from pipeline.settings.column_settings import ColumnSettings, NumberSettings
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables import held_out, table
from pipeline.tables.raw_table import RawTable
from pipeline.tables.table import numbers


def write(params: Params, raw: RawTable) -> None:
    """Write both tables without rows, and what is learnt from the rows where they are.

    Raises UserError as `summarized`.
    """
    whole, layout = summarized(raw, params)
    learn.report(layout.plan)
    with table.writer(files.TRAIN, raw.row_schema), table.writer(files.TEST, raw.row_schema):
        written.write(whole, layout, raw.row_schema)
    files.write_json(files.COLUMNS, layout.plan.model_dump(mode="json"))


def summarized(raw: RawTable, params: Params) -> tuple[Partial, Layout]:
    """Sum up a table of Parquet files, whose rows stay where they are.

    If every feature is a number without gaps, the rows are read once; else first to learn the plan.
    Raises UserError if a part cannot be used, or changes while it is read.
    """
    data, seed, columns = params.data, params.seed, raw.columns
    parts = raw.parts()
    with threads() as (executor, workers):
        with _told_in_order(raw):
            source = divided(parts, Division(seed, data.test_fraction), executor, workers)
            if not source.tasks:
                raise UserError(f"data.source: found no rows in {data.source}")
        rows = source.rows
        held_out.check_sides(data.test_fraction, rows["train"], rows["test"])
        if is_matrix := all(map(_is_whole, columns.values())):
            # Ranges change no encoded number: those of the summary take their place below.
            train, test = (_ranges(columns, rows[side]) for side in ("train", "test"))
        else:
            with _told_in_order(raw):
                train, test = _statistics(source, columns, executor)
        learnable = Learnable(
            columns, train, test, _counting(source, executor), source.dropped, raw.excluded
        )
        plan = learn.plan(data, learnable)
        width = len(plan.encoded_names) + len(data.targets)
        layout = Layout(plan, data.targets, Draws(seed, data.folds, rows, width))
        with _told_in_order(raw):
            whole = reduced(source.tasks, layout, no_rows(layout, raw.row_schema), executor)
    if is_matrix:
        all_rows = reduce(add, whole.folds)
        train = _ranges(columns, all_rows.rows, all_rows.smallest, all_rows.largest)
        plan = learn.plan(data, replace(learnable, train=train))
    return whole, replace(layout, plan=plan)


@contextmanager
def _told_in_order(raw: RawTable) -> Iterator[None]:
    """Raise the message that a table has whose rows are read in order, if one cannot be used.

    Several threads meet with faults in any order, and each knows only the faults of its piece.
    """
    try:
        yield
    except UserError:
        for _ in raw.rows():
            pass
        raise  # the file has changed again, or the server answers again


def _is_whole(settings: ColumnSettings) -> bool:
    """Return True if a column is a number that is never missing."""
    return (
        isinstance(settings, NumberSettings)
        and settings.missing in ("refuse", "drop_row")
        and not settings.indicator
    )


def _ranges(
    names: Iterable[str],
    rows: int,
    smallest: Sequence[float] | None = None,
    largest: Sequence[float] | None = None,
) -> Statistics:
    """Return the statistics of columns of numbers without gaps. smallest, largest: [columns]."""
    names = [*names]
    low, high = smallest or [0.0] * len(names), largest or [0.0] * len(names)
    columns = {
        name: NumberStatistics(0, rows, low[place], high[place]) for place, name in enumerate(names)
    }
    return Statistics(rows, columns)


def _statistics(
    source: Source, columns: Mapping[str, ColumnSettings], executor: Executor
) -> tuple[Statistics, Statistics]:
    """Return the statistics of the training rows, and those of the test rows."""
    pieces = executor.map(partial(_of_piece, columns), source.fragments)
    train, test = zip(*pieces, strict=True)
    return reduce(add, train), reduce(add, test)


def _of_piece(
    columns: Mapping[str, ColumnSettings], fragment: SourceRows
) -> tuple[Statistics, Statistics]:
    of_sides: dict[Side, Statistics] = {"train": Statistics(), "test": Statistics()}
    for rows in fragment.read(fragment.piece.groups, [*columns]):
        of_sides[rows.side] += statistics.of_rows(columns, rows.values)
    return of_sides["train"], of_sides["test"]


def _counting(source: Source, executor: Executor) -> CountColumn:
    """Return what counts the numbers of a column of the training rows, for its median."""

    def count(name: str, search: Search) -> Counts:
        counts = executor.map(partial(_count_in_piece, name, search), source.fragments)
        return reduce(add, counts)

    return count


def _count_in_piece(name: str, search: Search, fragment: SourceRows) -> Counts:
    blocks = fragment.read(fragment.piece.groups, [name])
    values = (rows.values.column(name) for rows in blocks if rows.side == "train")
    return reduce(add, (search.counts(numbers(each)) for each in values), search.no_counts())
