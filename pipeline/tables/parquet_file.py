"""A user's Parquet files: columns of numbers, read block by block."""

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
from pipeline.tables.advice import MOST_NAMES_SHOWN, Selection
from pipeline.tables.raw_file import SAVE_AS_FILE, Block

ROWS_PER_BLOCK = 65_536
BYTES_PER_COLUMN = 1 << 18  # read at a time


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file whose schema was read.

    keep_all: True if the blocks have all columns, not only the columns asked for.
    """

    path: Path
    names: tuple[str, ...]
    schema: pa.Schema
    rows: int
    keep_all: bool = False
    unit: str = field(default="row", init=False)
    heading: None = field(default=None, init=False)

    @property
    def float32(self) -> frozenset[str]:
        """The columns of single or half precision."""
        return frozenset(
            column.name for column in self.schema if column.type in (pa.float16(), pa.float32())
        )

    @classmethod
    def open(cls, path: Path) -> "ParquetFile":
        """Read the schema. Raises UserError if the file is damaged."""
        # Arrow opens the file again by its name; it would wait for a pipe without end.
        regular_file.check(path, SAVE_AS_FILE)
        with _damage_as_error(path), pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            return cls(path, tuple(schema.names), schema, file.metadata.num_rows)

    def blocks(self, columns: Sequence[int], selection: Selection) -> Iterator[Block]:
        """See RawFile.blocks."""
        self._check_types(columns, selection)
        names = [self.schema.field(index).name for index in columns]
        begin = 0
        with (
            _damage_as_error(self.path),
            pq.ParquetFile(
                self.path,
                # Without these two, all that was read stays in memory.
                pre_buffer=False,
                buffer_size=BYTES_PER_COLUMN,
                page_checksum_verification=True,
            ) as file,
        ):
            for batch in file.iter_batches(
                ROWS_PER_BLOCK, columns=None if self.keep_all else names
            ):
                # By name: Arrow also returns a column "a.b" with "a", in the order of the file.
                arrays = [batch.column(batch.schema.get_field_index(name)) for name in names]
                values = np.empty((len(batch), len(names)), order="F")
                for index, array in enumerate(arrays):
                    if array.null_count:
                        array = array.cast(pa.float64(), safe=False).fill_null(float("nan"))
                    values[:, index] = np.from_dlpack(array)
                yield Block(
                    values,
                    self.path.stat().st_size * len(batch) // max(1, self.rows),
                    partial(_row_numbers, begin + 1),
                    partial(_inexact, arrays),
                    partial(pa.Table.from_batches, [batch]),
                )
                begin += len(batch)

    def _check_types(self, columns: Sequence[int], selection: Selection) -> None:
        """Raise UserError if a column does not hold numbers."""
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
            cure = "; ".join(
                f"{first_of(names, MOST_NAMES_SHOWN)}: {text}" for text, names in cures.items()
            )
        way = selection.without([*wrong])
        raise UserError(
            f"{self.path}: found {first_of(listed, MOST_NAMES_SHOWN)}; columns must hold integers"
            f" or floats; {cure}{way and f', or {way}'}"
        )


def _row_numbers(first: int, rows: Sequence[int]) -> list[int]:
    """See Block.places. first: the number of the block's first row in the file."""
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
def _damage_as_error(path: Path) -> Iterator[None]:
    """Turn Arrow's exceptions about a damaged file into UserError."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        # For damaged bytes Arrow raises an OSError as well, which has no number.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = str(error).splitlines()[0].rstrip(".")
        raise UserError(
            f"{path}: not a complete Parquet file ({reason}); fetch or write it again, or name it"
            " .csv if it is one"
        ) from None


def _type_hint(kind: pa.DataType) -> str:
    """Return the advice to turn a column of this type into numbers."""
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
