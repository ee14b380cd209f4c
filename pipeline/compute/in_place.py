"""A table whose rows stay where they are: its plan, its summary and its sample."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial, reduce
from operator import add

from pipeline.columns import learn, learn_terms, statistics
from pipeline.columns.learn import Learnable
from pipeline.columns.median import Counts, Search
from pipeline.columns.number import NumberStatistics
from pipeline.columns.statistics import CountColumn, Measured, Statistics
from pipeline.compute import chosen_rows, source_values, wide, written
from pipeline.compute.chosen_rows import CountValues
from pipeline.compute.draws import Draws, Side
from pipeline.compute.kept_sums import KeptSums
from pipeline.compute.mapping import Task, reduced, workers
from pipeline.compute.pool import Pool
from pipeline.compute.source_files import source_files, told_in_order
from pipeline.compute.source_rows import Source, SourceRows, divided
from pipeline.compute.summarize import (
    Fragment,
    Layout,
    Partial,
    bytes_in_thread,
    no_rows,
    summarize,
)
from pipeline.compute.value_counts import ValueCounts, Valued
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.keys.column_settings import ColumnSettings, NumberSettings
from pipeline.settings.keys.weight_settings import Weights
from pipeline.settings.params import Params
from pipeline.tables import held_out, source_numbers, table
from pipeline.tables.raw_table import RawTable
from pipeline.tables.remote_file import check_all


def write(params: Params, raw: RawTable) -> None:
    """Write both tables without rows, and what is learnt from the rows where they are.

    Raises UserError as `summarized`.
    """
    whole, layout = summarized(raw, params)
    with (
        table.writer(files.TRAIN, raw.row_schema),
        table.writer(files.TEST, raw.row_schema),
        source_numbers.writer([]),
        source_numbers.writer([], files.SOURCE_ROWS_TEST),
    ):
        written.write(whole, layout, raw.row_schema)


def summarized(raw: RawTable, params: Params) -> tuple[Partial, Layout]:
    """Sum up a table of Parquet files, whose rows stay where they are, and say what was left out.

    If every feature is a number without gaps, the rows are read once; else first to learn the plan.
    Columns by which rows are chosen are read before.
    Raises UserError if a part cannot be used, or changes while it is read.
    """
    data, seed, columns = params.data, params.seed, raw.columns
    terms = learn_terms.declared(data, columns)
    parts = raw.parts()
    # Before the plan is known; a category has more columns than one.
    needed = bytes_in_thread(len(columns) + len(data.targets))
    with workers(needed, params.train.device) as pool:
        of_all_rows = partial(source_values.of_all_rows, parts, pool)
        division = chosen_rows.division(data, seed, partial(_counted, raw, of_all_rows))
        with told_in_order(raw):
            source = divided(parts, division.chosen, pool)
            if not source.tasks:
                raise UserError(f"data.source: found no rows in {data.source}")
        rows = source.rows
        held_out.check_sides(data.test_fraction.share, rows["train"], rows["test"])
        if is_matrix := not terms.terms and all(map(_is_whole, columns.values())):
            # Ranges change no encoded number: those of the summary take their place below.
            train, test = (_ranges(columns, rows[side]) for side in ("train", "test"))
        else:
            with told_in_order(raw):
                train, test = _statistics(source, columns, data.weights, terms.summed, pool)
        for part in parts:
            part.check()
        listed = source_files(raw.paths)
        learnable = Learnable(
            columns,
            train,
            test,
            _counting(source, data.weights, pool),
            source.dropped,
            raw.excluded,
            listed,
            division.left_out,
            terms,
        )
        plan = learn.plan(data, learnable)
        width = len(plan.encoded_names) + len(data.targets)
        of_training_rows = partial(source_values.of_training_rows, source, pool)
        folds = chosen_rows.folds(data, seed, partial(_counted, raw, of_training_rows))
        wide.announce(width, folds.chosen.parts)
        layout = Layout(plan, data.targets, Draws(seed, folds.chosen, rows, width))
        with told_in_order(raw):
            kept = KeptSums(listed, layout, raw.row_schema)
            whole = _summed(source, layout, kept, no_rows(layout, raw.row_schema), pool)
        for part in parts:
            part.check()
        check_all(raw.paths)
    if is_matrix:
        all_rows = reduce(add, whole.parts)
        train = _ranges(columns, all_rows.table_rows, all_rows.smallest, all_rows.largest)
        plan = learn.plan(data, replace(learnable, train=train))
    learn.report(plan)
    division.report()
    folds.report()
    return whole, replace(layout, plan=plan)


def _counted(raw: RawTable, count_values: CountValues, column: Valued) -> ValueCounts:
    """Return the values of a column. Raises UserError as `told_in_order`."""
    with told_in_order(raw):
        return count_values(column)


def _summed(
    source: Source, layout: Layout, kept: KeptSums, nothing: Partial, pool: Pool
) -> Partial:
    """Sum up the pieces of which no sums are kept, and add the sums of the others."""
    whole, missing = nothing, list[Task]()
    for task in source.tasks:
        if (known := kept.read(task)) is not None:
            whole += known
        else:
            missing.append(task)
    work = partial(summarize, layout=layout, product=pool.product)
    # A table of one piece is read as fast as its sums are.
    note = kept.write if len(source.tasks) > 1 else None
    return whole + reduced(missing, work, nothing, pool, note=note)


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


@dataclass(frozen=True)
class Sides:
    """Statistics of some rows of both sides."""

    train: Statistics
    test: Statistics

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.train.rows + self.test.rows

    def __add__(self, other: "Sides") -> "Sides":
        """Return the statistics of the rows of both."""
        return Sides(self.train + other.train, self.test + other.test)


def _statistics(
    source: Source,
    columns: Mapping[str, ColumnSettings],
    weights: Weights | None,
    summed: frozenset[str],
    pool: Pool,
) -> tuple[Statistics, Statistics]:
    """Return the statistics of the training rows, and of the test rows. summed: see `of_rows`."""
    nothing = Sides(Statistics(), Statistics())
    work = partial(sides, columns=columns, weights=weights, summed=summed)
    whole = reduced(source.tasks, work, nothing, pool, "learning the columns")
    return whole.train, whole.test


def sides(
    fragment: Fragment,
    row_groups: range,
    columns: Mapping[str, ColumnSettings],
    weights: Weights | None = None,
    summed: frozenset[str] = frozenset(),
) -> Sides:
    """Return the statistics of a piece. summed: see `statistics.of_rows`.

    Raises UserError if it cannot be read.
    """
    of_sides: dict[Side, Statistics] = {"train": Statistics(), "test": Statistics()}
    for rows in fragment.read(row_groups):
        of_sides[rows.side] += statistics.of_rows(columns, rows.values, weights, summed)
    return Sides(of_sides["train"], of_sides["test"])


@dataclass(frozen=True)
class Numbers:
    """Counts of numbers in some rows. counts: of the training rows; see `Search.counts`."""

    rows: int
    counts: Counts

    def __add__(self, other: "Numbers") -> "Numbers":
        """Return the counts of the rows of both."""
        return Numbers(self.rows + other.rows, self.counts + other.counts)


def _counting(source: Source, weights: Weights | None, pool: Pool) -> CountColumn:
    """Return what counts the numbers of a column of the training rows, for its quantiles."""

    def count(measured: Measured, search: Search) -> Counts:
        nothing = Numbers(0, search.no_counts())
        work = partial(ranked, measured=measured, search=search, weights=weights)
        return reduced(source.tasks, work, nothing, pool, f"quantiles of {measured.column}").counts

    return count


def ranked(
    fragment: Fragment,
    row_groups: range,
    measured: Measured,
    search: Search,
    weights: Weights | None = None,
) -> Numbers:
    """Return the counts of the numbers of a column in a piece. Raises UserError as `sides`."""
    assert isinstance(fragment, SourceRows)
    whole = Numbers(0, search.no_counts())
    for rows in fragment.read(row_groups, [measured.column, *([weights.by] if weights else [])]):
        counts = search.no_counts()
        if rows.side == "train":
            times = statistics.times_of(rows.values, weights)
            counts = search.counts(measured.of(rows.values.column(measured.column)), times)
        whole += Numbers(rows.values.num_rows, counts)
    return whole
