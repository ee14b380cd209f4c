"""CSV files: columns of numbers, read block by block; whatever is not a number has its line.

A file is text in UTF-8 (a byte order mark is skipped) whose first line names the columns. Fields
are separated by commas, semicolons or tabs: by the one that is most frequent in the first line, or
that a line `sep=;` before it names. Fields may be quoted with "; quoted fields may hold separators,
line ends and doubled quotes, and a field that begins with a quote ends with one. Lines end with LF,
CRLF or CR; the last line may lack its end; empty lines are skipped. Spaces around names and numbers
are ignored. Only the columns that are asked for are read: other columns may hold anything.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import pyarrow as pa

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError
from pipeline.settings.sections import Read
from pipeline.tables import csv_heading, csv_rows
from pipeline.tables.csv_columns import Parser
from pipeline.tables.csv_rows import LONGEST_ROW_BYTES, Extent
from pipeline.tables.raw_file import SAVE_AS_FILE, Block, Heading

BYTES_PER_BLOCK = 8 << 20


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose first line was read.

    names: the columns' names, as the heading or a caller spells them.
    skip_empty_lines: True to skip an empty line before a row, False to refuse it.
    """

    path: Path
    names: tuple[str, ...]
    heading: Heading
    dialect: Read
    skip_empty_lines: bool = True
    unit: str = field(default="line", init=False)
    float32: frozenset[str] = field(default=frozenset(), init=False)
    texts_as_written: bool = field(default=True, init=False)

    @property
    def schema(self) -> pa.Schema:
        """Names of all columns, with the type text."""
        return pa.schema([(name, pa.string()) for name in self.names])

    @classmethod
    def open(cls, path: Path, dialect: Read, wanted: Sequence[str]) -> "CsvFile":
        """Read the first line. wanted: columns that it should name. Raises UserError."""
        heading = csv_heading.read(path, wanted)
        return cls(path, heading.names, heading, dialect)

    def blocks(self, columns: Sequence[int], numbers: Sequence[bool]) -> Iterator[Block]:
        """See RawFile.blocks."""
        parser = Parser(self.path, self.heading, self.dialect)
        empty_line: int | None = None
        for offset, text in self._texts():
            if not self.skip_empty_lines:
                empty_line = self._check_empty_lines(offset, text, empty_line)
            yield Block(
                parser.rows(text, columns, numbers, partial(self._line, offset)),
                len(text),
                partial(self._lines, offset, text),
                partial(_original, parser, text, columns),
                partial(parser.texts, text, range(len(self.names))),
                partial(csv_rows.records, text, self.heading.separator),
            )

    def _texts(self) -> Iterator[tuple[int, bytes]]:
        """Yield the offset of each block of whole rows in the file, and its bytes."""
        offset, rest = self.heading.start, b""
        with regular_file.opened(self.path, SAVE_AS_FILE) as file:
            file.seek(offset)
            while True:
                new = file.read(BYTES_PER_BLOCK)
                text = rest + new
                extent = csv_rows.whole_rows(text, self.heading.newline, self.heading.separator)
                self._check_extent(extent, offset, len(text), is_last=not new)
                end = extent.end if new else len(text)
                if re.search(rb"[^\r\n]", text[:end]):
                    yield offset, text[:end]
                if not new:
                    return
                offset, rest = offset + end, text[end:]

    def _check_extent(self, extent: Extent, offset: int, length: int, is_last: bool) -> None:
        """Raise UserError if quotes are wrong in a text, or if it has no whole row.

        offset, length: of the text in the file. is_last: True if the file ends with the text.
        """
        if extent.broken is not None:
            first, last = (self._line(offset + place) for place in extent.broken)
            raise UserError(
                f"{self.path}:{first}: found a quoted field with text after its closing quote, in"
                f" line {last}; close the quote where the field ends, and write a quote within it"
                ' twice ("")'
            )
        unclosed = extent.unclosed
        if unclosed is not None and (is_last or length - unclosed > LONGEST_ROW_BYTES):
            raise UserError(
                f"{self.path}:{self._line(offset + unclosed)}: found a quote that is never closed;"
                ' close it, or write a quote within a quoted field twice ("")'
            )
        if not is_last and not extent.end and length > LONGEST_ROW_BYTES:
            raise UserError(
                f"{self.path}:{self._line(offset)}: found a line of more than"
                f" {LONGEST_ROW_BYTES >> 20} MB; save the table with a line for each row"
            )

    def _check_empty_lines(self, offset: int, text: bytes, earlier: int | None) -> int | None:
        """Return the first empty line if no row follows it in `text`.

        earlier: such a line before this text.
        Raises UserError if a row follows an empty line.
        """
        if (line := earlier) is None:
            heading = self.heading
            place = csv_rows.first_empty_line(text, heading.newline, heading.separator)
            if place is None:
                return None
            lines_before, is_followed = place
            line = self._line(offset) + lines_before
            if not is_followed:
                return line
        raise UserError(
            f"{self.path}:{line}: found an empty line, which would have no answer; remove it, so"
            " that the answers come line by line"
        )

    def _line(self, offset: int) -> int:
        """Return the number of the line that has the byte at `offset`, counted from 1."""
        line = 1
        with regular_file.opened(self.path, SAVE_AS_FILE) as file:
            while offset and (text := file.read(min(offset, BYTES_PER_BLOCK))):
                line += text.count(self.heading.newline)
                offset -= len(text)
        return line

    def _lines(self, offset: int, text: bytes, rows: Sequence[int]) -> list[int]:
        """See Block.places."""
        fields = csv_rows.fields_of(text, self.heading.separator)
        lines = [line for line, _ in islice(fields, max(rows) + 1)]
        first = self._line(offset)
        return [first + lines[row] for row in rows]


def _original(parser: Parser, text: bytes, columns: Sequence[int], column: int) -> pa.ChunkedArray:
    """See Block.original."""
    return parser.texts(text, [columns[column]]).column(0)
