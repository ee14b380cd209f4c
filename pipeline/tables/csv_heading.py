"""The first line of a CSV file: the names of the columns, and the separator between them."""

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError
from pipeline.settings.messages import show
from pipeline.tables.column_names import same_name
from pipeline.tables.csv_rows import quoted_field
from pipeline.tables.raw_file import SAVE_AS_FILE, Heading

LONGEST_HEADING_BYTES = 8 << 20
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OTHER_KINDS = {
    b"PAR1": "a Parquet file; name it .parquet",
    b"PK\x03\x04": "a zip or Excel file; save the table as CSV",
    b"\x1f\x8b": "a compressed file; unpack it",
    b"\xff\xfe": "text in UTF-16; save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; save it as UTF-8",
}
"""Kinds of files that are not CSV, by their first bytes."""
_SEPARATOR_LINE = re.compile(rb'"?sep=([^\r\n"])"?[ \t]*(\r\n?|\n)', re.I)
"""A line before the names that gives Excel the separator; other readers take it for a name."""


def read(path: Path, wanted: Sequence[str]) -> Heading:
    """Read the first line of the file. wanted: columns that it should name.

    Raises UserError if the file has no first line, or is not text.
    """
    with regular_file.opened(path, SAVE_AS_FILE) as file:
        head = file.read(LONGEST_HEADING_BYTES)
    for first_bytes, kind in _OTHER_KINDS.items():
        if head.startswith(first_bytes):
            raise UserError(f"{path}: found {kind}")
    mark = _BYTE_ORDER_MARK if head.startswith(_BYTE_ORDER_MARK) else b""
    begin = len(head) - len(head[len(mark) :].lstrip(b"\r\n"))
    if begin == len(head):
        raise UserError(
            f"{path}: the file is empty; its first line must name the columns, and the rows follow"
        )
    if b"\0" in head:
        raise UserError(f"{path}: found bytes that are not text; save the table as CSV in UTF-8")
    separators = [*SEPARATORS]
    number = 1
    if declared := _SEPARATOR_LINE.match(head, begin):
        separators = [_declared_separator(path, declared[1])]
        begin, number = declared.end(), 2
    line, line_end = _first_line(path, head[begin:], number)
    if not line_end and len(head) == LONGEST_HEADING_BYTES:
        raise UserError(
            f"{path}:{number}: found no end of the first line in {LONGEST_HEADING_BYTES >> 20} MB;"
            " it must name the columns"
        )
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path}:{number}: found the byte 0x{line[error.start]:02x}, which is not UTF-8; save"
            " the file as UTF-8"
        ) from None
    separator, names = _names(text, separators, wanted)
    start = begin + len(line) + len(line_end)
    return Heading(mark + line, names, separator, line_end[-1:] or b"\n", start)


def _declared_separator(path: Path, character: bytes) -> str:
    """Return the separator of a line `sep=;`. Raises UserError if it is not one of SEPARATORS."""
    separator = character.decode("latin-1")
    if separator not in SEPARATORS:
        raise UserError(
            f"{path}:1: found the separator {show(separator)}; must be a comma, a semicolon or a"
            " tab; save the table with one of them"
        )
    return separator


def _first_line(path: Path, head: bytes, number: int) -> tuple[bytes, bytes]:
    """Return the first line of `head` and its line end, which the last line of a file may lack.

    number: the number of the line in the file.
    Raises UserError if a quote in it is not closed.
    """
    for match in re.finditer(quoted_field("".join(SEPARATORS)) + rb"|(\r\n?|\n)", head):
        closing_quote, line_end = match.groups()
        if line_end:
            return head[: match.start()], line_end
        if not closing_quote:
            raise UserError(f"{path}:{number}: found a quote that is never closed; close it")
    return head, b""


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
