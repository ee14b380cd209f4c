"""One file of a user's table, CSV or Parquet, and the blocks of rows in which it is read."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.tables.advice import Selection

SAVE_AS_FILE = "save the table as a file"
"""Fix for a pipe or a folder in the place of a user's table."""


@dataclass(frozen=True)
class Heading:
    """The first line of a CSV file.

    text: the line without its end, after a line `sep=;`.
    names: the columns' names. separator: the character between them.
    newline: the last byte of the line end. start: the offset of the next line in the file, in
    bytes.
    """

    text: bytes
    names: tuple[str, ...]
    separator: str
    newline: bytes
    start: int


@dataclass(frozen=True)
class Block:
    """Some rows of a file.

    values: [rows, columns], column-major; NaN where a value is missing.
    size: the bytes of the file that the rows take, roughly.
    places: takes indices of rows in this block; returns their places in the file, which are line
        numbers of a CSV file and row numbers of a Parquet file.
    inexact: takes the index of a column and indices of rows; returns the rows whose value in the
        file is an integer that float64 cannot represent, each with the integer.
    columns: returns all columns of these rows, unchanged: as text from a CSV file; from a Parquet
        file only if it was opened to keep them.
    records: returns the text of each row without its line end; nothing for a Parquet file.
    """

    values: NDArray[np.float64]
    size: int
    places: Callable[[Sequence[int]], list[int]]
    inexact: Callable[[int, NDArray[np.intp]], list[tuple[int, int]]]
    columns: Callable[[], pa.Table]
    records: Callable[[], list[bytes]] = list


class RawFile(Protocol):
    """A file whose columns are known and whose rows are not read yet."""

    @property
    def path(self) -> Path:
        """Path of the file."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all columns."""

    @property
    def schema(self) -> pa.Schema:
        """Names and types of all columns; the type is text for a CSV file."""

    @property
    def float32(self) -> frozenset[str]:
        """Columns of single or half precision."""

    @property
    def unit(self) -> str:
        """Unit of `Block.places`: "line" or "row"."""

    @property
    def heading(self) -> Heading | None:
        """First line of a CSV file; None for a Parquet file."""

    def blocks(self, columns: Sequence[int], selection: Selection) -> Iterator[Block]:
        """Read the numbers of `columns`, given by their indices, block by block.

        selection: the columns by their names, for messages.
        Raises UserError if a column does not hold numbers, or if the file is damaged.
        """
