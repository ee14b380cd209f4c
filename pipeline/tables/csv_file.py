"""CSV files: columns of text and numbers, read block by block; whatever is wrong has its line.

The dialect, data.read, says how a file is written; by default it is text in UTF-8 (a byte order
mark is skipped) whose first line names the columns. Fields are separated by commas, semicolons,
tabs or vertical bars: by the one that is most frequent in the first line, or that a line `sep=;`
before it names. Fields may be quoted with "; quoted fields may hold separators, line ends and
doubled quotes, and a field that begins with a quote ends with one. Lines end with LF, CRLF or CR;
the last line may lack its end; empty lines are skipped. Blanks around names and values are ignored.
Columns at the end without a name and without values are ignored. Only the columns that are asked
for are read: other columns may hold anything.
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.settings.errors import UserError
from pipeline.settings.keys.sections import Read
from pipeline.tables import csv_heading, csv_rows
from pipeline.tables.csv_columns import Parser
from pipeline.tables.csv_rows import Extent
from pipeline.tables.raw_file import Block, Heading, Untyped
from pipeline.tables.text_source import LONGEST_ROW_BYTES, TextSource


@dataclass(frozen=True)
class CsvFile(Untyped):
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
    texts_as_written: bool = field(default=True, init=False)

    @classmethod
    def open(cls, path: Path, dialect: Read, wanted: Sequence[str] = ()) -> "CsvFile":
        """Read the first line. wanted: columns that it should name. Raises UserError."""
        heading = csv_heading.read(TextSource(path, dialect), wanted)
        return cls(path, heading.names, heading, dialect)

    def blocks(self, columns: Sequence[int], numbers: Sequence[bool]) -> Iterator[Block]:
        """See RawFile.blocks."""
        parser = Parser(self.path, self.heading, self.dialect)
        for line, size, text in self._texts():
            yield Block(
                parser.rows(text, columns, numbers, line),
                size,
                partial(self._lines, line, text),
                partial(_original, parser, text, columns),
                partial(parser.texts, text, range(len(self.names))),
                partial(csv_rows.records, text, self.heading.separator),
            )

    def texts(self) -> Iterator[pa.Table]:
        """See RawFile.texts."""
        parser = Parser(self.path, self.heading, self.dialect)
        for line, _, text in self._texts():
            columns = range(len(self.names))
            try:
                rows = parser.texts(text, columns)
            except pa.ArrowInvalid as error:
                parser.refuse(text, columns, line, error)
            yield rows.rename_columns(list(self.names))

    def _texts(self) -> Iterator[tuple[int, int, bytes]]:
        """Yield each block of whole rows: its first line, its bytes of the file, its text."""
        source = TextSource(self.path, self.dialect)
        heading, line, rest, position = self.heading, self.heading.line, b"", 0
        separators = " \t" if self.dialect.separator == "blank" else heading.separator
        empty_line: int | None = None
        skip = heading.start
        for chunk in itertools.chain(source.chunks(), [b""]):
            is_last = not chunk
            begin = min(skip, len(chunk))
            skip -= begin
            text = rest + chunk[begin:]
            if is_last and text and not text.endswith(heading.newline):
                text += heading.newline
            extent = csv_rows.whole_rows(text, heading.newline, separators)
            self._check_extent(extent, line, text, is_last)
            rows, rest = text[: extent.end], text[extent.end :]
            if not self.skip_empty_lines:
                empty_line = self._check_empty_lines(line, rows, separators, empty_line)
            if re.search(rb"[^\r\n]", rows):
                size, position = source.position - position, source.position
                if self.dialect.separator == "blank":
                    yield line, size, csv_rows.with_tabs(rows, heading.newline)
                else:
                    yield line, size, rows
            # A third of the time of bytes.count.
            characters = np.frombuffer(rows, np.uint8)
            line += int(np.count_nonzero(characters == ord(heading.newline)))

    def _check_extent(self, extent: Extent, line: int, text: bytes, is_last: bool) -> None:
        """Raise UserError if quotes are wrong in a text, or if it has no whole row.

        line: the number of its first line. is_last: True if the file ends with the text.
        """

        def line_at(offset: int) -> int:
            return line + text.count(self.heading.newline, 0, offset)

        if extent.broken is not None:
            first, last = map(line_at, extent.broken)
            raise UserError(
                f"{self.path}:{first}: found a quoted field with text after its closing quote, in"
                f" line {last}; close the quote where the field ends, and write a quote within it"
                ' twice ("")'
            )
        unclosed = extent.unclosed
        if unclosed is not None and (is_last or len(text) - unclosed > LONGEST_ROW_BYTES):
            raise UserError(
                f"{self.path}:{line_at(unclosed)}: found a quote that is never closed; close it, or"
                ' write a quote within a quoted field twice ("")'
            )
        if not is_last and not extent.end and len(text) > LONGEST_ROW_BYTES:
            raise UserError(
                f"{self.path}:{line}: found a line of more than {LONGEST_ROW_BYTES >> 20} MB; save"
                " the table with a line for each row"
            )

    def _check_empty_lines(
        self, first: int, text: bytes, separators: str, earlier: int | None
    ) -> int | None:
        """Return the first empty line if no row follows it in `text`.

        first: the number of its first line. earlier: an empty line before this text.
        Raises UserError if a row follows an empty line.
        """
        if not text:
            return earlier
        if (line := earlier) is None:
            place = csv_rows.first_empty_line(text, self.heading.newline, separators)
            if place is None:
                return None
            lines_before, is_followed = place
            line = first + lines_before
            if not is_followed:
                return line
        elif not re.search(rb"[^\r\n]", text):
            return earlier
        raise UserError(
            f"{self.path}:{line}: found an empty line, which would have no answer; remove it, so"
            " that the answers come line by line"
        )

    def _lines(self, first: int, text: bytes, rows: Sequence[int]) -> list[int]:
        """See Block.places. first: the number of the first line of `text`."""
        lines = csv_rows.lines_before(text, self.heading.newline, self.heading.separator)
        places: list[int] = (first + lines[np.asarray(rows, np.int64)]).tolist()
        return places


def _original(parser: Parser, text: bytes, columns: Sequence[int], column: int) -> pa.ChunkedArray:
    """See Block.original."""
    return parser.texts(text, [columns[column]]).column(0)
