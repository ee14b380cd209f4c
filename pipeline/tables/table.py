"""The pipeline's own tables: named columns of numbers, in memory and as Parquet files."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.settings import files, regular_file
from pipeline.settings.errors import UserError

ROWS_PER_ROW_GROUP = 65_536


@dataclass(frozen=True)
class Table:
    """Columns of float64 numbers.

    names: the columns' names, in order.
    values: [rows, columns], column-major, so that each column is contiguous.
    float32: the columns whose numbers are float32 in the file; `values` has them unchanged.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    float32: frozenset[str] = frozenset()

    def columns(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the columns `names`, in that order: [rows, len(names)], column-major."""
        index = {name: index for index, name in enumerate(self.names)}
        return np.asfortranarray(self.values[:, [index[name] for name in names]])

    def features(self, targets: Sequence[str]) -> tuple[str, ...]:
        """Return the names of the columns that are not targets, in order."""
        return tuple(name for name in self.names if name not in set(targets))

    def roundoff(self, names: Sequence[str]) -> list[float]:
        """Return the unit roundoff of each column: 2⁻²⁴ for float32, else 2⁻⁵³."""
        return [2.0**-24 if name in self.float32 else 2.0**-53 for name in names]


class Writer:
    """A Parquet file to which blocks of rows are appended. Opened by `writer`.

    rows: how many rows were written so far.
    """

    def __init__(self, file: pq.ParquetWriter) -> None:
        self.rows = 0
        self._file = file
        self._schema = file.schema
        self._held = np.empty((0, len(file.schema)), order="F")

    def write(self, values: NDArray[np.float64]) -> None:
        """Append `values` [rows, columns]."""
        begin = 0
        while begin < len(values):
            held = self.rows % ROWS_PER_ROW_GROUP
            taken = min(ROWS_PER_ROW_GROUP - held, len(values) - begin)
            part = values[begin : begin + taken]
            begin += taken
            self.rows += taken
            if taken == ROWS_PER_ROW_GROUP:
                self._flush(part)
                continue
            if held + taken > len(self._held):
                # By doubling: the pages of a thousand columns at full length are a gigabyte.
                room = min(ROWS_PER_ROW_GROUP, max(2 * len(self._held), held + taken))
                larger = np.empty((room, values.shape[1]), order="F")
                larger[:held] = self._held[:held]
                self._held = larger
            self._held[held : held + taken] = part
            if held + taken == ROWS_PER_ROW_GROUP:
                self._flush(self._held)

    def finish(self) -> None:
        """Write the rows that are still held, so that only the file's name is missing."""
        if self._file.is_open:
            if rest := self.rows % ROWS_PER_ROW_GROUP:
                self._flush(self._held[:rest])
            self._file.close()

    def _flush(self, values: NDArray[np.float64]) -> None:
        """Write `values` as one row group."""
        columns = []
        for field, column in zip(self._schema, values.T, strict=True):
            dtype = np.float32 if field.type == pa.float32() else np.float64
            columns.append(array(np.ascontiguousarray(column, dtype), field.type))
        arrow = pa.Table.from_arrays(columns, schema=self._schema)
        self._file.write_table(arrow, row_group_size=ROWS_PER_ROW_GROUP)


def array(values: NDArray[Any], kind: pa.DataType) -> pa.Array:
    """Return numbers or truth values as an Arrow array: [rows].

    values: of the NumPy type that corresponds to `kind`.
    """
    # Not pa.array: it imports pandas, a quarter of a second.
    held = np.packbits(values, bitorder="little") if kind == pa.bool_() else values
    buffer = pa.py_buffer(np.ascontiguousarray(held))
    return pa.Array.from_buffers(kind, len(values), [None, buffer])


def parquet(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a Parquet file to write."""
    # Neither compression nor dictionaries: they do not make full-precision numbers smaller, and the
    # bytes that a compressor writes may depend on its build.
    return pq.ParquetWriter(path, schema, compression="NONE", use_dictionary=False)


@contextmanager
def writer(
    path: Path, names: Sequence[str], float32: Collection[str] = frozenset()
) -> Iterator[Writer]:
    """Open a table of columns `names` to write it block by block, whole or not at all.

    The same rows give the same bytes on every machine, however they are divided into blocks: a row
    group has exactly ROWS_PER_ROW_GROUP rows, which are held in memory, 8 bytes a number.
    float32: the columns to write as float32, which must represent their numbers exactly.
    """
    schema = pa.schema(
        [(name, pa.float32() if name in float32 else pa.float64()) for name in names]
    )
    with files.whole(path) as partial, parquet(partial, schema) as file:
        growing = Writer(file)
        yield growing
        growing.finish()


def write(path: Path, table: Table) -> None:
    """Write `table` as Parquet. The same numbers give the same bytes on every machine."""
    with writer(path, table.names, table.float32) as file:
        file.write(table.values)


def read(path: Path) -> Table:
    """Read a table written by `write`. Raises UserError if the file is missing or damaged."""
    # Not pq.read_table: it imports pandas too.
    with _opened(path) as file:
        arrow = file.read()
        values = matrix(arrow)
    float32 = frozenset(field.name for field in arrow.schema if field.type == pa.float32())
    return Table(tuple(arrow.column_names), values, float32)


def matrix(arrow: pa.Table) -> NDArray[np.float64]:
    """Return the numbers of an Arrow table: [rows, columns], column-major; NaN for a null."""
    values = np.empty((arrow.num_rows, arrow.num_columns), order="F")
    for index, column in enumerate(arrow.columns):
        begin = 0
        for chunk in column.chunks:
            numbers = chunk.fill_null(float("nan")) if chunk.null_count else chunk
            # Not to_numpy: it imports pandas as well.
            values[begin : begin + len(chunk), index] = np.from_dlpack(numbers)
            begin += len(chunk)
    return values


def row_count(path: Path) -> int:
    """Return the number of rows of a table written by `write`, without reading the rows.

    Raises UserError if the file is missing or its end is damaged.
    """
    with _opened(path) as file:
        rows: int = file.metadata.num_rows
    return rows


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    """Open a table written by `write`. Raises UserError if the file is missing or damaged."""
    try:
        regular_file.check(path)
        with pq.ParquetFile(path, memory_map=True) as file:
            yield file
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None
    except pa.ArrowException as error:
        raise UserError(
            f"{path}: not a readable Parquet file ({error}); `dvc repro -f` makes it again"
        ) from None
