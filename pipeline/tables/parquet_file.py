"""A user's Parquet files, here or elsewhere, read block by block."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError
from pipeline.settings.messages import show
from pipeline.tables.raw_file import SAVE_AS_FILE, Block, FilePath
from pipeline.tables.remote_file import RemoteFile

ROWS_PER_BLOCK = 65_536
BYTES_PER_COLUMN = 1 << 18  # read at a time
REMOTE_BYTES_PER_COLUMN = 1 << 20  # a request to a server takes as long as a megabyte
ROWS_IN_SMALL_GROUP = 1_000


@dataclass(frozen=True)
class Piece:
    """Row groups of a file that follow each other.

    before: number of rows of the file before them. rows: number of rows in them.
    """

    groups: range
    before: int
    rows: int


@dataclass(frozen=True)
class ParquetFile:
    """A Parquet file whose schema was read.

    keep_all: True if the blocks have all columns, not only the columns asked for.
    rows_of_groups: number of rows of each row group. piece: what to read; None: all.
    """

    path: FilePath
    names: tuple[str, ...]
    schema: pa.Schema
    rows: int
    rows_of_groups: tuple[int, ...]
    keep_all: bool = False
    has_small_groups: bool = False
    piece: Piece | None = None
    unit: str = field(default="row", init=False)
    heading: None = field(default=None, init=False)
    texts_as_written: bool = field(default=False, init=False)

    @property
    def float32(self) -> frozenset[str]:
        """The columns of single or half precision."""
        return frozenset(
            column.name for column in self.schema if column.type in (pa.float16(), pa.float32())
        )

    @classmethod
    def open(cls, path: FilePath) -> "ParquetFile":
        """Read the schema. Raises UserError if the file is damaged."""
        with opened(path) as file:
            schema, footer = file.schema_arrow, file.metadata
            rows = footer.num_rows
            groups = tuple(footer.row_group(n).num_rows for n in range(footer.num_row_groups))
            has_small_groups = rows < ROWS_IN_SMALL_GROUP * len(groups)
            names = tuple(schema.names)
            return cls(path, names, schema, rows, groups, has_small_groups=has_small_groups)

    def blocks(self, columns: Sequence[int], _numbers: Sequence[bool]) -> Iterator[Block]:
        """See RawFile.blocks."""
        fields = [self.schema.field(index) for index in columns]
        names = [field.name for field in fields]
        texts = [field.name for field in fields if field.type == pa.string()]
        begin = self.piece.before if self.piece else 0
        end = begin + (self.piece.rows if self.piece else self.rows)
        size = size_of(self.path)
        # As they are in the file: a text for each row takes three times as long. But a block of
        # dictionaries ends with its row group.
        if self.keep_all or self.has_small_groups:
            texts = []
        with opened(self.path, texts) as file:
            for batch in file.iter_batches(
                ROWS_PER_BLOCK,
                row_groups=[*self.piece.groups] if self.piece else None,
                columns=None if self.keep_all else names,
                use_threads=self.piece is None,  # who reads pieces has threads of their own
            ):
                # By name: Arrow also returns a column "a.b" with "a", in the order of the file.
                arrays = [batch.column(batch.schema.get_field_index(name)) for name in names]
                self._check_texts(names, arrays, begin)
                rows = pa.table(arrays, names=names)
                yield Block(
                    rows,
                    size * len(batch) // max(1, self.rows),
                    partial(_row_numbers, begin + 1),
                    rows.column,
                    partial(pa.Table.from_batches, [batch]),
                )
                begin += len(batch)
            # Of a file that was cut, Arrow's buffered reader gives no rows, and no error.
            if begin != end:
                raise pa.ArrowInvalid(f"it ends after {begin:,} of {end:,} rows")

    def _check_texts(self, names: Sequence[str], arrays: Sequence[pa.Array], begin: int) -> None:
        """Raise UserError if texts are not UTF-8. begin: the number of rows before them."""
        for name, values in zip(names, arrays, strict=True):
            is_dictionary = pa.types.is_dictionary(values.type)
            texts = values.dictionary if is_dictionary else values
            if texts.type not in (pa.string(), pa.large_string(), pa.string_view()):
                continue
            try:
                texts.validate(full=True)
            except pa.ArrowInvalid:
                raise UserError(
                    f"{self.path}:{begin + 1}: found text that is not UTF-8 in {show(name)}, in"
                    f" this row or one of the {len(values) - 1:,} after it; write the file anew"
                ) from None

    def texts(self) -> Iterator[pa.Table]:
        """See RawFile.texts."""
        whole = replace(self, keep_all=True)
        return (block.columns() for block in whole.blocks(range(len(self.names)), []))


def size_of(path: FilePath) -> int:
    """Return the size of a file in bytes."""
    return path.stored.size if isinstance(path, RemoteFile) else path.stat().st_size


@contextmanager
def opened(path: FilePath, texts: Sequence[str] = ()) -> Iterator[pq.ParquetFile]:
    """Open a Parquet file. texts: the columns to read as dictionaries.

    Raises UserError if it is damaged, or was changed while it was read.
    """
    settings = {
        # Without these two, all that was read stays in memory.
        "pre_buffer": False,
        "buffer_size": BYTES_PER_COLUMN,
        "read_dictionary": [*texts],
        "page_checksum_verification": True,
    }
    if isinstance(path, RemoteFile):
        settings["buffer_size"] = REMOTE_BYTES_PER_COLUMN
        with (
            path.opened() as remote,
            _damage_as_error(path),
            pq.ParquetFile(remote, **settings) as file,
        ):
            yield file
    else:
        # Arrow opens the file again by its name; it would wait for a pipe without end.
        regular_file.check(path, SAVE_AS_FILE)
        with _damage_as_error(path), pq.ParquetFile(path, **settings) as file:
            yield file


def _row_numbers(first: int, rows: Sequence[int]) -> list[int]:
    """See Block.places. first: the number of the block's first row in the file."""
    return [first + row for row in rows]


@contextmanager
def _damage_as_error(path: FilePath) -> Iterator[None]:
    """Turn Arrow's exceptions about a damaged file into UserError."""
    try:
        yield
    except (pa.ArrowException, OSError) as error:
        # For damaged bytes Arrow raises an OSError as well, which has no number.
        if isinstance(error, OSError) and (error.errno is not None or "AWS Error" in str(error)):
            raise
        reason = str(error).splitlines()[0].rstrip(".")
        raise UserError(
            f"{path}: not a complete Parquet file ({reason}); fetch or write it again, or name it"
            " .csv if it is one"
        ) from None
