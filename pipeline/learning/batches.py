"""Rows that are held in memory: shuffled and cut into batches, or in order, in pieces."""

from collections.abc import Generator, Iterator

import numpy as np
import torch

from pipeline.learning.ahead import ahead
from pipeline.learning.tensors import Pair

PIECE_BYTES = 2**26
"""Size of the largest piece in which all rows are computed, and of the rows shuffled together."""
ALIGNMENT_BYTES = 64


class InMemory:
    """Rows that are held in memory, on the device of the training."""

    def __init__(
        self, x: torch.Tensor, y: torch.Tensor, each: float = 1.0, weighted: bool = False
    ) -> None:
        """x: [rows, features]; y: [rows, targets]. each, weighted: see TrainingRows."""
        self.x, self.y, self.each, self.weighted = x, y, each, weighted
        self.rows = len(x)
        row_bytes = sum(each.shape[1] * each.element_size() for each in (x, y))
        self._rows_of_piece = max(1, PIECE_BYTES // row_bytes)
        self.in_one_piece = self.rows <= self._rows_of_piece
        self._buffers: list[Pair] = []

    def pieces(self) -> Iterator[Pair]:
        """See TrainingRows.pieces."""
        size = self._rows_of_piece
        if self.in_one_piece:
            yield self.x, self.y
        else:
            yield from zip(torch.split(self.x, size), torch.split(self.y, size), strict=True)

    def batches(self, size: int, shuffle: np.random.Generator) -> Iterator[Pair]:
        """See TrainingRows.batches. The order is one permutation of all rows."""
        order = _permutation(self.rows, shuffle).to(self.x.device)
        # Whole batches, so that only the last one of the epoch is smaller.
        window = max(1, self._rows_of_piece // size) * size
        shuffled = self._shuffled(order, min(window, self.rows))
        is_large = self.rows > window and self.x.device.type == "cpu"
        for x, y in ahead(shuffled) if is_large else shuffled:
            yield from cut(x, y, size)

    def _shuffled(self, order: torch.Tensor, window: int) -> Generator[Pair, None, None]:
        """Yield the rows in `order`, `window` at a time, in two buffers by turns."""
        if window == self.rows:
            buffers = [self._buffer(window)]
        else:  # kept: new memory takes longer than to fill it
            self._buffers = self._buffers or [self._buffer(window) for _ in range(2)]
            buffers = self._buffers
        for number, rows in enumerate(torch.split(order, window)):
            buffer_x, buffer_y = buffers[number % 2]
            x = torch.index_select(self.x, 0, rows, out=buffer_x[: len(rows)])
            y = torch.index_select(self.y, 0, rows, out=buffer_y[: len(rows)])
            yield x, y

    def _buffer(self, rows: int) -> Pair:
        return self.x.new_empty(rows, self.x.shape[1]), self.y.new_empty(rows, self.y.shape[1])


def _permutation(rows: int, shuffle: np.random.Generator) -> torch.Tensor:
    """Return what `shuffle.permutation(rows)` does, in half the memory.

    Of a narrow table, 64-bit integers would take as much memory as the rows.
    """
    order = np.arange(rows, dtype=np.int32 if rows < 2**31 else np.int64)
    shuffle.shuffle(order)
    return torch.from_numpy(order)


def cut(x: torch.Tensor, y: torch.Tensor, size: int) -> Iterator[Pair]:
    """Yield shuffled rows in batches of `size`, the last one perhaps smaller.

    A batch is a part of `x` and `y` where that begins in memory as a new tensor would, else a copy:
    MKL may round products of other addresses differently.
    """
    many = 1024 * size  # a tensor takes half a kilobyte, and a window may have a million batches
    for begin in range(0, len(x), many):
        parts = (torch.split(each[begin : begin + many], size) for each in (x, y))
        for batch_x, batch_y in zip(*parts, strict=True):
            yield _aligned(batch_x), _aligned(batch_y)


def _aligned(rows: torch.Tensor) -> torch.Tensor:
    return rows.clone() if rows.data_ptr() % ALIGNMENT_BYTES else rows
