"""The Gram matrix of a few rows of any finite numbers, multiplied as integers, by FLINT."""

from collections.abc import Sequence
from functools import reduce
from operator import add
from typing import Any

import numpy as np
from flint import fmpz_mat
from numpy.typing import NDArray

from pipeline.exact.gram import Gram

Floats = NDArray[Any]  # float32 or float64

INTEGER_ROWS_AT_A_TIME = 16_384
"""As Python's integers more would fill the memory."""


class UnfitRows:
    """Rows that do not fit into slices, with their weights if they have any."""

    def __init__(self) -> None:
        self.rows = 0
        self._tables: list[Floats] = []
        self._weights: list[Floats] = []

    def add(self, tables: Sequence[Floats], weights: Floats | None, unfit: NDArray[Any]) -> None:
        """Add some rows of tables side by side. unfit: True for these: [rows]."""
        self._tables.append(np.column_stack([table[unfit] for table in tables]))
        if weights is not None:
            self._weights.append(weights[unfit])
        self.rows += len(self._tables[-1])

    def taken(self) -> tuple[Floats, Floats | None]:
        """Return all rows and their weights; forget them."""
        rows = np.concatenate(self._tables)
        weights = np.concatenate(self._weights) if self._weights else None
        self.rows, self._tables, self._weights = 0, [], []
        return rows, weights


def in_pieces(rows: Floats, weights: Floats | None) -> Gram:
    """Return what `multiplied_as_integers` does, in pieces of rows."""
    starts = range(0, len(rows), INTEGER_ROWS_AT_A_TIME)
    few = [slice(start, start + INTEGER_ROWS_AT_A_TIME) for start in starts]
    own = [None if weights is None else weights[each] for each in few]
    return reduce(add, map(multiplied_as_integers, [rows[each] for each in few], own))


def multiplied_as_integers(rows: Floats, weights: Floats | None = None) -> Gram:
    """Return the Gram matrix of [1 rows], for any finite numbers. rows: [rows, columns].

    weights: [rows], above 0; None: each is 1.
    """
    table, exponents = _as_integers(rows.T)
    ones = [1] * len(rows)
    matrix = fmpz_mat([ones, *table])
    if weights is None:
        product, shift = matrix * matrix.transpose(), 0
    else:
        ((own,), (shift,)) = _as_integers(weights[None])
        if shift % 2:  # half of it goes to each of two columns
            own, shift = [2 * weight for weight in own], shift - 1
        weighted = [[a * b for a, b in zip(own, column, strict=True)] for column in (ones, *table)]
        product = fmpz_mat(weighted) * matrix.transpose()
    entries = tuple(tuple(map(int, row)) for row in product.tolist())
    return Gram(len(rows), tuple(shift // 2 + each for each in (0, *exponents)), entries)


def _as_integers(columns: Floats) -> tuple[list[list[int]], list[int]]:
    """Return columns [columns, rows] as integers, and the exponent of the unit of each column."""
    mantissas, sizes = np.frexp(columns.astype(np.float64))
    digits = np.ldexp(mantissas, 53).astype(np.int64)
    zero = digits == 0
    most = np.iinfo(np.int32).max
    smallest = np.where(zero, most, sizes).min(axis=1, initial=most)
    smallest[zero.all(axis=1)] = 53
    shifts = np.where(zero, 0, sizes - smallest[:, None])
    pairs = zip(digits.tolist(), shifts.tolist(), strict=True)
    table = [[d << s for d, s in zip(*column, strict=True)] for column in pairs]
    return table, (smallest - 53).tolist()
