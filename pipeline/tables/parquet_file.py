"""Parquet files: columns of numbers, read block by block, and the row of whatever is no number."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError
from pipeline.settings.messages import first_of, show
from pipeline.tables.advice import SHOWN, Asked
from pipeline.tables.table import NO_FILE, ROW_GROUP, Block

BUFFER = 1 << 18  # bytes of each column that are read at a time


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file whose schema was read.

    keep: whether the blocks have all columns, not only those asked for.
    """

    path: Path
    names: tuple[str, ...]
    schema: pa.Schema
    rows: int
    keep: bool = False
    unit: str = field(default="row", init=False)

    @property
    def float32(self) -> frozenset[str]:
        """The columns in this or half precision."""
        return frozenset(
            column.name for column in self.schema if column.type in (pa.float16(), pa.float32())
        )

    @property
    def kept(self) -> pa.Schema:
        """All columns."""
        return self.schema

    @classmethod
    def open(cls, path: Path) -> "ParquetFile":
        """Read the schema. Raises UserError if it is damaged."""
        # Arrow opens it anew, by its name: of a pipe it would never come back.
        regular_file.check(path, NO_FILE)
        with _damage(path), pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            return cls(path, tuple(schema.names), schema, file.metadata.num_rows)

    def blocks(self, columns: Sequence[int], asked: Asked) -> Iterator[Block]:
        """See CsvFile.blocks. Raises UserError if a column holds no numbers."""
        self._check_types(columns, asked)
        names = [self.schema.field(index).name for index in columns]
        begin = 0
        with (
            _damage(self.path),
            pq.ParquetFile(
                self.path,
                # Without these two, all that was read of the file stays in memory.
                pre_buffer=False,
                buffer_size=BUFFER,
                page_checksum_verification=True,
            ) as file,
        ):
            for batch in file.iter_batches(ROW_GROUP, columns=None if self.keep else names):
                # By name: a column "a.b" comes along with "a", and the order is the file's.
                arrays = [batch.column(batch.schema.get_field_index(name)) for name in names]
                values = np.empty((len(batch), len(names)), order="F")
                for index, array in enumerate(arrays):
                    if array.null_count:
                        array = array.cast(pa.float64(), safe=False).fill_null(float("nan"))
                    values[:, index] = np.from_dlpack(array)
                yield Block(
                    values,
                    self.path.stat().st_size * len(batch) // max(1, self.rows),
                    partial(_numbered, begin + 1),
                    partial(_inexact, arrays),
                    partial(pa.Table.from_batches, [batch]),
                )
                begin += len(batch)

    def _check_types(self, columns: Sequence[int], asked: Asked) -> None:
        wrong = {
            self.names[index]: kind
            for index in columns
            if not (pa.types.is_integer(kind := self.schema.field(index).type))
            and not pa.types.is_floating(kind)
        }
        if not wrong:
            return
        listed = [f"{show(name)} ({kind})" for name, kind in wrong.items()]
        cures: dict[str, list[str]] = {}
        for name, kind in wrong.items():
            cures.setdefault(_type_hint(kind), []).append(show(name))
        (cure, _), *others = cures.items()
        if others:
            cure = "; ".join(f"{first_of(names, SHOWN)}: {text}" for text, names in cures.items())
        way = asked.without([*wrong])
        raise UserError(
            f"{self.path}: found {first_of(listed, SHOWN)}; columns must hold integers or floats;"
            f" {cure}{way and f', or {way}'}"
        )


def _numbered(first: int, rows: Sequence[int]) -> list[int]:
    """Where rows are in their file, if the block's first is `first`."""
    return [first + row for row in rows]


def _inexact(
    arrays: Sequence[pa.Array], column: int, rows: NDArray[np.intp]
) -> list[tuple[int, int]]:
    """See Block.inexact."""
    array = arrays[column]
    if not pa.types.is_integer(array.type) or not len(rows):
        return []
    integers = np.from_dlpack(array.fill_null(0) if array.null_count else array)[rows].tolist()
    pairs = zip(rows.tolist(), integers, strict=True)
    return [(row, value) for row, value in pairs if int(float(value)) != value]


@contextmanager
def _damage(path: Path) -> Iterator[None]:
    """Say what Arrow says of a damaged file as a user needs it."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        # Arrow raises an OSError too, without a number, for bytes that make no sense.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        said = str(error).splitlines()[0].rstrip(".")
        raise UserError(
            f"{path}: not a whole Parquet file ({said}); fetch or write it again, or name it .csv"
            " if it is one"
        ) from None


def _type_hint(kind: pa.DataType) -> str:
    types = pa.types
    if types.is_boolean(kind):
        return "write it as 0 and 1 (int8)"
    if types.is_decimal(kind):
        return "write it as float64"
    if types.is_temporal(kind):
        return "write it as a number, such as days since some date"
    if types.is_null(kind):
        return "give it values"
    return "write it as numbers"
