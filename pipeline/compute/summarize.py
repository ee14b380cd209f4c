"""The summary of some rows, and the sample of them: what one task computes of its rows."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa

from pipeline.columns.part import Part
from pipeline.columns.plan import Plan
from pipeline.compute.draws import Draws, Side
from pipeline.compute.sampled import Extremes, InOrder, Ranges, SampledRows
from pipeline.exact.gram_sums import GramSums
from pipeline.exact.products import Product, own_product
from pipeline.settings.errors import UserError
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

    parts: of the training rows. sampled: by side.
    """

    parts: tuple[Part, ...]
    test: Part
    sampled: dict[Side, SampledRows]
    extremes: Extremes

    @property
    def rows(self) -> int:
        """Number of rows of both sides."""
        return self.test.table_rows + sum(part.table_rows for part in self.parts)

    def __add__(self, other: "Partial") -> "Partial":
        """Return what is known of the rows of both."""
        return Partial(
            tuple(a + b for a, b in zip(self.parts, other.parts, strict=True)),
            self.test + other.test,
            {side: rows + other.sampled[side] for side, rows in self.sampled.items()},
            self.extremes + other.extremes,
        )


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
        (empty,) * layout.draws.folds.parts,
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
    sums = _Sums(layout, product)
    for rows in fragment.read(row_groups):
        sums.add(rows)
        del rows  # before the next ones are read, by each of the threads
    return sums.partial()


class _Sums:
    """What is known of the rows of a task, which come one block after the other.

    Parts are those of the training rows, then the test rows. BLAS must be limited to one thread.
    """

    def __init__(self, layout: Layout, product: Product) -> None:
        self._layout = layout
        self._parts = layout.draws.folds.parts + 1
        self._gram_sums = GramSums(layout.columns, self._parts, product)
        shape = self._parts, layout.columns
        self._smallest, self._largest = np.full(shape, np.inf), np.full(shape, -np.inf)
        self._whole: Partial | None = None

    def add(self, rows: Rows) -> None:
        """Add some rows of one side."""
        layout, count, schema = self._layout, rows.values.num_rows, rows.values.schema
        draws = layout.draws
        if rows.side == "train":
            part = draws.folds.of(rows.values, rows.before)
        else:
            part = np.full(count, draws.folds.parts, np.uint8)
        # Rows of one part beside each other: its sums are then of a piece of each column.
        order = np.argsort(part, kind="stable")
        ends = np.cumsum(np.bincount(part, minlength=self._parts)).tolist()
        in_order = InOrder(rows.values, order)
        numbers = layout.plan.numbers(in_order, layout.targets)
        ranges, weights = Ranges.of(numbers, ends), layout.plan.weights_of(in_order)
        if layout.plan.terms:
            _check_finite(layout.plan.encoded_names, ranges)
        self._gram_sums.add(numbers, ends=ends, bounds=ranges.bounds, weights=weights)
        np.minimum(self._smallest, ranges.smallest, out=self._smallest)
        np.maximum(self._largest, ranges.largest, out=self._largest)
        known = self._whole or no_rows(layout, schema)
        extremes = known.extremes
        # If every training row is sampled, the sample has the extreme ones.
        if rows.side == "train" and count and not draws.all_sampled("train"):
            extremes = extremes.with_rows(ranges, rows.values, order, rows.before)
        drawn = draws.sampled(rows.side, rows.before, count)
        own = SampledRows.of(rows.values, drawn, rows.before)
        sampled = known.sampled | {rows.side: known.sampled[rows.side] + own}
        self._whole = replace(known, sampled=sampled, extremes=extremes)

    def partial(self) -> Partial:
        """Return what is known of all of them; there were some, or a block of none."""
        assert self._whole is not None, "a task has row groups"
        grams = self._gram_sums.taken()
        parts = [
            Part(tuple(low), tuple(high), gram)
            if gram.rows
            else Part.of_no_rows(self._layout.columns)
            for low, high, gram in zip(
                self._smallest.tolist(), self._largest.tolist(), grams, strict=True
            )
        ]
        weights = self._layout.plan.weights
        if weights is not None and weights.are_frequencies:
            parts = [part.of_frequencies() if part.rows else part for part in parts]
        return replace(self._whole, parts=tuple(parts[:-1]), test=parts[-1])


def _check_finite(names: Sequence[str], ranges: Ranges) -> None:
    """Raise UserError with the first number of a term that is too large. names: encoded."""
    bounds = np.abs(np.array(ranges.bounds))[:, : len(names)].max(axis=0)
    for place in np.flatnonzero(~np.isfinite(bounds)).tolist():
        raise UserError(
            f"data.terms: {names[place]} is beyond what float64 holds in some rows; leave it out,"
            " or put the column into the table in a larger unit"
        )
