"""Where rows stand in the user's files: data/source_rows.parquet, data/source_rows_test.parquet.

The first has the training rows, the second the rows held out.
A row has the number that messages about the file give it: its line of a CSV file, else its row.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tables import row_groups, table
from pipeline.tables.table import array

if TYPE_CHECKING:  # the tutorial's table needs none of it
    from pipeline.tables.raw_file import Block

COLUMN = "\0row"
"""Column of the numbers beside the columns of a table; no column of a user's has such a name."""
_SCHEMA = pa.schema([("file", pa.int32()), ("row", pa.int64())])


@dataclass(frozen=True)
class Numbered:
    """Some rows of a file, and their numbers in it. path: of the file; "" of rows that are made."""

    rows: pa.Table
    numbers: NDArray[np.int64]
    path: str = ""

    @property
    def with_numbers(self) -> pa.Table:
        """The rows with their numbers in COLUMN."""
        return self.rows.append_column(COLUMN, array(self.numbers, pa.int64()))


def of_blocks(blocks: Iterable["Block"]) -> Iterator[Numbered]:
    """Return the rows of a user's table with their numbers."""
    return (Numbered(block.rows, block.numbers, str(block.path)) for block in blocks)


def of_made(blocks: Iterable[pa.Table]) -> Iterator[Numbered]:
    """Return rows that are made with their numbers, from 1."""
    before = 0
    for rows in blocks:
        yield Numbered(rows, np.arange(before + 1, before + rows.num_rows + 1))
        before += rows.num_rows


class Writer:
    """The numbers of rows of a table, to which more are appended. Opened by `writer`."""

    def __init__(self, paths: Sequence[str], file: table.Writer) -> None:
        self._file = file
        self._places = {path: place for place, path in enumerate(paths)}

    def write(self, numbers: pa.ChunkedArray, path: str) -> None:
        """Append numbers of rows of a file."""
        place = array(np.full(len(numbers), self._places[path], np.int32), pa.int32())
        self._file.write(pa.Table.from_arrays([place, table.one_chunk(numbers)], schema=_SCHEMA))

    def finish(self) -> None:
        """See table.Writer.finish."""
        self._file.finish()


@contextmanager
def writer(paths: Sequence[str], path: Path = files.SOURCE_ROWS) -> Iterator[Writer]:
    """Open one of these files to write it, whole or not at all. paths: of all the user's files."""
    schema = _SCHEMA.with_metadata({"files": json.dumps([*paths], ensure_ascii=False)})
    with table.writer(path, schema) as file:
        yield Writer(paths, file)


def read(places: Sequence[int], path: Path = files.SOURCE_ROWS) -> list[tuple[str, int]]:
    """Return the file and the number in it of some rows of a table: the file is "" if it was made.

    places: the number of rows of the table before each. Only their row groups are read.
    Raises UserError if the file is missing or damaged, or does not have the rows.
    """
    found: dict[int, tuple[str, int]] = {}
    with row_groups.opened(path) as file:
        names = json.loads((file.schema_arrow.metadata or {}).get(b"files", b"[]"))
        for inside, rows in row_groups.at(file, places, _SCHEMA.names):
            for place, row in zip(inside, rows.to_pylist(), strict=True):
                found[place] = (names[row["file"]], row["row"])
    if len(found) < len({*places}):
        table_of = files.TEST if path == files.SOURCE_ROWS_TEST else files.TRAIN
        raise UserError(
            f"{path}: it has fewer rows than {table_of}; `dvc repro -f generate`"
            " makes the files of data/ again"
        )
    return [found[place] for place in places]
