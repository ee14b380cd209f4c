"""The Gram matrix of a table, without rounding error, from its rows.

Blocks of rows are multiplied in slices, exactly, and the few rows that do not fit into the slices
are multiplied as integers, by FLINT.
"""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import reduce
from operator import add

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from pipeline.exact import cores
from pipeline.exact.gram import Gram
from pipeline.exact.products import Product, Products, own_product
from pipeline.exact.slice_plan import MOST_BITS, Bounds, Floats, SlicePlan, bounds_of
from pipeline.exact.slices import Slicer, exact_rows

# Rows that are added at a time.
PIECE_ROWS = 65_536

# Pieces that a thread takes at a time: it makes integers of Python of their sums once.
PIECES_IN_TASK = 4

# Numbers of the slices of a block, and its rows.
CACHED_NUMBERS, FEWEST_ROWS, MOST_ROWS = 524_288, 1_024, 16_384

SMALL_BLOCK_ROWS = 64

INTEGER_ROWS_AT_A_TIME = 16_384

# One row of so many may be multiplied as integers before another plan is made.
ROWS_FOR_AN_UNFIT_ONE = 256

# Memory for the sums of products that wait until all pieces are there.
KEPT_BYTES = 16 << 20

# More threads than this would mostly wait for Python's lock.
MOST_THREADS = 8


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
        self._waiting: list[list[Floats]] = [[] for _ in range(parts)]
        self._slicer: Slicer | None = None
        self._unfit_rows = 0

    def add(self, *tables: Floats, ends: Sequence[int], bounds: Bounds | None = None) -> None:
        """Add a piece of the table, in tables side by side, of which each part has some rows.

        tables: [rows, columns] each, of finite float32 or float64, in any memory order.
        ends: the end of each part in these rows; they follow those of the part before it.
        bounds: of the columns of these rows, if known.
        """
        rows = len(tables[0])
        if not rows:
            return
        bounds = bounds or bounds_of(tables)
        too_many = self._unfit_rows * ROWS_FOR_AN_UNFIT_ONE > rows
        # A number too large for its slices may overflow; its row is then multiplied as integers.
        with np.errstate(over="ignore", invalid="ignore"):
            if self._slicer is None or too_many or not self._slicer.plan.suits(tables, bounds):
                self._make_plan(tables, bounds)
            self._unfit_rows = 0
            for part, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
                if begin < end:
                    self._add_rows(part, [table[begin:end] for table in tables])

    def taken(self) -> tuple[Gram, ...]:
        """Return the Gram matrix of what was added to each part; nothing may be added any more."""
        self._flush()
        for part in range(len(self._totals)):
            self._multiply_waiting(part)
        return tuple(self._totals)

    def _make_plan(self, tables: Sequence[Floats], bounds: Bounds) -> None:
        self._flush()
        plan = SlicePlan.of(tables, bounds)
        slices = int(plan.slices.sum())
        # A block of slices stays in the cache.
        self._block = min(max(CACHED_NUMBERS // slices, FEWEST_ROWS), MOST_ROWS)
        self._exact_rows = max(exact_rows(tables, plan), SMALL_BLOCK_ROWS)
        self._slicer = Slicer(plan, self._block)
        parts = len(self._totals)
        self._keep_all = parts * slices**2 * 16 <= KEPT_BYTES
        self._products = [
            Products(self._slicer, self._product) for _ in range(parts if self._keep_all else 1)
        ]

    def _flush(self) -> None:
        """Add all products to the totals."""
        if self._slicer is not None and self._keep_all:
            for part, products in enumerate(self._products):
                self._totals[part] += Gram(*products.taken())

    def _add_rows(self, part: int, tables: Sequence[Floats]) -> None:
        """Add rows to a part. tables: as for `add`."""
        assert self._slicer is not None
        products, waiting = self._products[part if self._keep_all else 0], self._waiting[part]
        for start in range(0, len(tables[0]), self._block):
            rows = [table[start : start + self._block] for table in tables]
            slices, unfit = self._slicer.cut(rows)
            unfit |= self._multiply(products, slices)
            if products.full:
                self._totals[part] += Gram(*products.taken())
            if unfit.any():
                waiting.append(np.column_stack([table[unfit] for table in rows]))
                self._unfit_rows += len(waiting[-1])
        if not self._keep_all:
            self._totals[part] += Gram(*products.taken())
        if sum(map(len, waiting)) >= INTEGER_ROWS_AT_A_TIME:
            self._multiply_waiting(part)

    def _multiply(self, products: Products, slices: Floats) -> NDArray[np.bool_]:
        """Add the product of slices; return the rows with numbers too large for it: [rows]."""
        assert self._slicer is not None
        rows = slices.shape[1]
        unfit = np.zeros(rows, dtype=bool)
        if rows <= self._exact_rows and products.add(slices):
            return unfit
        if rows > SMALL_BLOCK_ROWS:
            half = rows // 2
            halves = slices[:, :half], slices[:, half:]
            return np.concatenate([self._multiply(products, each) for each in halves])
        largest = np.ldexp(2.0**MOST_BITS, self._slicer.units)[:, None]
        unfit |= ~(np.abs(slices) <= largest).all(axis=0)
        slices[:, unfit] = 0
        # A product of two numbers has at most 46 bits.
        exact = products.add(slices)
        assert exact
        return unfit

    def _multiply_waiting(self, part: int) -> None:
        """Add the rows of a part that did not fit into slices."""
        waiting = self._waiting[part]
        if not waiting:
            return
        rows = np.concatenate(waiting)
        waiting.clear()
        if self._with_second_plan:
            # A plan made for these rows alone suits nearly all of them.
            again = GramSums(rows.shape[1], product=self._product, with_second_plan=False)
            again.add(rows, ends=[len(rows)])
            (total,) = again.taken()
        else:
            # Not all at once: as Python's integers they would fill the memory.
            starts = range(0, len(rows), INTEGER_ROWS_AT_A_TIME)
            few = (rows[start : start + INTEGER_ROWS_AT_A_TIME] for start in starts)
            total = reduce(add, map(multiplied_as_integers, few))
        self._totals[part] += total


def gram_matrix(*tables: Floats, piece: int = PIECE_ROWS, product: Product = own_product) -> Gram:
    """Return the Gram matrix of tables side by side, with a column of ones before them.

    tables: [rows, columns] each, of finite float32 or float64, in any memory order.
    piece: number of rows that are added at a time, at most PIECE_ROWS. product: multiplies
    slices. Both change nothing in the result, which is in canonical form.
    """
    assert 0 < piece <= PIECE_ROWS
    rows, columns = len(tables[0]), sum(table.shape[1] for table in tables)
    pieces = [[table[at : at + piece] for table in tables] for at in range(0, rows, piece)]
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
    tasks: Sequence[Sequence[Sequence[Floats]]],
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


def _of_pieces(pieces: Sequence[Sequence[Floats]], columns: int, product: Product) -> Gram:
    """Return the Gram matrix of pieces of a table."""
    sums = GramSums(columns, product=product)
    for tables in pieces:
        sums.add(*tables, ends=[len(tables[0])])
    (gram,) = sums.taken()
    return gram


def multiplied_as_integers(rows: Floats) -> Gram:
    """Return the Gram matrix of [1 rows], for any finite numbers. rows: [rows, columns]."""
    mantissas, sizes = np.frexp(rows.T.astype(np.float64))
    digits = np.ldexp(mantissas, 53).astype(np.int64)
    zero = digits == 0
    most = np.iinfo(np.int32).max
    smallest = np.where(zero, most, sizes).min(axis=1, initial=most)
    smallest[zero.all(axis=1)] = 53
    shifts = np.where(zero, 0, sizes - smallest[:, None])
    columns = zip(digits.tolist(), shifts.tolist(), strict=True)
    table = [[d << s for d, s in zip(*column, strict=True)] for column in columns]
    matrix = fmpz_mat([[1] * len(rows), *table])
    product = matrix * matrix.transpose()
    entries = tuple(tuple(map(int, row)) for row in product.tolist())
    return Gram(len(rows), (0, *(smallest - 53).tolist()), entries)
