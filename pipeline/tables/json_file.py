"""JSON files of flat records: a list of them, or one after the other, as in .jsonl and .ndjson."""

import codecs
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.settings.errors import UserError
from pipeline.settings.keys.sections import Read
from pipeline.settings.messages import show
from pipeline.tables import cells
from pipeline.tables.raw_file import Block, Untyped
from pipeline.tables.text_source import LONGEST_ROW_BYTES, TextSource

RECORDS_WITH_ALL_NAMES = 10_000
"""Records at the beginning, of which some must have each name."""


@dataclass(frozen=True)
class JsonFile(Untyped):
    """A JSON file whose first records were read. A record without a name has a gap there.

    names: all names, in the order in which they occur. own_names: as the file spells them.
    """

    path: Path
    names: tuple[str, ...]
    own_names: tuple[str, ...]
    dialect: Read
    unit: str = field(default="record", init=False)
    heading: None = field(default=None, init=False)
    texts_as_written: bool = field(default=False, init=False)

    @classmethod
    def open(cls, path: Path, dialect: Read) -> "JsonFile":
        """Read the names. Raises UserError if the file has no flat records."""
        records = _records(TextSource(path, dialect))
        names: dict[str, None] = {}
        for _, record in itertools.islice(records, RECORDS_WITH_ALL_NAMES):
            names |= dict.fromkeys(record)
        if not names:
            raise UserError(f"{path}: found no records; must be a list of mappings")
        return cls(path, tuple(names), tuple(names), dialect)

    def blocks(self, columns: Sequence[int], _numbers: Sequence[bool]) -> Iterator[Block]:
        """See RawFile.blocks."""
        for size, first, rows in self._rows():
            places = range(first, first + len(rows))
            yield cells.block(self.path, self.names, columns, rows, places, size)

    def texts(self) -> Iterator[pa.Table]:
        """See RawFile.texts. The type of a column may differ between blocks."""
        return (cells.table(self.names, rows) for _, _, rows in self._rows())

    def _rows(self) -> Iterator[tuple[int, int, list[list[Any]]]]:
        """Yield blocks of rows: the bytes that they take, the number of the first, the values."""
        source = TextSource(self.path, self.dialect)
        records = _records(source)
        known, position, first = set(self.own_names), 0, 1
        while batch := list(itertools.islice(records, cells.ROWS_PER_BLOCK)):
            rows = []
            for number, record in batch:
                if new := record.keys() - known:
                    raise UserError(
                        f"{self.path}:{number}: found the name {show(min(new))}, which no one of"
                        f" the first {RECORDS_WITH_ALL_NAMES:,} records has; add it to the first"
                        " record, with null"
                    )
                rows.append([record.get(name) for name in self.own_names])
            size, position = source.position - position, source.position
            yield size, first, rows
            first += len(rows)


def _records(source: TextSource) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each record with its number, from 1. Raises UserError for what is no record."""
    decode = json.JSONDecoder(object_pairs_hook=_mapping).raw_decode
    # A piece may end within a character.
    pieces = _texts(source)
    held, place, number = next(pieces, "").removeprefix("\ufeff"), 0, 1
    is_list: bool | None = None

    def more() -> bool:
        nonlocal held, place
        piece = next(pieces, "")
        held, place = held[place:] + piece, 0
        return bool(piece)

    while True:
        while not (rest := held[place : place + 100].lstrip(" \t\r\n")) and place + 100 < len(held):
            place += 100
        place += len(held[place : place + 100]) - len(rest)
        if not rest:
            if more():
                continue
            if is_list:
                raise _damage(source, number, "the end of the list is missing")
            return
        if is_list is None:
            is_list = rest[0] == "["
            place += is_list
        elif is_list and rest[0] == "]":
            return
        elif rest[0] == ",":
            place += 1
        else:
            try:
                record, end = decode(held, place)
            except json.JSONDecodeError as error:
                if len(held) - place < LONGEST_ROW_BYTES and more():
                    continue
                raise _damage(source, number, error.msg) from None
            except _TwiceError as error:
                raise UserError(
                    f"{source.path}:{number}: found the name {show(error.args[0])} twice in record"
                    f" {number}; a record has each once"
                ) from None
            except RecursionError:
                raise _damage(source, number, "too deep") from None
            if not isinstance(record, dict):
                raise UserError(
                    f"{source.path}:{number}: found {show(record)}; must be a list of records, such"
                    ' as [{"area": 120, "price": 300}, …]'
                )
            yield number, record
            place, number = end, number + 1


class _TwiceError(Exception):
    """A name that a record has twice."""


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the pairs as a mapping. Raises _TwiceError: the first of two values would be lost."""
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        names = [name for name, _ in pairs]
        raise _TwiceError(next(name for name in mapping if names.count(name) > 1))
    return mapping


def _texts(source: TextSource) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for chunk in source.chunks():
            yield decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise UserError(f"{source.path}: not UTF-8 ({error.reason}); save it as UTF-8") from None


def _damage(source: TextSource, number: int, reason: str) -> UserError:
    return UserError(
        f"{source.path}:{number}: record {number} is not JSON ({reason}); correct it, or fetch the"
        " file again"
    )
