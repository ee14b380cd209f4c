"""The summary of some rows, and the sample of them: what one task computes of its rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.columns.plan import Plan
from pipeline.columns.summary import Part
from pipeline.compute.draws import Draws, Side
from pipeline.compute.sampled import Extremes, Ranges, SampledRows, take
from pipeline.exact.gram import gram_matrices
from pipeline.exact.products import Product, own_product
from pipeline.tables.table import ROWS_PER_ROW_GROUP


@dataclass(frozen=True)
class Rows:
    """Some typed rows of one side. before: number of rows of this side before these."""

    values: pa.Table
    side: Side
    before: int


class Fragment(Protocol):
    """A part of a table that a task can read, here or on another machine: it pickles small."""

    @property
    def file(self) -> Path | None:
        """Absolute path of the file that `read` opens; None if the rows are in a store."""

    def read(self, row_groups: Iterable[int]) -> Iterator[Rows]:
        """Read row groups one by one. Raises UserError if they cannot be read."""


@dataclass(frozen=True)
class Layout:
    """How rows become numbers: the plan, the targets and the draws."""

    plan: Plan
    targets: tuple[str, ...]
    draws: Draws

    @cached_property
    def columns(self) -> int:
        """Number of encoded columns and targets."""
        return len(self.plan.encoded_names) + len(self.targets)


@dataclass(frozen=True)
class Partial:
    """What is known of some rows. Adding partials in any order gives the same.

    folds: of the training rows. sampled: by side.
    """

    folds: tuple[Part, ...]
    test: Part
    sampled: dict[Side, SampledRows]
    extremes: Extremes

    @property
    def rows(self) -> int:
        """Number of rows of both sides."""
        return self.test.rows + sum(fold.rows for fold in self.folds)

    def __add__(self, other: "Partial") -> "Partial":
        """Return what is known of the rows of both."""
        return Partial(
            tuple(a + b for a, b in zip(self.folds, other.folds, strict=True)),
            self.test + other.test,
            {side: rows + other.sampled[side] for side, rows in self.sampled.items()},
            self.extremes + other.extremes,
        )


@dataclass(frozen=True)
class InOrder:
    """Rows of a table in another order; a column at a time is copied."""

    rows: pa.Table
    order: NDArray[np.int64]

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return len(self.order)

    def column(self, name: str) -> pa.Array:
        """Return a column in this order: [rows]."""
        return take(self.rows.select([name]), self.order).column(0)


def bytes_in_thread(columns: int) -> int:
    """Return the memory that `summarize` takes for a row group: its rows, and its numbers.

    columns: number of encoded columns and targets.
    """
    return int(2.5 * 8 * columns * ROWS_PER_ROW_GROUP)


def no_rows(layout: Layout, schema: pa.Schema) -> Partial:
    """Return what is known of no rows. schema: of the typed rows."""
    empty = Part.of_no_rows(layout.columns)
    none = SampledRows.of_no_rows(schema)
    return Partial(
        (empty,) * layout.draws.folds,
        empty,
        {"train": none, "test": none},
        Extremes.of_no_rows(schema, layout.columns),
    )


def summarize(
    fragment: Fragment,
    row_groups: Iterable[int],
    layout: Layout,
    product: Product = own_product,
) -> Partial:
    """Return what is known of the rows of some row groups, at least one.

    product: multiplies slices; it changes nothing in the result.

    Raises UserError if they cannot be read.
    """
    whole: Partial | None = None
    for rows in fragment.read(row_groups):
        partial = of_rows(rows, layout, product)
        whole = partial if whole is None else whole + partial
        del rows  # before the next ones are read, by each of the threads
    assert whole is not None, "a task has row groups"
    return whole


def of_rows(rows: Rows, layout: Layout, product: Product = own_product) -> Partial:
    """Return what is known of some rows. BLAS must be limited to one thread."""
    draws, count = layout.draws, rows.values.num_rows
    empty = Part.of_no_rows(layout.columns)
    folds, test = (empty,) * draws.folds, empty
    extremes = Extremes.of_no_rows(rows.values.schema, layout.columns)
    if rows.side == "test":
        numbers = layout.plan.numbers(rows.values, layout.targets)
        (test,) = _parts(numbers, Ranges.of(numbers, [count]), [count], product)
    else:
        # Rows of one fold beside each other: its sums are then of a piece of each column.
        fold = draws.folds_of(rows.before, count)
        order = np.argsort(fold, kind="stable")
        ends = np.cumsum(np.bincount(fold, minlength=draws.folds)).tolist()
        numbers = layout.plan.numbers(InOrder(rows.values, order), layout.targets)
        ranges = Ranges.of(numbers, ends)
        folds = _parts(numbers, ranges, ends, product)
        if count and not draws.all_sampled("train"):  # else the sample has every row
            extremes = ranges.extremes(rows.values, order, rows.before)
    drawn = draws.sampled(rows.side, rows.before, count)
    none = SampledRows.of_no_rows(rows.values.schema)
    sampled: dict[Side, SampledRows] = {"train": none, "test": none}
    sampled[rows.side] = SampledRows.of(rows.values, drawn, rows.before)
    return Partial(folds, test, sampled, extremes)


def _parts(
    numbers: NDArray[np.float64], ranges: Ranges, ends: Sequence[int], product: Product
) -> tuple[Part, ...]:
    """Return the sums of consecutive parts of rows.

    numbers: [rows, columns], column-major. ends: the end of each part.
    """
    grams = gram_matrices(numbers, ends=ends, product=product)
    return tuple(
        Part(tuple(low), tuple(high), gram) if gram.rows else Part.of_no_rows(numbers.shape[1])
        for low, high, gram in zip(
            ranges.smallest.tolist(), ranges.largest.tolist(), grams, strict=True
        )
    )
