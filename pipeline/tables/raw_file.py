"""One file of a user's table, and the blocks of rows in which it is read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.tables.remote_file import RemoteFile
from pipeline.tables.table import matrix

FilePath: TypeAlias = Path | RemoteFile
"""Where a file of a table is. As text it is what messages call the file."""
SAVE_AS_FILE = "save the table as a file"
"""Fix for a pipe or a folder in the place of a user's table."""


@dataclass(frozen=True)
class Heading:
    """The first line of a CSV file.

    text: the line without its end, after a line `sep=;`; empty if the file has no header.
    names: the columns' names. separator: the character between them.
    newline: the last byte of the line end. start: the offset of the first row, in bytes of the text
    as UTF-8. line: the number of the line there.
    blank_columns: columns after the named ones, without a name and without values.
    """

    text: bytes
    names: tuple[str, ...]
    separator: str
    newline: bytes
    start: int
    line: int = 2
    blank_columns: int = 0


@dataclass(frozen=True)
class Block:
    """Some rows of a file.

    rows: the columns that were asked for, in that order. From a file they have the file's types;
        of a CSV file float64 with null for a gap where numbers were asked for and all fields are
        numbers, else string or dictionary of string. From a RawTable they have its `row_schema`.
    size: the bytes of the file that the rows take, roughly.
    places: takes indices of rows in this block; returns their places in the file, which are line
        numbers of a CSV file and row numbers of a Parquet file, in ascending order.
    original: takes the index of a column in `rows`; returns its values as the file has them.
    columns: returns all columns of these rows, unchanged: as text from a CSV file; from other files
        only if they were opened to keep them.
    records: returns the text of each row without its line end; nothing if the file is not CSV.
    path: of the file; only of a RawTable.
    wrong: True for each value that is not of its column's kind, by the column's name; such a value
        is a gap in `rows`. Only columns that have one, of a RawTable that does not refuse them.
    """

    rows: pa.Table
    size: int
    places: Callable[[Sequence[int]], list[int]]
    original: Callable[[int], pa.ChunkedArray]
    columns: Callable[[], pa.Table]
    records: Callable[[], list[bytes]] = list
    wrong: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    path: FilePath | None = None

    @property
    def values(self) -> NDArray[np.float64]:
        """The rows, if all columns are numbers: [rows, columns], column-major; NaN for a gap."""
        return matrix(self.rows)

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The places of all rows: [rows]."""
        rows = self.rows.num_rows
        if not rows:
            return np.empty(0, np.int64)
        first, last = self.places([0, rows - 1])
        if last - first == rows - 1:  # nearly always, and fifty times faster
            return np.arange(first, last + 1)
        return np.array(self.places(range(rows)), np.int64)


class Untyped:
    """What files have in common that give no column a type."""

    names: tuple[str, ...]

    @property
    def schema(self) -> pa.Schema:
        """Names of all columns, with the type text."""
        return pa.schema([(name, pa.string()) for name in self.names])

    @property
    def float32(self) -> frozenset[str]:
        """No column."""
        return frozenset()


class RawFile(Protocol):
    """A file whose columns are known and whose rows are not read yet."""

    @property
    def path(self) -> FilePath:
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
        """First line of a CSV file; None for other files."""

    @property
    def texts_as_written(self) -> bool:
        """True if a person wrote the texts: blanks around them and words for gaps are no values."""

    def blocks(self, columns: Sequence[int], numbers: Sequence[bool], /) -> Iterator[Block]:
        """Read `columns`, given by their indices, block by block.

        numbers: True for each of `columns` of which numbers are wanted.
        Raises UserError if the file is damaged.
        """

    def texts(self) -> Iterator[pa.Table]:
        """Read all columns, block by block, as they are: text of a CSV file, "" for an empty field.

        Files that have types keep them. Names may occur twice.
        Raises UserError if the file is damaged, or not text in its encoding.
        """
