"""Rows to train on, as tensors: in batches that the seed shuffles, or in order, in pieces.

A small table is held in memory. A larger one is read again in each epoch, block by block, while the
module computes: what is in memory does not grow with its rows.
"""

from collections.abc import Iterator
from typing import Protocol

import numpy as np
import torch

from pipeline.columns.blocks import TableFile
from pipeline.learning import device
from pipeline.learning.batches import InMemory
from pipeline.learning.tensors import Pair, Prepare
from pipeline.learning.weights import DTYPES
from pipeline.learning.windows import InFile
from pipeline.settings.params import Params
from pipeline.tables.table import Table

MEMORY_BYTES = 2**28
"""Size of the largest training table that is held in memory, as tensors."""
HELD_OUT_BYTES = 2**25
"""Size of the largest table of held-out rows that is held in memory."""


class TrainingRows(Protocol):
    """The rows of a table, for the training cycle."""

    rows: int
    in_one_piece: bool
    """True if `pieces` yields all rows at once."""
    each: float
    """How many rows of the table each row counts for in a sum of errors."""
    weighted: bool
    """True if y has the weight of each row as a last column."""

    def pieces(self) -> Iterator[Pair]:
        """Yield all rows, in order; at least one piece."""

    def batches(self, size: int, shuffle: np.random.Generator) -> Iterator[Pair]:
        """Yield batches of `size` rows, the last of the epoch perhaps smaller, in a random order.

        A batch keeps its numbers until the next but one window of rows is shuffled.
        """


def open_rows(
    params: Params, rows: Table | TableFile, prepare: Prepare, most_bytes: int
) -> TrainingRows:
    """Return the rows for the training cycle, on train.device.

    prepare: makes tensors of encoded rows. most_bytes: of a file that is held in memory.
    Raises UserError if the file is missing or damaged.
    """
    place, dtype = device.choose(params.train.device), DTYPES[params.train.dtype]
    if isinstance(rows, TableFile):
        file = InFile(rows, prepare, dtype, place)
        if file.rows * file.row_bytes > most_bytes:
            return file
        x = torch.empty(file.rows, len(rows.features), dtype=dtype)
        y = torch.empty(file.rows, len(rows.targets) + rows.has_weights, dtype=dtype)
        begin = 0
        for block in rows.blocks():
            end = begin + len(block.values)
            x[begin:end], y[begin:end] = prepare(block)
            begin = end
        weighted = rows.has_weights
    else:
        x, y = prepare(rows)
        weighted = rows.weights is not None
    return InMemory(x.to(place), y.to(place), weighted=weighted)


def head(rows: Table | TableFile, count: int) -> Table:
    """Return the first rows, or all if there are fewer."""
    if isinstance(rows, TableFile):
        rows = next(rows.blocks())
    weights = None if rows.weights is None else rows.weights[:count]
    return Table(rows.names, rows.values[:count], rows.float32, rows.exact, weights)
