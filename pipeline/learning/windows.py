"""Rows of a file, read in each epoch: shuffled in windows of row groups, or in order, in blocks."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.columns.blocks import TableFile
from pipeline.learning.ahead import ahead
from pipeline.learning.batches import PIECE_BYTES, cut
from pipeline.learning.tensors import Pair, Prepare
from pipeline.settings.errors import UserError
from pipeline.tables.table import ROWS_PER_ROW_GROUP

Pairs = Generator[Pair, None, None]


class InFile:
    """Rows of a file that is too large for memory. A thread reads while the module computes.

    The seed orders the row groups, and then the rows within each window of as many groups as
    PIECE_BYTES hold. Its methods raise UserError if the file is missing or damaged.
    """

    def __init__(
        self, file: TableFile, prepare: Prepare, dtype: torch.dtype, device: torch.device
    ) -> None:
        """prepare: makes tensors of `dtype` of a block. device: gets the rows."""
        self.file, self.prepare, self.dtype, self.device = file, prepare, dtype, device
        self.rows, self.in_one_piece, self.each = file.rows, False, 1.0
        self.weighted = file.has_weights
        self._columns = len(file.features), len(file.targets) + self.weighted
        columns = sum(self._columns)
        self.row_bytes = columns * dtype.itemsize
        # A block is in memory as float64, too.
        self.block_rows = min(ROWS_PER_ROW_GROUP, max(1, PIECE_BYTES // (8 * columns)))
        self._buffers: list[Pair] = []

    def pieces(self) -> Iterator[Pair]:
        """See TrainingRows.pieces."""
        blocks = self.file.blocks(rows=self.block_rows)
        return self._read(self.prepare(block) for block in blocks)

    def batches(self, size: int, shuffle: np.random.Generator) -> Iterator[Pair]:
        """See TrainingRows.batches. Raises UserError if a batch is larger than a window."""
        most = max(1, PIECE_BYTES // self.row_bytes)
        if size > most:
            raise UserError(
                f"train.batch_size: found {size}; of a table that is larger than memory, at most"
                f" {most} rows of {self.row_bytes} bytes are held at a time; set it to {most} or"
                " less, or to null for all rows at once"
            )
        for x, y in self._read(self._shuffled(size, most, shuffle)):
            yield from cut(x, y, size)

    def _shuffled(self, size: int, most: int, shuffle: np.random.Generator) -> Pairs:
        """Yield windows of shuffled rows, in two buffers by turns.

        All but the last have whole batches only. size: rows of a batch. most: rows of a window.
        """
        groups = shuffle.permutation(len(self.file.group_rows)).tolist()
        blocks = self.file.blocks(groups, self.block_rows)
        windows = list(windows_of(self.file.block_sizes(groups, self.block_rows), most))
        if not self._buffers:  # kept: new memory takes longer than to fill it
            self._buffers = [self._buffer(max(map(sum, windows)) + size - 1) for _ in range(2)]
        turn = begin = 0
        for window in windows:
            x, y = self._buffers[turn]
            places = begin + shuffle.permutation(sum(window))
            # Before `begin` are rows of the last window that were too few for a batch.
            end = begin
            for rows in window:
                block = self.prepare(next(blocks))
                here = places[end - begin : end - begin + rows]
                for buffer, part in zip((x, y), block, strict=True):
                    _items(buffer)[here] = _items(part)
                end += rows
            whole = end if window is windows[-1] else end - end % size
            begin = end - whole
            if whole:
                yield x[:whole], y[:whole]
                turn = 1 - turn  # only now is nobody at work in the other buffer
                for buffer, part in zip(self._buffers[turn], (x, y), strict=True):
                    buffer[:begin] = part[whole:end]

    def _buffer(self, rows: int) -> Pair:
        # Pinned memory: the GPU copies it by itself.
        x, y = (
            torch.empty(rows, columns, dtype=self.dtype, pin_memory=self.device.type == "cuda")
            for columns in self._columns
        )
        return x, y

    def _read(self, items: Pairs) -> Iterator[Pair]:
        """Yield the items on the device, one ahead."""
        if self.device.type == "cpu":
            yield from ahead(items)
            return
        for pair in ahead(_on_gpu(items, self.device)):
            for each in pair:  # its memory is free when the kernels of this thread have ended
                each.record_stream(torch.cuda.current_stream(self.device))
            yield pair


def _on_gpu(items: Pairs, device: torch.device) -> Pairs:
    """Yield copies on the GPU, made beside its computations."""
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]
    for x, y in items:
        with torch.cuda.stream(stream):
            pair = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
        stream.synchronize()
        yield pair


def windows_of(sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """Yield the sizes of blocks in lists of at most `most` rows, or of one block."""
    window: list[int] = []
    for rows in sizes:
        if window and sum(window) + rows > most:
            yield window
            window = []
        window.append(rows)
    if window:
        yield window


def _items(rows: torch.Tensor) -> NDArray[Any]:
    """Return a view of contiguous rows in which a row is one item: NumPy moves these faster."""
    array = rows.numpy()
    item = (
        np.dtype((np.void, array.shape[1] * array.itemsize)) if array.shape[1] > 1 else array.dtype
    )
    return array.view(item).reshape(-1)
