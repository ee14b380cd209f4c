"""Sheets of Excel files (.xlsx): a row of names, then rows of values, also of formulas."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from pipeline.settings import regular_file
from pipeline.settings.errors import UserError
from pipeline.settings.keys.sections import Read
from pipeline.settings.messages import first_of, show
from pipeline.tables import cells
from pipeline.tables.column_names import with_names_for_all
from pipeline.tables.raw_file import SAVE_AS_FILE, Block, Untyped

if TYPE_CHECKING:
    from python_calamine import CalamineSheet, CalamineWorkbook

Row = list[Any]


@dataclass(frozen=True)
class ExcelFile(Untyped):
    """A sheet, read as a whole: Excel's own limit is 1,048,576 rows.

    rows: with their numbers in the sheet; a value for each of `names`, None for an empty cell.
    """

    path: Path
    names: tuple[str, ...]
    rows: Sequence[tuple[int, Row]]
    unit: str = field(default="row", init=False)
    heading: None = field(default=None, init=False)
    texts_as_written: bool = field(default=True, init=False)

    @classmethod
    def open(cls, path: Path, dialect: Read) -> "ExcelFile":
        """Read the sheet. Raises UserError if the file or the sheet cannot be read as a table."""
        from python_calamine import CalamineError, load_workbook  # 5 ms that few need

        regular_file.check(path, SAVE_AS_FILE)
        try:
            book = load_workbook(path)
            sheet = _sheet(path, book, dialect.sheet)
            table = sheet.to_python(skip_empty_area=False)
        except CalamineError as error:
            raise UserError(
                f"{path}: not an Excel file that can be read ({error}); save it again as .xlsx"
            ) from None
        last = len(table) - dialect.footer_lines
        rows = [(number, row) for number, row in enumerate(table, 1) if any(c != "" for c in row)]
        if dialect.footer_lines:
            last = rows[-dialect.footer_lines][0] - 1 if len(rows) > dialect.footer_lines else 0
        rows = [(n, row) for n, row in rows if dialect.skip_lines < n <= last]
        _check_merged(path, sheet, dialect.skip_lines, last)
        if not rows:
            raise UserError(f"{path}: the sheet {show(sheet.name)} is empty")
        width = max(len(row) - _blanks_at_end(row) for _, row in rows)
        first = _first_column(rows)
        names: Sequence[str] = [""] * (width - first)
        if dialect.header:
            (_, header), *rows = rows
            names = [cells.text(value).strip() for value in header[first:width]]
            _check_second_header(path, rows)
        values = [
            (number, [None if cell == "" else cell for cell in row[first:width]])
            for number, row in rows
        ]
        return cls(path, with_names_for_all(names), values)

    def blocks(self, columns: Sequence[int], _numbers: Sequence[bool]) -> Iterator[Block]:
        """See RawFile.blocks."""
        size = self.path.stat().st_size
        for rows in self._parts():
            places = [number for number, _ in rows]
            values = [row for _, row in rows]
            share = size * len(rows) // len(self.rows)
            yield cells.block(self.path, self.names, columns, values, places, share)

    def texts(self) -> Iterator[pa.Table]:
        """See RawFile.texts. The type of a column may differ between blocks."""
        return (cells.table(self.names, [row for _, row in rows]) for rows in self._parts())

    def _parts(self) -> Iterator[Sequence[tuple[int, Row]]]:
        for begin in range(0, len(self.rows), cells.ROWS_PER_BLOCK):
            yield self.rows[begin : begin + cells.ROWS_PER_BLOCK]


def _sheet(path: Path, book: "CalamineWorkbook", wanted: str | int | None) -> "CalamineSheet":
    """Return the sheet that is wanted. Raises UserError if it is not there, or not the only one."""
    names = book.sheet_names
    listed = first_of([show(name) for name in names], 8)
    if isinstance(wanted, str):
        if wanted not in names:
            raise UserError(
                f"{path}: found no sheet {show(wanted)} (data.read.sheet); it has {listed}"
            )
        return book.get_sheet_by_name(wanted)
    if isinstance(wanted, int):
        if not 1 <= wanted <= len(names):
            raise UserError(f"{path}: found no sheet {wanted} (data.read.sheet); it has {listed}")
        return book.get_sheet_by_index(wanted - 1)
    if len(names) > 1:
        raise UserError(
            f"{path}: found {len(names)} sheets, {listed}; write which one in params.yaml, under"
            f" data: read:, such as `sheet: {show(names[0])}`"
        )
    return book.get_sheet_by_index(0)


def _check_merged(path: Path, sheet: "CalamineSheet", first: int, last: int) -> None:
    """Raise UserError for merged cells in the rows after `first`, to `last`."""
    merged = [
        f"{_cell(*begin)}:{_cell(*end)}"
        for begin, end in sheet.merged_cell_ranges or ()
        if end[0] >= first and begin[0] < last
    ]
    if merged:
        raise UserError(
            f"{path}: found merged cells {first_of(merged, 8)} in the sheet {show(sheet.name)}; a"
            " table has one value in each cell and one row of names: unmerge them, or leave their"
            " rows out with `skip_lines` in params.yaml, under data: read:"
        )


def _check_second_header(path: Path, rows: Sequence[tuple[int, Row]]) -> None:
    """Raise UserError if the first row has only text, above numbers: a second row of names."""
    if len(rows) < 3:
        return
    (number, first), (_, second), (_, third) = rows[:3]
    if not all(isinstance(cell, str) for cell in first):
        return
    above_numbers = [
        cell
        for cell, *below in zip(first, second, third, strict=False)
        if cell and all(isinstance(value, int | float) for value in below)
    ]
    if above_numbers:
        raise UserError(
            f"{path}:{number}: found {first_of([show(text) for text in above_numbers], 5)} above"
            " numbers, which may be a second row of names; a table has one: remove the other, or"
            f" write `skip_lines: {number - 1}` in params.yaml, under data: read:, to take the"
            " names from this row"
        )


def _cell(row: int, column: int) -> str:
    """Return the name of a cell: B7."""
    letters = ""
    column += 1
    while column:
        column, letter = divmod(column - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return f"{letters}{row + 1}"


def _blanks_at_end(row: Row) -> int:
    return next((place for place, cell in enumerate(reversed(row)) if cell != ""), len(row))


def _first_column(rows: Sequence[tuple[int, Row]]) -> int:
    """Return the first column that is not empty throughout."""
    return min(next(place for place, cell in enumerate(row) if cell != "") for _, row in rows)
