"""Numbers in the text of a CSV file: read by Arrow, and by Python where Arrow refuses a field."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from pipeline.settings.errors import UserError
from pipeline.settings.messages import count
from pipeline.tables import advice, csv_rows
from pipeline.tables.advice import ColumnFields, Selection
from pipeline.tables.csv_heading import SEPARATORS
from pipeline.tables.table import matrix

BYTES_PER_THREAD = 1 << 20  # of a text that a thread parses at a time
MISSING_TEXTS = ["", "NA", "N/A", "#N/A", "NaN", "nan", "NAN", "-nan", "-NaN", "NULL", "Null"]
MISSING_TEXTS += ["null", "n/a", "na", "None", "none", "<NA>", "#NA", "?", "-", "."]

# No two quantifiers of one character follow each other: for a long field that is not a number,
# every division into two would be tried.
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?|[+-]?inf(inity)?", re.I | re.A)
_INTEGER = r"^[ \t]*[+-]?[0-9]+[ \t]*$"


@dataclass(frozen=True)
class Parser:
    """Reader of the numbers in whole rows of a file. path: for messages."""

    path: Path
    names: tuple[str, ...]
    separator: str

    def numbers(
        self,
        text: bytes,
        columns: Sequence[int],
        first_line: Callable[[], int],
        selection: Selection,
    ) -> NDArray[np.float64]:
        """Return the numbers of `columns`, correctly rounded: [rows, columns], column-major.

        first_line: returns the number of the first line in `text`; called if Arrow refuses a field.
        Raises UserError with the line of a field that is not a number, or of a row that has too few
        or too many fields.
        """
        try:
            arrow = self.table(text, columns, pa.float64(), BYTES_PER_THREAD)
        except pa.ArrowException:
            try:  # a row may be longer than the share of a thread
                arrow = self.table(text, columns, pa.float64())
            except pa.ArrowException:
                return self._numbers_by_python(text, columns, first_line, selection)
        return matrix(arrow)

    def table(
        self, text: bytes, columns: Sequence[int], kind: pa.DataType, block_size: int = 0
    ) -> pa.Table:
        """Return `columns` as Arrow reads them, all of the type `kind`.

        block_size: how many bytes a thread parses at a time; 0 for the whole text.
        Raises pa.ArrowException.
        """
        # Columns go by number: a name may be there twice among the columns that are not read.
        numbered = [str(column) for column in columns]
        return pyarrow.csv.read_csv(
            pa.BufferReader(text),
            pyarrow.csv.ReadOptions(
                column_names=[str(index) for index in range(len(self.names))],
                block_size=block_size or len(text),
            ),
            pyarrow.csv.ParseOptions(delimiter=self.separator, newlines_in_values=b'"' in text),
            pyarrow.csv.ConvertOptions(
                include_columns=numbered,
                column_types=dict.fromkeys(numbered, kind),
                null_values=MISSING_TEXTS,
            ),
        )

    def inexact(
        self, text: bytes, columns: Sequence[int], column: int, rows: NDArray[np.intp]
    ) -> list[tuple[int, int]]:
        """See Block.inexact. columns: the columns of the block."""
        if not len(rows):
            return []
        from pyarrow import compute  # 25 ms that only these rare columns need

        fields = self.table(text, [columns[column]], pa.string()).column(0)
        matched = compute.match_substring_regex(fields, _INTEGER)
        places = compute.indices_nonzero(matched)
        wanted = set(rows.tolist())
        integers = [
            # Python takes at most 4,300 digits; a longer number here can only begin with zeros.
            (row, int(re.sub(r"^\s*([+-]?)0+(?=\d)", r"\1", digits)))
            for row, digits in zip(places.to_pylist(), fields.take(places).to_pylist(), strict=True)
            if row in wanted
        ]
        return [(row, integer) for row, integer in integers if int(float(integer)) != integer]

    def _numbers_by_python(
        self,
        text: bytes,
        columns: Sequence[int],
        first_line: Callable[[], int],
        selection: Selection,
    ) -> NDArray[np.float64]:
        """Return the `numbers`, also where spaces surround a missing value. Raises as `numbers`."""
        values: list[list[float]] = []
        first_wrong: dict[int, tuple[int, str]] = {}  # by column: the line and the text
        first = first_line()
        for line, fields in csv_rows.fields_of(text, self.separator):
            if len(fields) != len(self.names):
                problem = self._wrong_width(fields, is_first_row=not values)
                raise UserError(f"{self.path}:{first + line}: {problem}")
            row = []
            for column in columns:
                field = fields[column].strip(" \t")
                if field in MISSING_TEXTS:
                    row.append(float("nan"))
                elif _NUMBER.fullmatch(field):
                    row.append(float(field))
                else:
                    first_wrong.setdefault(column, (first + line, field))
            values.append(row)
        if first_wrong:
            wrong_columns = self._wrong_columns(text, first_wrong)
            raise UserError(advice.message(self.path, wrong_columns, selection))
        return np.array(values, order="F").reshape(len(values), len(columns))

    def _wrong_columns(
        self, text: bytes, first_wrong: Mapping[int, tuple[int, str]]
    ) -> dict[str, ColumnFields]:
        """Return all fields of the columns in which not all fields are numbers."""
        by_column = {column: ColumnFields(*first, [], []) for column, first in first_wrong.items()}
        for _, fields in csv_rows.fields_of(text, self.separator):
            for column, seen in by_column.items():
                field = fields[column].strip(" \t")
                if field not in MISSING_TEXTS:
                    (seen.numbers if _NUMBER.fullmatch(field) else seen.wrong).append(field)
        return {self.names[column]: by_column[column] for column in sorted(by_column)}

    def _wrong_width(self, fields: Sequence[str], is_first_row: bool) -> str:
        """Return the end of the message for a row with too few or too many fields."""
        separator = SEPARATORS[self.separator]
        one_too_many = len(fields) == len(self.names) + 1
        if len(fields) < len(self.names):
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
            f"found {count(len(fields), 'field')}; must be {len(self.names)}, one for each name in"
            f" the first line; {cure}"
        )
