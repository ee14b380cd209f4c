"""CSV files: columns of numbers, read block by block, and the line of whatever is no number.

A file is text in UTF-8 (a byte order mark is skipped) whose first line names the columns. Fields
are separated by commas, semicolons or tabs, whichever the first line has most of or a line `sep=;`
before it says, and may be quoted with "; quoted fields may hold separators, line ends and doubled
quotes, and a field that opens with a quote ends with one. Lines end with LF, CRLF or CR; the last
may lack its end; empty lines are skipped. Spaces around names and numbers are no part of them. Only
the columns asked for are looked into: others may hold anything.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, show
from pipeline.tables import advice
from pipeline.tables.advice import Asked, Mistakes
from pipeline.tables.table import NO_FILE, Block, Heading, same_name

BLOCK = 8 << 20  # bytes of text that are read at a time
SHARE = 1 << 20  # of these, how many a thread parses at a time
LONGEST = 64 << 20  # bytes of a row; longer ones are quotes that were never closed
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
MISSING = ["", "NA", "N/A", "#N/A", "NaN", "nan", "NAN", "-nan", "-NaN", "NULL", "Null", "null"]
MISSING += ["n/a", "na", "None", "none", "<NA>", "#NA", "?", "-", "."]

# What these files are, by their first bytes, when they are no text.
_MAGIC = {
    b"PAR1": "a Parquet file; name it .parquet",
    b"PK\x03\x04": "a zip or Excel file; save the table as CSV",
    b"\x1f\x8b": "compressed; unpack it",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}
# No two quantifiers of one character stand side by side: of a long field that is no number every
# division into two would be tried.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.I | re.A)
_INTEGER = r"^[ \t]*[+-]?[0-9]+[ \t]*$"
_SEPARATOR_LINE = re.compile(rb'"?sep=([^\r\n"])"?[ \t]*(\r\n?|\n)', re.I)
"""A line before the names that tells Excel the separator; other readers take it for a name."""

# Python's own limit is 131,072 characters; a line of names in which a separator is sought that it
# does not have is one field.
csv.field_size_limit(2 * LONGEST)


@dataclass(frozen=True)
class CsvFile:
    """A CSV file whose first line was read.

    heading: the first line, after a line `sep=;`.
    start: where the lines after the first begin, in bytes.
    gaps: whether empty lines are skipped, or refused unless nothing follows them.
    """

    path: Path
    names: tuple[str, ...]
    heading: Heading
    newline: bytes
    start: int
    gaps: bool = True
    unit: str = field(default="line", init=False)
    float32: frozenset[str] = field(default=frozenset(), init=False)

    @property
    def separator(self) -> str:
        """The separator between the fields."""
        return self.heading.separator

    @property
    def kept(self) -> pa.Schema:
        """All columns, as text."""
        return pa.schema([(name, pa.string()) for name in self.names])

    @classmethod
    def open(cls, path: Path, wanted: Sequence[str]) -> "CsvFile":
        """Read the first line of `path`. `wanted`: columns that it should name.

        Raises UserError if there is none, or if it is no text.
        """
        with regular_file.opened(path, NO_FILE) as file:
            head = file.read(BLOCK)
        for magic, kind in _MAGIC.items():
            if head.startswith(magic):
                raise UserError(f"{path}: found {kind}")
        begin = len(mark := b"\xef\xbb\xbf" if head.startswith(b"\xef\xbb\xbf") else b"")
        begin += len(head[begin:]) - len(head[begin:].lstrip(b"\r\n"))
        if begin == len(head):
            raise UserError(
                f"{path}: the file is empty; its first line must name the columns, and the rows"
                " follow"
            )
        if b"\0" in head:
            raise UserError(f"{path}: found bytes that are no text; save the table as CSV in UTF-8")
        told = _SEPARATOR_LINE.match(head, begin)
        if told and told[1].decode("latin-1") not in SEPARATORS:
            raise UserError(
                f"{path}:1: found the separator {show(told[1].decode('latin-1'))}; must be a comma,"
                " a semicolon or a tab; save the table with one of them"
            )
        begin = told.end() if told else begin
        line, newline = head[begin:], b""
        for found in re.finditer(_quoted(",;\t") + rb"|(\r\n?|\n)", line):
            if newline := found[2] or b"":
                line = line[: found.start()]
                break
            if not found[1]:
                raise UserError(
                    f"{path}:{1 + bool(told)}: found a quote that is never closed; close it"
                )
        if not newline and len(head) == BLOCK:
            raise UserError(
                f"{path}:1: found no end of the first line in {BLOCK >> 20} MB; it must name the"
                " columns"
            )
        try:
            text = line.decode()
        except UnicodeDecodeError as error:
            raise UserError(
                f"{path}:1: found the byte 0x{line[error.start]:02x}, which is not UTF-8; save the"
                " file as UTF-8"
            ) from None
        separators = [told[1].decode()] if told else [*SEPARATORS]
        separator, names = _names(text, separators, wanted)
        start = begin + len(line) + len(newline)
        heading = Heading(mark + line, separator)
        return cls(path, names, heading, newline[-1:] or b"\n", start)

    def blocks(self, columns: Sequence[int], asked: Asked) -> Iterator[Block]:
        """The numbers in `columns`, given by their indices, block by block.

        asked: what they are asked for, for messages.
        Raises UserError with the line of a field that is no number, or of too few or many fields.
        """
        last_gap: int | None = None  # the line of one at the end of what was read
        for offset, text in self._texts():
            if not self.gaps:
                last_gap = self._check_gaps(offset, text, last_gap)
            values = self._parse(text, columns)
            if values is None:
                values = self._parse_slowly(offset, text, columns, asked)
            yield Block(
                values,
                len(text),
                partial(self._lines, offset, text),
                partial(self._inexact, text, columns),
                partial(self._read, text, range(len(self.names)), pa.string(), len(text)),
                partial(self._as_written, text),
            )

    def _texts(self) -> Iterator[tuple[int, bytes]]:
        """Where each block of whole rows begins in the file, and its bytes."""
        offset, rest = self.start, b""
        with regular_file.opened(self.path, NO_FILE) as file:
            file.seek(self.start)
            while True:
                new = file.read(BLOCK)
                text = rest + new
                end, opened, broken = _cut(text, self.newline, self.separator)
                if broken is not None:
                    first, last = (self._line(offset + place) for place in broken)
                    raise UserError(
                        f"{self.path}:{first}: found a quoted field that goes on after its closing"
                        f" quote, in line {last}; close the quote where the field ends, and write a"
                        ' quote within it twice ("")'
                    )
                if opened is not None and (not new or len(text) - opened > LONGEST):
                    raise UserError(
                        f"{self.path}:{self._line(offset + opened)}: found a quote that is never"
                        ' closed; close it, or write a quote within a quoted field twice ("")'
                    )
                if not new:
                    end = len(text)
                elif not end and len(text) > LONGEST:
                    raise UserError(
                        f"{self.path}:{self._line(offset)}: found a line of more than"
                        f" {LONGEST >> 20} MB; save the table with a line for each row"
                    )
                if re.search(rb"[^\r\n]", text[:end]):
                    yield offset, text[:end]
                if not new:
                    return
                offset, rest = offset + end, text[end:]

    def _parse(self, text: bytes, columns: Sequence[int]) -> NDArray[np.float64] | None:
        """The numbers in `columns`, correctly rounded; None if the fast reader finds a mistake."""
        try:
            arrow = self._read(text, columns, pa.float64())
        except pa.ArrowException:
            try:  # A row may be longer than the share of a thread.
                arrow = self._read(text, columns, pa.float64(), len(text))
            except pa.ArrowException:
                return None
        values = np.empty((arrow.num_rows, len(columns)), order="F")
        for index, column in enumerate(arrow.columns):
            begin = 0
            for chunk in column.chunks:
                # Not to_numpy: it imports pandas.
                if chunk.null_count:
                    chunk = chunk.fill_null(float("nan"))
                values[begin : begin + len(chunk), index] = np.from_dlpack(chunk)
                begin += len(chunk)
        return values

    def _read(
        self, text: bytes, columns: Sequence[int], kind: pa.DataType, share: int = SHARE
    ) -> pa.Table:
        # Columns go by number: a name may be there twice among those nobody asked for.
        asked = [str(column) for column in columns]
        return pyarrow.csv.read_csv(
            pa.BufferReader(text),
            pyarrow.csv.ReadOptions(
                column_names=[str(index) for index in range(len(self.names))],
                block_size=share,
            ),
            pyarrow.csv.ParseOptions(delimiter=self.separator, newlines_in_values=b'"' in text),
            pyarrow.csv.ConvertOptions(
                include_columns=asked,
                column_types=dict.fromkeys(asked, kind),
                null_values=MISSING,
            ),
        )

    def _check_gaps(self, offset: int, text: bytes, before: int | None) -> int | None:
        """The line of the first empty line in `text` if nothing follows it there.

        Raises UserError if something does, or if there was one `before`.
        """
        line = before
        if line is None:
            bare = re.sub(_quoted(self.separator), b"", text) if b'"' in text else text
            end = self.newline
            ends = (end + end, end + b"\r" + end)
            if not bare.startswith((end, b"\r" + end)) and not any(two in bare for two in ends):
                return None
            lines = io.StringIO(text.decode(errors="backslashreplace"), newline="")
            reader = csv.reader(lines, delimiter=self.separator)
            line = next((reader.line_num for fields in reader if not fields), None)
            if line is None:
                return None
            line += self._line(offset) - 1
            if not any(reader):
                return line
        raise UserError(
            f"{self.path}:{line}: found an empty line, which would have no answer; take it away, so"
            " that the answers come line by line"
        )

    def _parse_slowly(
        self, offset: int, text: bytes, columns: Sequence[int], asked: Asked
    ) -> NDArray[np.float64]:
        """`_parse` by Python: with the line of a mistake, and with spaces around what is missing.

        Raises UserError.
        """
        found: list[list[float]] = []
        wrong: dict[int, tuple[int, str]] = {}  # of a column, the first line and text
        first = self._line(offset)
        for line, fields in self._records(text):
            if len(fields) != len(self.names):
                raise UserError(f"{self.path}:{first + line}: {self._width(fields, found)}")
            row = []
            for column in columns:
                field = fields[column].strip(" \t")
                if field in MISSING:
                    row.append(float("nan"))
                elif _NUMBER.fullmatch(field):
                    row.append(float(field))
                else:
                    wrong.setdefault(column, (first + line, field))
            found.append(row)
        if wrong:
            raise UserError(advice.told(self.path, self._mistakes(text, wrong), asked))
        return np.array(found, order="F").reshape(len(found), len(columns))

    def _mistakes(self, text: bytes, wrong: Mapping[int, tuple[int, str]]) -> dict[str, Mistakes]:
        """All the fields of the columns that have something else than numbers."""
        mistakes = {column: Mistakes(*first, [], []) for column, first in wrong.items()}
        for _, fields in self._records(text):
            for column, there in mistakes.items():
                field = fields[column].strip(" \t")
                if field not in MISSING:
                    (there.right if _NUMBER.fullmatch(field) else there.wrong).append(field)
        return {self.names[column]: mistakes[column] for column in sorted(mistakes)}

    def _width(self, fields: Sequence[str], before: Sequence[object]) -> str:
        """What to say of a row with too few or too many fields."""
        separator = SEPARATORS[self.separator]
        if len(fields) < len(self.names):
            cure = "the row may be cut short"
        elif len(fields) == len(self.names) + 1 and not fields[-1].strip():
            cure = f"take away the {separator} at the end, or put one after the names too"
        elif len(fields) == len(self.names) + 1 and not before:
            cure = f"if the first field is a row's label, put a {separator} before the names"
        elif separator == "comma":
            cure = "quote text that has a comma in it, and write decimals with a point"
        else:
            cure = f"quote text that has a {separator} in it"
        return (
            f"found {count(len(fields), 'field')}; must be {len(self.names)}, one for each name in"
            f" the first line; {cure}"
        )

    def _records(self, text: bytes) -> Iterator[tuple[int, list[str]]]:
        """The rows in `text`, each with the number of lines before it."""
        lines = io.StringIO(text.decode(errors="backslashreplace"), newline="")
        reader = csv.reader(lines, delimiter=self.separator)
        before = 0
        for fields in reader:
            if fields:
                yield before, fields
            before = reader.line_num

    def _as_written(self, text: bytes) -> list[bytes]:
        """The text of each row in `text`."""
        if b'"' not in text:
            return [line for line in text.splitlines() if line]
        bare = re.sub(_quoted(self.separator), lambda field: b"_" * len(field[0]), text)
        rows, begin = [], 0
        for line in bare.splitlines(keepends=True):
            if length := len(line.rstrip(b"\r\n")):
                rows.append(text[begin : begin + length])
            begin += len(line)
        return rows

    def _line(self, offset: int) -> int:
        """The number of the line that has the byte at `offset`, counted from 1."""
        line = 1
        with regular_file.opened(self.path, NO_FILE) as file:
            while offset and (text := file.read(min(offset, BLOCK))):
                line += text.count(self.newline)
                offset -= len(text)
        return line

    def _lines(self, offset: int, text: bytes, rows: Sequence[int]) -> list[int]:
        """See Block.places."""
        lines = [line for line, _ in islice(self._records(text), max(rows) + 1)]
        first = self._line(offset)
        return [first + lines[row] for row in rows]

    def _inexact(
        self, text: bytes, columns: Sequence[int], column: int, rows: NDArray[np.intp]
    ) -> list[tuple[int, int]]:
        """See Block.inexact."""
        if not len(rows):
            return []
        from pyarrow import compute  # 25 ms that only these rare columns need

        fields = self._read(text, [columns[column]], pa.string(), len(text)).column(0)
        matched = compute.match_substring_regex(fields, _INTEGER)
        integers = compute.indices_nonzero(matched)
        wanted = set(rows.tolist())
        found = [
            # Python takes no more than 4,300 digits, of which these can only be zeros.
            (row, int(re.sub(r"^\s*([+-]?)0+(?=\d)", r"\1", text)))
            for row, text in zip(
                integers.to_pylist(), fields.take(integers).to_pylist(), strict=True
            )
            if row in wanted
        ]
        return [(row, value) for row, value in found if int(float(value)) != value]


def _names(
    line: str, separators: Sequence[str], wanted: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """The separator in the first line, one of `separators`, and the names that it separates."""
    bare = re.sub(r'"[^"]*"', "", line)
    found = []
    for separator in sorted(separators, key=bare.count, reverse=True):
        fields = next(csv.reader(io.StringIO(line, newline=""), delimiter=separator))
        found.append((separator, tuple(name.strip() for name in fields)))
    # Names may have commas in them, "weight, kg", as many as there are semicolons between them.
    asked = set(map(same_name, wanted))
    for separator, names in found:
        if asked <= set(map(same_name, names)):
            return separator, names
    return found[0]


def _cut(
    text: bytes, newline: bytes, separator: str
) -> tuple[int, int | None, tuple[int, int] | None]:
    """Where the last whole row in `text` ends, and where quotes go wrong.

    That is where a quote opens that is not closed, and where a quoted field begins and ends after
    which comes neither a separator nor the end of the line. Readers take such a field to go on, and
    so a forgotten quote would swallow all rows up to the next one.
    A quote opens a field only at its beginning; anywhere else it is a character like others.
    """
    if b'"' not in text:
        return text.rfind(newline) + 1, None, None
    characters = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(characters == ord('"'))
    begins, ends = quotes[0::2], quotes[1::2]
    before = characters[begins - 1]  # of a quote at 0 it is the last one, which does not matter
    borders = b"\r\n" + separator.encode()
    usual = np.isin(before, np.frombuffer(borders + b'"', np.uint8)) | (begins == 0)
    if not usual.all():
        # Some quote stands within a field. This takes ten times as long.
        fields = list(re.finditer(_quoted(separator), text))
        begins = np.array([match.start() for match in fields], np.intp)
        ends = np.array([match.start(1) for match in fields if match[1]], np.intp)
    opened = int(begins[-1]) if len(ends) < len(begins) else None

    after = characters[np.minimum(ends + 1, len(text) - 1)]  # the last one: not known yet
    wrong = np.flatnonzero(~np.isin(after, np.frombuffer(borders + b'" \t', np.uint8)))
    if len(wrong):
        return 0, None, (int(begins[wrong[0]]), int(ends[wrong[0]]))

    end = text.rfind(newline) if opened is None else text.rfind(newline, 0, opened)
    while end >= 0:
        index = int(np.searchsorted(begins, end)) - 1
        if index < 0 or ends[index] < end:
            break
        end = text.rfind(newline, 0, int(begins[index]))
    return end + 1, opened, None


def _quoted(separators: str) -> bytes:
    """A regular expression for a quoted field; its group is the closing quote, if there is one."""
    return rb'(?<![^\r\n%s])"[^"]*(?:""[^"]*)*("|\Z)' % separators.encode()
