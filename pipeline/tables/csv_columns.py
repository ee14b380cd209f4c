"""Columns in the text of a CSV file, read by Arrow: numbers where it can, else texts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

import pyarrow as pa
import pyarrow.csv

from pipeline.settings.errors import UserError
from pipeline.settings.messages import count
from pipeline.settings.sections import Read
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
        first_line: Callable[[], int],
    ) -> pa.Table:
        """Return `columns`: float64 where numbers are wanted and all fields are, else texts.

        numbers: True for each of `columns` of which numbers are wanted.
        first_line: returns the number of the first line in `text`.
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
            except pa.ArrowInvalid:
                self._refuse(text, columns, first_line())
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
        # Columns go by number: a name may be there twice among the columns that are not read.
        return pyarrow.csv.read_csv(
            pa.BufferReader(text),
            pyarrow.csv.ReadOptions(
                column_names=[str(index) for index in range(self._width)], block_size=block_size
            ),
            pyarrow.csv.ParseOptions(
                delimiter=self.heading.separator, newlines_in_values=b'"' in text
            ),
            pyarrow.csv.ConvertOptions(
                include_columns=[str(column) for column in kinds],
                column_types={str(column): kind for column, kind in kinds.items()},
                null_values=["", *self.dialect.missing_texts],
                decimal_point=self.dialect.decimal,
            ),
        )

    @property
    def _width(self) -> int:
        return len(self.heading.names) + self.heading.blank_columns

    def _refuse(self, text: bytes, columns: Sequence[int], first: int) -> NoReturn:
        """Raise UserError with the row that Arrow cannot read. first: the text's first line."""
        width = self._width
        for row, (line, fields) in enumerate(csv_rows.fields_of(text, self.heading.separator)):
            if len(fields) != width:
                problem = self._wrong_width(fields, is_first_row=row == 0)
                raise UserError(f"{self.path}:{first + line}: {problem}")
            for column in columns:
                if "\udc80" <= max(fields[column], default="") <= "\udcff":
                    self._refuse_byte(fields[column], first + line)
        raise AssertionError(f"{self.path}:{first}: Arrow cannot read what Python can")

    def _refuse_byte(self, field: str, line: int) -> NoReturn:
        byte = next(ord(letter) - 0xDC00 for letter in field if "\udc80" <= letter <= "\udcff")
        raise UserError(
            f"{self.path}:{line}: found the byte 0x{byte:02x}, which is not UTF-8; write the"
            " encoding in params.yaml, under data: read:, such as `encoding: cp1252`"
        )

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
