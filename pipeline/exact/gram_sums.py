"""The Gram matrix of a table, without rounding error, from its rows.

Blocks of rows are multiplied in slices, exactly, and the few rows that do not fit into the slices
are multiplied as integers, by FLINT. Slices are multiplied with each digit of the rows' weights.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
from numpy.typing import NDArray

from pipeline.exact import cores, integer_products
from pipeline.exact.gram import Gram
from pipeline.exact.integer_products import INTEGER_ROWS_AT_A_TIME, UnfitRows
from pipeline.exact.products import Product, Products, own_product
from pipeline.exact.slice_plan import MOST_BITS, Bounds, Floats, SlicePlan, bounds_of
from pipeline.exact.slices import Slicer, exact_rows
from pipeline.exact.weight_digits import DIGIT_BITS, SLICE_BITS, WeightDigits

# Rows that are added at a time.
PIECE_ROWS = 65_536

# Pieces that a thread takes at a time: it makes integers of Python of their sums once.
PIECES_IN_TASK = 4

# Numbers of the slices of a block, and its rows.
CACHED_NUMBERS, FEWEST_ROWS, MOST_ROWS = 524_288, 1_024, 16_384

SMALL_BLOCK_ROWS = 64

# One row of so many may be multiplied as integers before another plan is made.
ROWS_FOR_AN_UNFIT_ONE = 256

# Memory for the sums of products that wait until all pieces are there.
KEPT_BYTES = 16 << 20

# More threads than this would mostly wait for Python's lock.
MOST_THREADS = 8

Rows = tuple[Sequence[Floats], Floats | None]
"""Rows of tables side by side, and their weights, if they have any."""


class GramSums:
    """The Gram matrices of parts of a table, from pieces of its rows one after the other.

    A plan to cut numbers into slices is made for a piece, and kept while it suits the next ones;
    meanwhile the products of slices are added in float64 and int64. Python's integers, of which an
    operation takes fifty times as long and keeps other threads waiting, are made at the end.
    BLAS must be limited to one thread (`cores.one_blas_thread`).
    """

    def __init__(
        self,
        columns: int,
        parts: int = 1,
        product: Product = own_product,
        with_second_plan: bool = True,
    ) -> None:
        """columns: number of columns, without the ones.

        product, with_second_plan: how slices are multiplied, and whether rows that do not fit into
        them are tried in others before they are multiplied as integers. They change nothing in the
        result.
        """
        self._product, self._with_second_plan = product, with_second_plan
        self._totals = [Gram.of_no_rows(columns)] * parts
        self._rows = [0] * parts
        self._waiting = [UnfitRows() for _ in range(parts)]
        self._slicer: Slicer | None = None
        self._digits: WeightDigits | None = None
        self._unfit_rows = 0

    def add(
        self,
        *tables: Floats,
        ends: Sequence[int],
        bounds: Bounds | None = None,
        weights: Floats | None = None,
    ) -> None:
        """Add a piece of the table, in tables side by side, of which each part has some rows.

        tables: [rows, columns] each, of finite float32 or float64, in any memory order.
        ends: the end of each part in these rows; they follow those of the part before it.
        bounds: of the columns of these rows, if known. weights: [rows] of finite float64 above 0,
        for all pieces or for none.
        """
        rows = len(tables[0])
        if not rows:
            return
        bounds = bounds or bounds_of(tables)
        too_many = self._unfit_rows * ROWS_FOR_AN_UNFIT_ONE > rows
        # A number too large for its slices may overflow; its row is then multiplied as integers.
        with np.errstate(over="ignore", invalid="ignore"):
            suits = self._slicer is not None and self._slicer.plan.suits(tables, bounds)
            if self._digits is not None and weights is not None:
                suits &= self._digits.suits(weights)
            if too_many or not suits:
                self._make_plan(tables, bounds, weights)
            self._unfit_rows = 0
            for part, (begin, end) in enumerate(pairwise([0, *ends])):
                if begin < end:
                    own = None if weights is None else weights[begin:end]
                    self._add_rows(part, [table[begin:end] for table in tables], own)
                    self._rows[part] += end - begin

    def taken(self) -> tuple[Gram, ...]:
        """Return the Gram matrix of what was added to each part; nothing may be added any more."""
        self._flush()
        for part in range(len(self._totals)):
            self._multiply_waiting(part)
        # Of weighted rows the inner product of the ones is their weight.
        numbers = zip(self._totals, self._rows, strict=True)
        return tuple(
            total if total.rows == rows else replace(total, rows=rows) for total, rows in numbers
        )

    def _make_plan(self, tables: Sequence[Floats], bounds: Bounds, weights: Floats | None) -> None:
        self._flush()
        if weights is None:
            plan, sums, mean = SlicePlan.of(tables, bounds), 1, 1.0
        else:
            plan = SlicePlan.of(tables, bounds, SLICE_BITS)
            self._digits = WeightDigits.of(weights)
            sums, mean = self._digits.digits, 2.0 ** (DIGIT_BITS - 1)
        slices = int(plan.slices.sum())
        # A block of slices stays in the cache.
        self._block = min(max(CACHED_NUMBERS // slices, FEWEST_ROWS), MOST_ROWS)
        self._exact_rows = max(int(exact_rows(tables, plan) / mean), SMALL_BLOCK_ROWS)
        self._slicer = Slicer(plan, self._block)
        parts = len(self._totals)
        self._keep_all = parts * sums * slices**2 * 16 <= KEPT_BYTES
        self._products = [
            [Products(self._slicer, self._product) for _ in range(sums)]
            for _ in range(parts if self._keep_all else 1)
        ]

    def _flush(self) -> None:
        """Add all products to the totals."""
        if self._slicer is not None and self._keep_all:
            for part, products in enumerate(self._products):
                self._take(part, products)

    def _take(self, part: int, products: Sequence[Products]) -> None:
        """Add products, one for each digit of the weights if there are any, to the totals."""
        exponents = (0,) if self._digits is None else self._digits.exponents
        for each, shift in zip(products, exponents, strict=True):
            rows, own, entries = each.taken()
            self._totals[part] += Gram(rows, tuple(shift + exponent for exponent in own), entries)

    def _add_rows(self, part: int, tables: Sequence[Floats], weights: Floats | None) -> None:
        """Add rows to a part. tables, weights: as for `add`."""
        assert self._slicer is not None
        products, waiting = self._products[part if self._keep_all else 0], self._waiting[part]
        for start in range(0, len(tables[0]), self._block):
            block = slice(start, start + self._block)
            rows = [table[block] for table in tables]
            own = None if weights is None else weights[block]
            slices, unfit = self._slicer.cut(rows)
            if own is None:
                unfit |= self._multiply(products[0], slices)
            else:
                self._multiply_weighted(products, slices, own, unfit)
            if any(each.full for each in products):
                self._take(part, products)
            if unfit.any():
                waiting.add(rows, own, unfit)
                self._unfit_rows += int(np.count_nonzero(unfit))
        if not self._keep_all:
            self._take(part, products)
        if waiting.rows >= INTEGER_ROWS_AT_A_TIME:
            self._multiply_waiting(part)

    def _multiply_weighted(
        self,
        products: Sequence[Products],
        slices: Floats,
        weights: Floats,
        unfit: NDArray[np.bool_],
    ) -> None:
        """Add the products of slices with each digit of the weights; complete `unfit`."""
        assert self._slicer is not None
        assert self._digits is not None
        digits, others = self._digits.cut(weights)
        # Before the first digit: a row is added with all of them or with none.
        largest = np.ldexp(2.0 ** SLICE_BITS[-1], self._slicer.units)[:, None]
        unfit |= others | ~(np.abs(slices) <= largest).all(axis=0)
        slices[:, unfit] = 0
        for each, digit in zip(products, digits, strict=True):
            if digit.any():
                self._multiply(each, slices, digit)

    def _multiply(
        self, products: Products, slices: Floats, weights: Floats | None = None
    ) -> NDArray[np.bool_]:
        """Add the product of slices; return the rows with numbers too large for it: [rows].

        weights: digits of the rows: [rows]; then no number is too large.
        """
        assert self._slicer is not None
        rows = slices.shape[1]
        unfit = np.zeros(rows, dtype=bool)
        if rows <= self._exact_rows and products.add(slices, weights):
            return unfit
        if rows > SMALL_BLOCK_ROWS:
            half = rows // 2
            return np.concatenate(
                [
                    self._multiply(
                        products, slices[:, side], None if weights is None else weights[side]
                    )
                    for side in (slice(half), slice(half, rows))
                ]
            )
        largest = np.ldexp(2.0**MOST_BITS, self._slicer.units)[:, None]
        unfit |= ~(np.abs(slices) <= largest).all(axis=0)
        slices[:, unfit] = 0
        # A product of two numbers has at most 46 bits, weighted or not.
        exact = products.add(slices, weights)
        assert exact
        return unfit

    def _multiply_waiting(self, part: int) -> None:
        """Add the rows of a part that did not fit into slices."""
        waiting = self._waiting[part]
        if not waiting.rows:
            return
        rows, weights = waiting.taken()
        if self._with_second_plan:
            # A plan made for these rows alone suits nearly all of them.
            again = GramSums(rows.shape[1], product=self._product, with_second_plan=False)
            again.add(rows, ends=[len(rows)], weights=weights)
            (total,) = again.taken()
        else:
            total = integer_products.in_pieces(rows, weights)
        self._totals[part] += total


def gram_matrix(
    *tables: Floats,
    weights: Floats | None = None,
    piece: int = PIECE_ROWS,
    product: Product = own_product,
) -> Gram:
    """Return the Gram matrix of tables side by side, with a column of ones before them.

    tables: [rows, columns] each, of finite float32 or float64, in any memory order.
    weights: [rows] of finite float64 above 0; None: each is 1. Without rounding error, too.
    piece: number of rows that are added at a time, at most PIECE_ROWS. product: multiplies
    slices. Both change nothing in the result, which is in canonical form.
    """
    assert 0 < piece <= PIECE_ROWS
    rows, columns = len(tables[0]), sum(table.shape[1] for table in tables)
    pieces = [
        (
            [table[at : at + piece] for table in tables],
            None if weights is None else weights[at : at + piece],
        )
        for at in range(0, rows, piece)
    ]
    if len(pieces) <= 1:
        return _of_pieces(pieces, columns, product).canonical()
    threads = min(cores.available(), MOST_THREADS)
    in_task = max(1, min(PIECES_IN_TASK, len(pieces) // (2 * threads)))
    tasks = [pieces[at : at + in_task] for at in range(0, len(pieces), in_task)]
    with cores.one_blas_thread(), ThreadPoolExecutor(threads) as pool:
        parts = _in_threads(pool, tasks, columns, product, most_waiting=2 * threads)
        return reduce(add, parts, Gram.of_no_rows(columns)).canonical()


def _in_threads(
    pool: ThreadPoolExecutor,
    tasks: Sequence[Sequence[Rows]],
    columns: int,
    product: Product,
    most_waiting: int,
) -> Iterator[Gram]:
    """Yield the Gram matrix of each task; at most `most_waiting` wait in memory to be added."""
    waiting: deque[Future[Gram]] = deque()
    for pieces in tasks:
        if len(waiting) == most_waiting:
            yield waiting.popleft().result()
        waiting.append(pool.submit(_of_pieces, pieces, columns, product))
    while waiting:
        yield waiting.popleft().result()


def _of_pieces(pieces: Sequence[Rows], columns: int, product: Product) -> Gram:
    """Return the Gram matrix of pieces of a table."""
    sums = GramSums(columns, product=product)
    for tables, weights in pieces:
        sums.add(*tables, ends=[len(tables[0])], weights=weights)
    (gram,) = sums.taken()
    return gram
