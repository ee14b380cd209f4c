"""A sheet of an Excel file is read like a CSV file; what is no table in it is refused by name."""

import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from own_tables import put
from test_dialects import refusal, rows

ROWS: list[Sequence[Any]] = [["a", "t", "y"], [35, "x", 421.2], [50, " NA ", 472.33]]


def sheet(rows: list[Sequence[Any]], merged: str = "") -> str:
    """Return the XML of a sheet. A text that begins with = is a formula without a value."""
    lines = []
    for number, row in enumerate(rows, 1):
        cells = []
        for place, value in enumerate(row):
            name = f"{'ABCDEFGH'[place]}{number}"
            if isinstance(value, str) and value.startswith("="):
                formula, _, result = value[1:].partition("|")
                cells.append(f'<c r="{name}"><f>{formula}</f><v>{result}</v></c>')
            elif isinstance(value, str):
                cells.append(f'<c r="{name}" t="inlineStr"><is><t>{value}</t></is></c>')
            elif isinstance(value, date):
                days = (value - date(1899, 12, 30)).days
                cells.append(f'<c r="{name}" s="1"><v>{days}</v></c>')
            elif value is not None:
                cells.append(f'<c r="{name}"><v>{value}</v></c>')
        lines.append(f'<row r="{number}">{"".join(cells)}</row>')
    merge = f'<mergeCells count="1"><mergeCell ref="{merged}"/></mergeCells>' if merged else ""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    return f'<worksheet xmlns="{main}"><sheetData>{"".join(lines)}</sheetData>{merge}</worksheet>'


def book(*sheets: str) -> Path:
    """Write an Excel file of these sheets, with the names s1, s2 and so on."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    numbers = range(1, len(sheets) + 1)
    listed = "".join(f'<sheet name="s{n}" sheetId="{n}" r:id="r{n}"/>' for n in numbers)
    related = "".join(
        f'<Relationship Id="r{n}" Type="{office}/worksheet" Target="worksheets/sheet{n}.xml"/>'
        for n in numbers
    )
    path = put("", "t.xlsx")
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}"><Relationship Id="r" Type="{office}/officeDocument"'
            ' Target="xl/workbook.xml"/></Relationships>',
        )
        file.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets>{listed}</sheets></workbook>',
        )
        file.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}">{related}<Relationship Id="s" Type="{office}/styles"'
            ' Target="styles.xml"/></Relationships>',
        )
        file.writestr(
            "xl/styles.xml",
            f'<styleSheet xmlns="{main}"><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/>'
            "</cellXfs></styleSheet>",
        )
        for number, content in enumerate(sheets, 1):
            file.writestr(f"xl/worksheets/sheet{number}.xml", content)
    return path


def test_a_sheet(workspace: Path) -> None:
    book(sheet(ROWS))
    asked = {"a": "number", "t": {"kind": "category", "missing": "level"}}
    assert rows("data/raw/t.xlsx", asked) == {"a": [35, 50], "t": ["x", ""], "y": [421.2, 472.33]}
    book(sheet([["a", "y"], ["=1+1|2", 1], [date(2019, 3, 1), 2]]))
    assert "t.xlsx:3" in refusal("data/raw/t.xlsx")
    book(sheet([["Title"], [], [None, "d", "y"], [None, date(2019, 3, 1), "=1+1|2"], ["Source"]]))
    told = rows("data/raw/t.xlsx", {"d": "date"}, skip_lines=1, footer_lines=1)
    assert told == {"d": [date(2019, 3, 1)], "y": [2]}


def test_one_of_several_sheets(workspace: Path) -> None:
    book(sheet(ROWS), sheet([["a", "y"], [1, 2]]))
    assert 'found 2 sheets, "s1", "s2"; write which one' in refusal("data/raw/t.xlsx")
    assert rows("data/raw/t.xlsx", sheet="s2") == {"a": [1], "y": [2]}
    assert rows("data/raw/t.xlsx", sheet=2) == {"a": [1], "y": [2]}
    assert 'found no sheet "s3" (data.read.sheet)' in refusal("data/raw/t.xlsx", sheet="s3")


@pytest.mark.parametrize(
    ("content", "merged", "told"),
    [
        (ROWS, "A1:B1", "found merged cells A1:B1 in the sheet"),
        ([["a", "y"], ["kg", "m"], [1, 2], [3, 4]], "", 't.xlsx:2: found "kg", "m" above numbers'),
        ([], "", 'the sheet "s1" is empty'),
        ([["a", "y"], ["=A3*2|", 1], [1, 2]], "", '1 value is missing in "a", in row 2'),
    ],
)
def test_what_is_no_table(
    workspace: Path, content: list[Sequence[Any]], merged: str, told: str
) -> None:
    book(sheet(content, merged))
    assert told in refusal("data/raw/t.xlsx")
