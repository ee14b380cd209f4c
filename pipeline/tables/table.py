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
    exact: the columns of 0 and 1 or of small integers, which no rounding has made.
    weights: how much each row counts, above 0: [rows]; None: each once.
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    float32: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()
    weights: NDArray[np.float64] | None = None

    def columns(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the columns `names`, in that order: [rows, len(names)], column-major."""
        index = {name: index for index, name in enumerate(self.names)}
        return np.asfortranarray(self.values[:, [index[name] for name in names]])

    def features(self, targets: Sequence[str]) -> tuple[str, ...]:
        """Return the names of the columns that are not targets, in order."""
        return tuple(name for name in self.names if name not in set(targets))


class Writer:
    """A Parquet file to which blocks of rows are appended. Opened by `writer`.

    path: of the file until it is whole. rows: how many rows were written so far.
    """

    def __init__(self, file: pq.ParquetWriter, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._file = file
        self._schema: pa.Schema = file.schema
        self._held: list[pa.Table] = []

    def write(self, rows: pa.Table) -> None:
        """Append rows, of the columns and types that the file was opened with."""
        assert rows.schema.equals(self._schema), f"{rows.schema} is not {self._schema}"
        begin = 0
        while begin < rows.num_rows:
            room = ROWS_PER_ROW_GROUP - self.rows % ROWS_PER_ROW_GROUP
            part = rows.slice(begin, room)
            begin += part.num_rows
            self.rows += part.num_rows
            self._held.append(part)
            if part.num_rows == room:
                self._flush()

    def finish(self) -> None:
        """Write the rows that are still held, so that only the file's name is missing."""
        if self._file.is_open:
            if self._held:
                self._flush()
            self._file.close()

    def _flush(self) -> None:
        """Write the rows that are held as one row group."""
        group = pa.concat_tables(self._held).combine_chunks()
        self._file.write_table(group, row_group_size=ROWS_PER_ROW_GROUP)
        self._held = []


def array(
    values: NDArray[Any], kind: pa.DataType, known: NDArray[np.bool_] | None = None
) -> pa.Array:
    """Return numbers or truth values as an Arrow array: [rows].

    values: of the NumPy type that corresponds to `kind`. known: False where null is meant: [rows].
    """
    # Not pa.array: it imports pandas, a quarter of a second.
    held = _bits(values) if kind == pa.bool_() else pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(kind, len(values), [None if known is None else _bits(known), held])


def _bits(values: NDArray[np.bool_]) -> pa.Buffer:
    return pa.py_buffer(np.packbits(values, bitorder="little"))


def texts(values: Sequence[str]) -> pa.Array:
    """Return texts as an Arrow array: [rows]."""
    # Not pa.array, as in `array`.
    contents = [value.encode() for value in values]
    ends = np.cumsum([0, *map(len, contents)], dtype=np.int32)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(contents))]
    return pa.Array.from_buffers(pa.string(), len(contents), buffers)


def one_chunk(values: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Return a column in one piece: [rows]."""
    if isinstance(values, pa.Array):
        return values
    if values.num_chunks == 1:
        return values.chunk(0)  # combine_chunks would copy it
    whole = values.combine_chunks()
    return whole if isinstance(whole, pa.Array) else whole.chunk(0)


def parquet(path: Path, schema: pa.Schema) -> pq.ParquetWriter:
    """Open a Parquet file to write."""
    # No compression: it does not make full-precision numbers smaller, and the bytes that a
    # compressor writes may depend on its build. Dictionaries for texts alone, for the same reason.
    texts = [field.name for field in schema if field.type == pa.string()]
    # Consecutive integers take next to nothing as differences.
    integers = [field.name for field in schema if pa.types.is_integer(field.type)]
    return pq.ParquetWriter(
        path,
        schema,
        compression="NONE",
        use_dictionary=texts or False,
        column_encoding=dict.fromkeys(integers, "DELTA_BINARY_PACKED") or None,
    )


@contextmanager
def writer(path: Path, schema: pa.Schema) -> Iterator[Writer]:
    """Open a table to write it block by block, whole or not at all.

    The same rows give the same bytes on every machine, however they are divided into blocks: a row
    group has exactly ROWS_PER_ROW_GROUP rows, which are held in memory.
    """
    with files.whole(path) as partial, parquet(partial, schema) as file:
        growing = Writer(file, partial)
        yield growing
        growing.finish()


def number_schema(names: Sequence[str], float32: Collection[str] = frozenset()) -> pa.Schema:
    """Return the schema of columns of numbers, each float64 or float32."""
    return pa.schema([(name, pa.float32() if name in float32 else pa.float64()) for name in names])


def to_arrow(table: Table) -> pa.Table:
    """Return a table of numbers as Arrow's; float32 columns must hold their numbers exactly."""
    schema = number_schema(table.names, table.float32)
    columns = []
    for field, column in zip(schema, table.values.T, strict=True):
        dtype = np.float32 if field.type == pa.float32() else np.float64
        columns.append(array(np.ascontiguousarray(column, dtype), field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def write(path: Path, table: Table) -> None:
    """Write `table` as Parquet. The same numbers give the same bytes on every machine."""
    rows = to_arrow(table)
    with writer(path, rows.schema) as file:
        file.write(rows)


def read(path: Path) -> Table:
    """Read a table written by `write`. Raises UserError if the file is missing or damaged."""
    # Not pq.read_table: it imports pandas too.
    with opened(path) as file:
        arrow = file.read()
        values = matrix(arrow)
    float32 = frozenset(field.name for field in arrow.schema if field.type == pa.float32())
    return Table(tuple(arrow.column_names), values, float32)


def read_arrow(path: Path, names: Sequence[str] | None = None) -> pa.Table:
    """Read a table with its typed columns, all or those called `names`.

    Raises UserError if the file is missing or damaged.
    """
    with opened(path) as file:
        return file.read(columns=None if names is None else list(names))


def numbers(values: pa.Array | pa.ChunkedArray) -> NDArray[np.float64]:
    """Return a column of numbers as float64: [rows]; NaN for a null."""
    out = np.empty(len(values))
    put_numbers(values, out)
    return out


def put_numbers(values: pa.Array | pa.ChunkedArray, out: NDArray[np.float64]) -> None:
    """Write a column of numbers into `out`, [rows]; NaN for a null."""
    begin = 0
    for chunk in values.chunks if isinstance(values, pa.ChunkedArray) else [values]:
        numbers = chunk.fill_null(float("nan")) if chunk.null_count else chunk
        # Not to_numpy: it imports pandas.
        out[begin : begin + len(chunk)] = np.from_dlpack(numbers)
        begin += len(chunk)


def integers(values: pa.Array) -> NDArray[np.int64]:
    """Return a column of integers without nulls: [rows]."""
    return np.from_dlpack(values.cast(pa.int64())).astype(np.int64, copy=False)


def bools(mask: pa.Array) -> NDArray[np.bool_]:
    """Return a column of truth values: [rows]; False for a null."""
    return np.from_dlpack(mask.fill_null(False).cast(pa.int8())).astype(np.bool_)


def matrix(arrow: pa.Table) -> NDArray[np.float64]:
    """Return the numbers of an Arrow table: [rows, columns], column-major; NaN for a null."""
    values = np.empty((arrow.num_rows, arrow.num_columns), order="F")
    for index, column in enumerate(arrow.columns):
        put_numbers(column, values[:, index])
    return values


def schema(path: Path) -> pa.Schema:
    """Return the names and types of a table written by `write`. Raises UserError as `read`."""
    with opened(path) as file:
        return file.schema_arrow


@contextmanager
def opened(path: Path) -> Iterator[pq.ParquetFile]:
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
