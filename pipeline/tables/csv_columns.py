"""Columns in the text of a CSV file, read by Arrow: numbers where it can, else texts."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.csv

from pipeline.settings.errors import UserError
from pipeline.settings.keys.sections import Read
from pipeline.settings.messages import count, show
from pipeline.tables import csv_rows
from pipeline.tables.csv_heading import SEPARATORS
from pipeline.tables.raw_file import Heading

BYTES_PER_THREAD = 1 << 20  # of a text that a thread parses at a time

_LEVELS = pa.dictionary(pa.int32(), pa.string())


@dataclass
class Parser:
    """Reader of the columns in whole rows of a file. path: for messages."""

    path: Path
    heading: Heading
    dialect: Read
    _texts: set[int] = field(default_factory=set)
    """Columns of which some block has other texts than numbers."""

    def rows(
        self,
        text: bytes,
        columns: Sequence[int],
        numbers: Sequence[bool],
        first_line: int,
    ) -> pa.Table:
        """Return `columns`: float64 where numbers are wanted and all fields are, else texts.

        numbers: True for each of `columns` of which numbers are wanted.
        first_line: the number of the first line in `text`.
        Raises UserError with the line of a row that has too few or too many fields, or of a byte
        that is not UTF-8.
        """
        kinds = {
            column: pa.float64() if is_number and column not in self._texts else _LEVELS
            for column, is_number in zip(columns, numbers, strict=True)
        }
        try:
            return self._parsed(text, kinds)
        except pa.ArrowInvalid:
            texts = dict.fromkeys(columns, pa.string())
            try:
                rows = self._parsed(text, texts)
            except pa.ArrowInvalid as error:
                self.refuse(text, columns, first_line, error)
        for index, column in enumerate(columns):
            if kinds[column] == pa.float64():
                try:
                    numbers_only = self._parsed(text, {column: kinds[column]})
                except pa.ArrowInvalid:
                    self._texts.add(column)
                else:
                    rows = rows.set_column(index, str(column), numbers_only.column(0))
        return rows

    def texts(self, text: bytes, columns: Sequence[int]) -> pa.Table:
        """Return `columns` as text, unchanged. Raises pa.ArrowInvalid for bytes not UTF-8."""
        return self._parsed(text, dict.fromkeys(columns, pa.string()))

    def _parsed(self, text: bytes, kinds: dict[int, pa.DataType]) -> pa.Table:
        """Return columns with these types. Raises pa.ArrowInvalid."""
        try:
            return self._read(text, kinds, BYTES_PER_THREAD)
        except pa.ArrowInvalid:
            # A row may be longer than the share of a thread.
            return self._read(text, kinds, len(text))

    def _read(self, text: bytes, kinds: dict[int, pa.DataType], block_size: int) -> pa.Table:
        types = {str(column): kind for column, kind in kinds.items()}
        # A column of the type null may hold nothing.
        blank = [str(column) for column in range(len(self.heading.names), self._width)]
        types |= dict.fromkeys(blank, pa.null())
        # Columns go by number: a name may be there twice among the columns that are not read.
        rows = pyarrow.csv.read_csv(
            pa.BufferReader(text),
            pyarrow.csv.ReadOptions(
                column_names=[str(index) for index in range(self._width)], block_size=block_size
            ),
            pyarrow.csv.ParseOptions(
                delimiter=self.heading.separator, newlines_in_values=b'"' in text
            ),
            pyarrow.csv.ConvertOptions(
                include_columns=[*types],
                column_types=types,
                null_values=["", *self.dialect.missing_texts],
                decimal_point=self.dialect.decimal,
            ),
        )
        return rows.drop_columns(blank) if blank else rows

    @property
    def _width(self) -> int:
        return len(self.heading.names) + self.heading.blank_columns

    def refuse(
        self, text: bytes, columns: Sequence[int], first: int, error: pa.ArrowInvalid
    ) -> NoReturn:
        """Raise UserError with the row that Arrow cannot read, for `error`.

        first: the number of the first line in `text`.
        """
        named = len(self.heading.names)
        for row, (line, fields) in enumerate(csv_rows.fields_of(text, self.heading.separator)):
            where = f"{self.path}:{first + line}"
            if len(fields) != self._width:
                raise UserError(f"{where}: {self._wrong_width(fields, is_first_row=row == 0)}")
            for column in range(named, self._width):
                if fields[column] not in ("", *self.dialect.missing_texts):
                    raise UserError(
                        f"{where}: found {show(fields[column])} in column {column + 1}, which has"
                        " no name in the first line and no value in the first row; name the column,"
                        " or correct the line"
                    )
            for column in columns:
                # See csv_rows.fields_of: bytes that are not UTF-8.
                if wrong := re.search("[\udc80-\udcff]", fields[column]):
                    raise UserError(
                        f"{where}: found the byte 0x{ord(wrong[0]) - 0xDC00:02x}, which is not"
                        f" UTF-8; {csv_rows.ENCODING_CURE}"
                    )
        raise UserError(f"{self.path}:{first}: cannot be read as CSV ({error})")

    def _wrong_width(self, fields: Sequence[str], is_first_row: bool) -> str:
        """Return the end of the message for a row with too few or too many fields."""
        separator = SEPARATORS[self.heading.separator]
        one_too_many = len(fields) == self._width + 1
        if len(fields) < self._width:
            cure = "the row may be cut short"
        elif one_too_many and not fields[-1].strip():
            cure = f"remove the {separator} at the end, or add one after the names"
        elif one_too_many and is_first_row:
            cure = f"if the first field is a row label, add a {separator} before the names"
        elif separator == "comma":
            cure = "quote text that has a comma in it, and write decimals with a point"
        else:
            cure = f"quote text that has a {separator} in it"
        return (
            f"found {count(len(fields), 'field')}; must be {self._width}, one for each name in the"
            f" first line; {cure}"
        )
