"""A table whose rows are copied into data/train.parquet and data/test.parquet."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from pipeline.columns import learn, learn_terms, statistics
from pipeline.columns.learn import Learnable
from pipeline.columns.statistics import Statistics
from pipeline.compute import chosen_rows, clusters, own_rows, written
from pipeline.compute.draws import Side
from pipeline.compute.source_files import source_files, told_in_order
from pipeline.compute.value_counts import ValueCounts, Valued
from pipeline.settings import files
from pipeline.settings.params import Params
from pipeline.tables import held_out, row_groups, source_numbers, table
from pipeline.tables.source_numbers import Numbered

if TYPE_CHECKING:
    from pipeline.tables.raw_table import RawTable


def write(
    params: Params, schema: pa.Schema, blocks: Iterator[Numbered], raw: "RawTable | None"
) -> None:
    """Write the rows into both tables, where they stand in the source, and what is learnt.

    raw: None if the rows are made. Raises UserError if a table that must have rows has none, or if
    a column cannot be used.
    """
    data, columns = params.data, raw.columns if raw else params.data.columns
    terms = learn_terms.declared(data, columns)
    division = chosen_rows.division(data, params.seed, partial(_counted_in, raw))
    paths_in = [str(path) for path in raw.paths] if raw else [""]
    with (
        table.writer(files.TRAIN, schema) as train,
        table.writer(files.TEST, schema) as test,
        source_numbers.writer(paths_in) as train_numbers,
        source_numbers.writer(paths_in, files.SOURCE_ROWS_TEST) as test_numbers,
    ):
        tables: dict[Side, table.Writer] = {"train": train, "test": test}
        numbers = {"train": train_numbers, "test": test_numbers}
        known: dict[Side, Statistics] = {"train": Statistics(), "test": Statistics()}
        for block in blocks:
            before = train.rows + test.rows
            for side, numbered in division.chosen.sides(block.with_numbers, before).items():
                rows = numbered.select(schema.names)
                tables[side].write(rows)
                numbers[side].write(numbered.column(source_numbers.COLUMN), block.path)
                known[side] += statistics.of_rows(columns, rows, data.weights, terms.summed)
        held_out.check_sides(data.test_fraction.share, train.rows, test.rows)
        # Before either has its name: only now may the disk be full, or a column be refused.
        for side in tables:
            tables[side].finish()
            numbers[side].finish()
        count = statistics.count_in(partial(row_groups.column, train.path), data.weights)
        learnable = Learnable(
            columns, known["train"], known["test"], count, left_out=division.left_out, terms=terms
        )
        if raw:
            learnable = replace(
                learnable,
                dropped=raw.dropped,
                excluded=raw.excluded,
                source=source_files(path for path in raw.paths if not isinstance(path, Path)),
            )
        plan = learn.plan(data, learnable)
        folds = chosen_rows.folds(data, params.seed, partial(_counted_in_file, train.path))
        if data.clusters is not None:
            counted = data.weights is not None and data.weights.are_frequencies
            clusters.check(train.path, data.clusters, are_frequencies=counted)
        learn.report(plan)
        division.report()
        folds.report()
        paths: dict[Side, Path] = {"train": train.path, "test": test.path}
        whole, layout = own_rows.summarized(
            paths, plan, data.targets, params.seed, folds.chosen, params.train.device
        )
        written.write(whole, layout, schema)


def _counted_in(raw: "RawTable | None", column: Valued) -> ValueCounts:
    """Return the values of a column in all rows of a user's table, which is read for it."""
    assert raw is not None, "rows that are made are chosen by no column"
    with told_in_order(raw):
        return ValueCounts.of_blocks(map(column.of, raw.restricted([column.column]).rows()))


def _counted_in_file(path: Path, column: Valued) -> ValueCounts:
    """Return the values of a column of a table that the pipeline wrote."""
    blocks = row_groups.column(path, column.column)
    return ValueCounts.of_blocks(column.of(pa.table({column.column: values})) for values in blocks)
