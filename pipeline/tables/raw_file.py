"""One file of a user's table, as the readers of CSV and of Parquet give it: in blocks of rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.tables.advice import Selection

SAVE_AS_FILE = "save the table as a file"
"""The likely fix where a pipe or a folder has the name of a user's table."""


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
    places: the places in the file of rows given by their indices in this block: line numbers of a
        CSV file, row numbers of a Parquet file.
    inexact: of a column and some of its rows, given by their indices, the rows whose value in the
        file is an integer that float64 cannot represent, each with that integer.
    columns: all columns of these rows, unchanged; those of a CSV file as text, those of a Parquet
        file only if it was opened to keep them.
    records: the text of each row without its line end; empty for a Parquet file.
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
        """Where the file is."""

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all columns."""

    @property
    def schema(self) -> pa.Schema:
        """The names and types of all columns; text for a CSV file."""

    @property
    def float32(self) -> frozenset[str]:
        """The columns of single or half precision."""

    @property
    def unit(self) -> str:
        """The unit of `Block.places`: "line" or "row"."""

    @property
    def heading(self) -> Heading | None:
        """The first line of a CSV file."""

    def blocks(self, columns: Sequence[int], selection: Selection) -> Iterator[Block]:
        """Read the numbers of `columns`, given by their indices, block by block.

        selection: the columns by their names, for messages.
        Raises UserError if a column holds something else than numbers, or if the file is damaged.
        """
