"""Profile of a file: how it is written, what each column holds, and some rows as a sample."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.profiling import dialect, encoding, number_marks, stand_ins
from pipeline.profiling.columns import Column
from pipeline.profiling.dialect import Dialect
from pipeline.profiling.kinds import kind
from pipeline.settings.keys.sections import Read
from pipeline.tables import raw_files
from pipeline.tables.opening import open_file

FIRST_SAMPLE_ROWS, LATER_SAMPLE_ROWS = 20_000, 500
MOST_SAMPLE_ROWS = 50_000


@dataclass(frozen=True)
class TableProfile:
    """A profile.

    read: the settings for the file. notes: why they are so, by their names, where it is doubtful.
    dialect: of a text file, else None. columns: in the file's order. sample: rows as the file has
    them, with the places of the columns as names.
    """

    path: Path
    read: Read
    notes: dict[str, str]
    dialect: Dialect | None
    rows: int
    columns: tuple[Column, ...]
    sample: pa.Table

    def column(self, name: str) -> Column:
        """Return the column of that name. Raises StopIteration if there is none."""
        return next(column for column in self.columns if column.name == name)

    def place(self, column: Column) -> int:
        """Return the index of a column in the file."""
        return next(place for place, each in enumerate(self.columns) if each is column)


def of(path: Path, targets: Sequence[str]) -> TableProfile:
    """Read a file, as a rule once; twice if what is guessed from its ends is not so in the middle.

    targets: names of columns. Raises UserError if the file cannot be read.
    """
    written: Dialect | None = None
    read, notes = Read.usual(), dict[str, str]()
    if raw_files.kind(path) in raw_files.CSV:
        encoding_name = encoding.of(path)
        head, tail = encoding.ends(path, encoding_name)
        written = dialect.sniff(head, tail, targets)
        read = written.read(encoding_name)
        read = _with_marks(read, _sampled(written, read), notes, written)
    columns, sample = _counted(path, read)
    better = _with_marks(read, columns, notes, written)
    better = stand_ins.added(better, columns, notes)
    if better != read:
        columns, sample = _counted(path, better)
    return TableProfile(path, better, notes, written, columns[0].rows, columns, sample)


def blocks(path: Path, read: Read) -> Iterator[pa.Table]:
    """Yield the file in blocks of rows, all columns, by their places."""
    for block in open_file(path, read).texts():
        yield block.rename_columns([str(place) for place in range(block.num_columns)])


def _counted(path: Path, read: Read) -> tuple[tuple[Column, ...], pa.Table]:
    file = open_file(path, read)
    columns = tuple(Column(name, read, file.texts_as_written) for name in file.names)
    samples: list[pa.Table] = []
    for block in file.texts():
        for place, column in enumerate(columns):
            column.add(block.column(place))
        if sum(sample.num_rows for sample in samples) < MOST_SAMPLE_ROWS:
            part = block.slice(0, LATER_SAMPLE_ROWS if samples else FIRST_SAMPLE_ROWS)
            samples.append(part.rename_columns([str(place) for place in range(len(columns))]))
    for column in columns:
        if kind(column) in ("text", "empty"):
            column.take_words_as_levels()
    names = [str(place) for place in range(len(columns))]
    empty = pa.table({name: pa.array([], pa.string()) for name in names})
    return columns, pa.concat_tables(samples) if samples else empty


def _sampled(written: Dialect, read: Read) -> tuple[Column, ...]:
    """Return the columns of the rows that the dialect was found from."""
    rows = written.rows if written.header else (written.first, *written.rows)
    columns = []
    for place, fields in enumerate(zip(*rows, strict=False)):
        column = Column(str(place), read, as_written=True)
        column.add(pa.chunked_array([pa.array(fields, pa.string())]))
        columns.append(column)
    return tuple(columns)


def _with_marks(
    read: Read, columns: Sequence[Column], notes: dict[str, str], written: Dialect | None
) -> Read:
    """Return the settings with the marks of the numbers, if there are others than points."""
    if (read.decimal, read.thousands) != (".", None):
        return read
    by_name: dict[str, Counter[str]] = {}
    for column in columns:
        numbers = sum(column.forms[form] for form in (*number_marks.PATTERNS, "plain"))
        if 2 * numbers >= column.known > 0:
            by_name[str(len(by_name))] = column.forms
            if column.wrong_rows < column.known and not column.integers:
                column.forms["point"] += 1
    has_semicolons = written is not None and written.separator == ";"
    decimal, thousands, doubt = number_marks.marks(by_name, has_semicolons)
    if doubt:
        notes["thousands" if thousands else "decimal"] = doubt
    return read.model_copy(update={"decimal": decimal, "thousands": thousands})
