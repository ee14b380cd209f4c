"""The first line of a CSV file: the names of the columns, and the separator between them."""

import csv
import io
import itertools
import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.settings.errors import UserError
from pipeline.settings.messages import show
from pipeline.tables import csv_rows
from pipeline.tables.column_names import same_name, with_names_for_all
from pipeline.tables.csv_rows import quoted_field
from pipeline.tables.raw_file import Heading
from pipeline.tables.text_source import TextSource

LONGEST_HEADING_BYTES = 8 << 20
ROWS_OF_BLANK_COLUMNS = 1_000
"""Rows without a header in which a column without values is blank."""
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_KINDS = {
    b"PAR1": "a Parquet file; name it .parquet",
    b"PK\x03\x04": "a zip or Excel file; name it .xlsx if it is one, else unpack it",
    b"\xd0\xcf\x11\xe0": "an old Excel file; save it as .xlsx",
    b"\x1f\x8b": "a file packed by gzip; name it .gz",
    b"BZh": "a file packed by bzip2; name it .bz2",
    b"\xfd7zXZ\0": "a file packed by xz; name it .xz",
    b"\x28\xb5\x2f\xfd": "a file packed by zstd; name it .zst",
    b"\xff\xfe": "text in UTF-16; write `encoding: utf-16` in params.yaml, under data: read:",
    b"\xfe\xff": "text in UTF-16; write `encoding: utf-16` in params.yaml, under data: read:",
}
"""Kinds of files that are not CSV, by their first bytes."""
_SEPARATOR_LINE = re.compile(rb'"?sep=([^\r\n"])"?[ \t]*(\r\n?|\n)', re.I)
"""A line before the names that gives Excel the separator; other readers take it for a name."""


def read(source: TextSource, wanted: Sequence[str]) -> Heading:
    """Read the first line of a file. wanted: columns that it should name.

    Raises UserError if the file has no first line, or is not text.
    """
    path, dialect = source.path, source.dialect
    head = _head(source)
    mark = _BYTE_ORDER_MARK if head.startswith(_BYTE_ORDER_MARK) else b""
    head = head[len(mark) :]
    begin = len(head) - len(head.lstrip(b"\r\n"))
    if begin == len(head):
        raise UserError(
            f"{path}: the file is empty; its first line must name the columns, and the rows follow"
        )
    if b"\0" in head:
        raise UserError(
            f"{path}: found bytes that are not text; save the table as CSV in UTF-8, or write its"
            " `encoding` in params.yaml, under data: read:"
        )
    separators = [*SEPARATORS] if dialect.separator == "auto" else [dialect.separator]
    if dialect.separator == "auto" and (declared := _SEPARATOR_LINE.match(head, begin)):
        separators = [_declared_separator(path, declared[1])]
        begin = declared.end()
    line, line_end = _first_line(path, head, begin)
    start = begin + len(line) + len(line_end)
    newline = line_end[-1:] or b"\n"
    if dialect.separator == "blank":
        separators = ["\t"]
        line = csv_rows.with_tabs(line, newline)
    separator, names = _names(_decoded(path, head, begin, line), separators, wanted)
    if dialect.header:
        following = start + len(head[start:]) - len(head[start:].lstrip(b"\r\n"))
        first_row = _row_at(head, following)
        if dialect.separator == "blank":
            first_row = csv_rows.with_tabs(first_row, newline)
    else:
        names, start, first_row, line = ("",) * len(names), begin, line, b""
    fields = next((each for _, each in csv_rows.fields_of(first_row, separator)), None)
    if not dialect.header:
        # A column may have its first values further down.
        rows = csv_rows.fields_of(_whole_lines(head, begin), separator)
        first_rows = [each for _, each in itertools.islice(rows, ROWS_OF_BLANK_COLUMNS)]
        if dialect.separator != "blank" and fields is not None:
            fields = _any_values(fields, first_rows)
    names, blank_columns = _without_blank_columns(names, fields, dialect.header)
    return Heading(
        text=mark + line,
        names=with_names_for_all(names),
        separator=separator,
        newline=newline,
        start=len(mark) + start,
        line=1 + head[:start].count(newline),
        blank_columns=blank_columns,
    )


def _head(source: TextSource) -> bytes:
    """Return the beginning of the file's text. Raises UserError for a file of another kind."""
    head = b""
    for chunk in source.chunks():
        head += chunk
        for first_bytes, kind in _OTHER_KINDS.items():
            if head.startswith(first_bytes):
                raise UserError(f"{source.path}: found {kind}")
        if len(head) >= LONGEST_HEADING_BYTES:
            break
    return head


def _declared_separator(path: Path, character: bytes) -> str:
    """Return the separator of a line `sep=;`. Raises UserError if it is not one of SEPARATORS."""
    separator = character.decode("latin-1")
    if separator not in SEPARATORS:
        raise UserError(
            f"{path}:1: found the separator {show(separator)}; must be a comma, a semicolon, a tab"
            " or a vertical bar; save the table with one of them"
        )
    return separator


def _first_line(path: Path, head: bytes, begin: int) -> tuple[bytes, bytes]:
    """Return the line at `begin`, and its line end, which the last line of a file may lack.

    Raises UserError if a quote in the line is not closed, or if the line has no end.
    """

    def number() -> int:
        return 1 + len(re.findall(rb"\r\n?|\n", head[:begin]))

    pattern = re.compile(quoted_field("".join(SEPARATORS) + " ") + rb"|(\r\n?|\n)")
    for match in pattern.finditer(head, begin):
        closing_quote, line_end = match.groups()
        if line_end:
            return head[begin : match.start()], line_end
        if not closing_quote:
            raise UserError(f"{path}:{number()}: found a quote that is never closed; close it")
    if len(head) >= LONGEST_HEADING_BYTES:
        raise UserError(
            f"{path}:{number()}: found no end of the line in {LONGEST_HEADING_BYTES >> 20} MB; the"
            " first line must name the columns"
        )
    return head[begin:], b""


def _row_at(head: bytes, begin: int) -> bytes:
    """Return the line at `begin`; nothing if it does not end in `head`: it may be long."""
    try:
        line, line_end = _first_line(Path(), head, begin)
    except UserError:
        return b""
    return line if line_end or len(head) < LONGEST_HEADING_BYTES else b""


def _whole_lines(head: bytes, begin: int) -> bytes:
    """Return the text from `begin`, without a line that may be cut."""
    if len(head) < LONGEST_HEADING_BYTES:
        return head[begin:]
    return head[begin : max(head.rfind(b"\n"), head.rfind(b"\r")) + 1]


def _any_values(fields: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return for each field of the first row a value that it has in some row, else ""."""
    return [
        next((row[place] for row in rows if place < len(row) and row[place].strip()), "")
        for place in range(len(fields))
    ]


def _decoded(path: Path, head: bytes, begin: int, line: bytes) -> str:
    """Return the text of the line at `begin`. Raises UserError if it is not UTF-8."""
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        number = 1 + len(re.findall(rb"\r\n?|\n", head[:begin]))
        raise UserError(
            f"{path}:{number}: found the byte 0x{line[error.start]:02x}, which is not UTF-8;"
            f" {csv_rows.ENCODING_CURE}"
        ) from None


def _names(
    line: str, separators: Sequence[str], wanted: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """Return the separator in the first line, one of `separators`, and the names between it."""
    unquoted = re.sub(r'"[^"]*"', "", line)
    readings = []
    for separator in sorted(separators, key=unquoted.count, reverse=True):
        fields = next(csv.reader(io.StringIO(line, newline=""), delimiter=separator))
        readings.append((separator, tuple(name.strip() for name in fields)))
    # Names may have commas in them, "weight, kg", as many as there are semicolons between them.
    wanted_names = set(map(same_name, wanted))
    for separator, names in readings:
        if wanted_names <= set(map(same_name, names)):
            return separator, names
    return readings[0]


def _without_blank_columns(
    names: tuple[str, ...], fields: Sequence[str] | None, has_header: bool
) -> tuple[tuple[str, ...], int]:
    """Return the names of the columns, and the number of blank columns after them.

    Lines that all end with separators have columns without a name and without values.
    names: in the first line. fields: of the first row, or None if there is no row.
    """
    named = len(names)
    if has_header:
        while named and not names[named - 1]:
            named -= 1
    elif fields is not None:
        while named and not fields[named - 1].strip():
            named -= 1
    width = len(names) if fields is None else len(fields)
    is_blank = fields is None or not any(field.strip() for field in fields[named:])
    if named and is_blank and width >= named:
        return names[:named], width - named
    return names, 0
