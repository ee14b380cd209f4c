"""Rows in the text of a CSV file: where each ends, although quoted fields may hold line ends."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.tables.text_source import LONGEST_ROW_BYTES

ENCODING_CURE = "write the encoding in params.yaml, under data: read:, such as `encoding: cp1252`"

# Python's own limit is 131,072 characters. A first line that does not have the separator that is
# tried is one field.
csv.field_size_limit(2 * LONGEST_ROW_BYTES)


@dataclass(frozen=True)
class Extent:
    """End of the whole rows at the beginning of a text, and the first wrong quotes: byte offsets.

    end: the end of the last whole row.
    unclosed: the quote that opens a field and is not closed within the text.
    broken: the opening and the closing quote of the first field that has text after its closing
        quote.
    """

    end: int
    unclosed: int | None = None
    broken: tuple[int, int] | None = None


def whole_rows(text: bytes, newline: bytes, separator: str) -> Extent:
    """Return the end of the whole rows in `text`, and its first wrong quotes.

    A quote opens a field only at its beginning; anywhere else it is a character like others. Other
    readers continue a field after its closing quote, so that a forgotten quote would swallow all
    rows up to the next quote; such a field is reported as broken.
    """
    if b'"' not in text:
        return Extent(text.rfind(newline) + 1)
    characters = np.frombuffer(text, np.uint8)
    quotes = np.flatnonzero(characters == ord('"'))
    begins, ends = quotes[0::2], quotes[1::2]
    borders = b"\r\n" + separator.encode()
    if not _open_at_borders(characters, begins, separator):
        # Some quote is inside a field. This takes ten times as long.
        fields = list(re.finditer(quoted_field(separator), text))
        begins = np.array([match.start() for match in fields], np.intp)
        ends = np.array([match.start(1) for match in fields if match[1]], np.intp)
    unclosed = int(begins[-1]) if len(ends) < len(begins) else None

    after = characters[np.minimum(ends + 1, len(text) - 1)]  # not known yet at the end of the text
    wrong = np.flatnonzero(~np.isin(after, np.frombuffer(borders + b'" \t', np.uint8)))
    if len(wrong):
        return Extent(0, None, (int(begins[wrong[0]]), int(ends[wrong[0]])))

    end = text.rfind(newline) if unclosed is None else text.rfind(newline, 0, unclosed)
    while end >= 0:
        index = int(np.searchsorted(begins, end)) - 1
        if index < 0 or ends[index] < end:
            break
        end = text.rfind(newline, 0, int(begins[index]))
    return Extent(end + 1, unclosed)


def quoted_field(separators: str) -> bytes:
    """Return a regular expression for a quoted field; its group is the closing quote, if any."""
    return rb'(?<![^\r\n%s])"[^"]*(?:""[^"]*)*("|\Z)' % separators.encode()


def fields_of(text: bytes, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Yield the fields of each row in `text`, with the number of lines before the row."""
    # Bytes that are not UTF-8 become characters that no text has.
    lines = io.StringIO(text.decode(errors="surrogateescape"), newline="")
    reader = csv.reader(lines, delimiter=separator)
    lines_before = 0
    for fields in reader:
        if fields:
            yield lines_before, fields
        lines_before = reader.line_num


def lines_before(text: bytes, newline: bytes, separator: str) -> NDArray[np.int64]:
    """Return the number of lines before each row in `text`: [rows]. Lines may be empty."""
    characters = np.frombuffer(text, np.uint8)
    line_ends = np.flatnonzero(characters == ord(newline))
    ends = line_ends
    if b'"' in text:
        quotes = np.flatnonzero(characters == ord('"'))
        if not _open_at_borders(characters, quotes[0::2], separator):
            # Some quote is inside a field. Python's reader takes a hundred times as long.
            lines = [line for line, _ in fields_of(text, separator)]
            return np.array(lines, np.int64)
        ends = line_ends[np.searchsorted(quotes, line_ends) % 2 == 0]
    if len(text) and (not len(ends) or ends[-1] < len(text) - 1):
        ends = np.append(ends, len(text))  # the last line, without its end
    starts = np.concatenate([[0], ends[:-1] + 1]) if len(ends) else np.empty(0, np.int64)
    lengths = ends - starts
    is_row = lengths > 0
    is_row[lengths == 1] = characters[starts[lengths == 1]] != ord("\r")
    return np.searchsorted(line_ends, starts[is_row]).astype(np.int64)


def _open_at_borders(
    characters: NDArray[np.uint8], begins: NDArray[np.int64], separator: str
) -> bool:
    """Return True if each of the quotes at `begins` opens a field, or is one of two in a field."""
    before = characters[begins - 1]  # the last character for a quote at 0, which does not matter
    borders = np.frombuffer(b'\r\n"' + separator.encode(), np.uint8)
    return bool((np.isin(before, borders) | (begins == 0)).all())


def records(text: bytes, separator: str) -> list[bytes]:
    """Return the text of each row in `text` without its line end."""
    if b'"' not in text:
        return [line for line in text.splitlines() if line]
    unquoted = re.sub(quoted_field(separator), lambda field: b"_" * len(field[0]), text)
    rows, begin = [], 0
    for line in unquoted.splitlines(keepends=True):
        if length := len(line.rstrip(b"\r\n")):
            rows.append(text[begin : begin + length])
        begin += len(line)
    return rows


def first_empty_line(text: bytes, newline: bytes, separator: str) -> tuple[int, bool] | None:
    """Return the number of lines before the first empty line, and True if a row follows it."""
    unquoted = re.sub(quoted_field(separator), b"", text) if b'"' in text else text
    two_ends = (newline + newline, newline + b"\r" + newline)
    if not unquoted.startswith((newline, b"\r" + newline)) and not any(
        ends in unquoted for ends in two_ends
    ):
        return None
    lines = io.StringIO(text.decode(errors="backslashreplace"), newline="")
    reader = csv.reader(lines, delimiter=separator)
    line = next((reader.line_num for fields in reader if not fields), None)
    return None if line is None else (line - 1, any(reader))


def with_tabs(text: bytes, newline: bytes) -> bytes:
    """Return rows whose fields are divided by blanks as rows divided by one tab each."""
    if b'"' not in text:
        return newline.join([b"\t".join(line.split()) for line in text.split(newline)])
    pattern = quoted_field(" \t") + rb"|(?<![^\r\n])[ \t]+|[ \t]+(?=[\r\n]|\Z)|([ \t]+)"

    def replacement(match: re.Match[bytes]) -> bytes:
        if match[0][:1] == b'"':
            return match[0]
        return b"\t" if match[2] else b""

    return re.sub(pattern, replacement, text)
