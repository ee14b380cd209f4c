"""A CSV file is read to exactly the numbers in it, or refused with the line of the trouble."""

# ruff: noqa: E501 - a table of messages reads best one to a line

import csv
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from own_tables import OR_LET, own_job, put, refusal, values

from pipeline.settings import files
from pipeline.tables import raw_table, text_source


@pytest.mark.parametrize(
    "text",
    [
        "x,y\n1,2\n3.5,-4e3\n",
        "x;y\n1;2\n3.5;-4e3\n",
        "x\ty\n1\t2\n3.5\t-4e3\n",
        "x,y\r\n1,2\r\n3.5,-4e3\r\n",
        "x,y\r1,2\r3.5,-4e3\r",
        "x,y\n1,2\n3.5,-4e3",
        "\ufeffx,y\n1,2\n3.5,-4e3\n",
        "\n\r\nx,y\n\n1,2\n\n3.5,-4e3\n\n\n",
        '"x","y"\n"1","2"\n"3.5","-4e3"\n',
        "x , y\n 1,2 \n+3.5,\t-4.0E+03\n",
    ],
)
def test_every_dialect_reads_to_the_same_numbers(workspace: Path, text: str) -> None:
    put(text)
    assert values().tolist() == [[1, 2], [3.5, -4000]]


def test_quoted_text_may_hold_anything(workspace: Path) -> None:
    put('x,"a ""note"", or two",y\n1,"a\nb, ""c"", d" ,2\n3,5" pipe,4\n5,"",6\n')
    assert values(features=("x",)).tolist() == [[1, 2], [3, 4], [5, 6]]
    put('"weight, kg";"y"\n1;2\n')
    assert raw_table.find(own_job().data).features == ("weight, kg",)
    put('length, 5" pipe;"y\n";z\r1;2;3\r')
    raw = raw_table.find(own_job(targets=("z",), features=('length, 5" pipe',)).data)
    assert np.concatenate([*raw.values()]).tolist() == [[1, 3]]
    # As many commas in the names as semicolons between them.
    put("weight, kg;y\n1;2\n")
    assert raw_table.find(own_job().data).features == ("weight, kg",)


@pytest.mark.parametrize("size", [60, 100, 1_000])
def test_blocks_end_where_rows_do(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(text_source, "BYTES_PER_CHUNK", size)
    draw = random.Random(size)
    kinds = ["plain", "5\" and 6'", '"a, b"', '"two\nlines, or\nthree"', '"""q"",\n"', '""', "x y"]
    rows = [[number, draw.choice(kinds), number / 3] for number in range(500)]
    put("x,t,y\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    raw = raw_table.find(own_job(features=("x",)).data)
    blocks = list(raw.values())
    assert len(blocks) > 500 * 10 / size
    assert np.concatenate(blocks).tolist() == [[a, c] for a, _, c in rows]
    assert all(block.flags.f_contiguous for block in blocks)
    # The line is right although quoted fields have line ends.
    with (files.RAW / "t.csv").open("a") as file:
        file.write("1,fine,2\n1,fine,oops\n")
    lines = 1 + sum(f"{a},{b},{c}".count("\n") + 1 for a, b, c in rows)
    assert refusal(features=("x",)).startswith(f'data/raw/t.csv:{lines + 2}: "y" is "oops"')
    text = (files.RAW / "t.csv").read_text().replace("1,fine,oops\n", "1,fine,NA\n")
    assert f't.csv:{lines + 2}: 1 value is missing in "y", in line {lines + 2}\n' in refusal(
        text, features=("x",)
    )


def test_a_row_longer_than_a_block(workspace: Path) -> None:
    put(f'x,t,y\n1,"{"a" * (text_source.BYTES_PER_CHUNK + 10)}",2\n3,b,4\n')
    assert values(features=("x",)).tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_random_tables_against_pythons_csv(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, newline: str
) -> None:
    """44,053 of them have been tried, with no difference."""
    draw = random.Random(newline)
    texts = [
        "",
        " ",
        "a",
        'b"c',
        "d,e;f\tg",
        "h\ni",
        "j\r\nk",
        '"',
        '""',
        "'",
        "é",
        "sep=;",
        "=1+1",
    ]
    monkeypatch.setattr(text_source, "BYTES_PER_CHUNK", 200)
    for _ in range(40):
        names = ["x", "y", *(f"t{number}" for number in range(draw.randrange(3)))]
        draw.shuffle(names)
        rows = [
            {
                name: repr(draw.gauss(0, 1e3)) if name in "xy" else draw.choice(texts)
                for name in names
            }
            for _ in range(draw.randrange(1, 30))
        ]
        path = put("")
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(
                file,
                names,
                delimiter=draw.choice(",;\t"),
                lineterminator=newline,
                # Lines that end with CR leave an LF in a field without quotes.
                quoting=csv.QUOTE_ALL
                if newline == "\r" or draw.random() < 0.5
                else csv.QUOTE_MINIMAL,
            )
            writer.writeheader()
            writer.writerows(rows)
        expected = [[float(row["x"]), float(row["y"])] for row in rows]
        assert values(features=("x",)).tolist() == expected, path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "asked", "told"),
    [
        ("", {}, ': the file is empty; its first line must name the columns, and the rows follow'),
        ("\n\n", {}, ': the file is empty; its first line must name the columns, and the rows follow'),
        ("1,2\n3,4\n", {}, ': found no column "y" (data.targets); its first line must name the columns, and is "1", "2"; if it is a row of values, write `header: false` in params.yaml, under data: read:, and the columns are c1 to c2'),
        ("# mine\nx,y\n1,2\n", {}, ': found no column "y" (data.targets); its first line must name the columns, and is "# mine"; if it is a comment, write `comment: "#"` in params.yaml, under data: read:'),
        ("x,Y\n1,2\n", {}, ': found no column "y" (data.targets); did you mean "Y"? it has "x", "Y"'),
        ("area,y\n1,2\n", {"features": ("areas",)}, ': found no column "areas" (data.features); did you mean "area"? it has "area", "y"'),
        ("a,b,c,d,e,f,g,h,i,j,y\n", {"features": ("q",)}, ': found no column "q" (data.features); it has "a", "b", "c", "d", "e", "f", "g", "h" and 3 more'),
        ("x,price\n1,2\n", {"features": ("x",), "targets": ("log(price)",)}, ': found no column "log(price)" (data.targets); the natural logarithm of a target is written `targets: {price: log}`, and the answers are in the unit of "price"'),
        ("area,y\n1,2\n", {"features": ("np.log(area)",)}, ': found no column "np.log(area)" (data.features); it has "area", "y"'),
        ("area,y\n1,2\n", {"features": ("log(area)",)}, ': found no column "log(area)" (data.features); a feature keeps the name of its column, and `terms: [log(area)]` under data: adds its natural logarithm'),
        ("x,x,y\n1,1,2\n", {}, ': found 2 columns "x"; rename all but one, or write `header: false` and `skip_lines: 1` in params.yaml, under data: read:, and the columns are c1, c2, …'),
        ("x,y,y\n1,1,2\n", {"features": ("x",)}, ': found 2 columns "y"; rename all but one, or write `header: false` and `skip_lines: 1` in params.yaml, under data: read:, and the columns are c1, c2, …'),
        ('"x\n1",y\n1,2\n', {}, ': found a column "x\\n1"; a name must have at most 200 characters and no invisible one, such as a line end or a tab; rename it, or write `header: false` and `skip_lines: 1` under data: read:, and they are c1, c2, …'),
        ("y\n1\n", {}, ': found only targets; a model needs a feature as well'),
        ("x,y\n1,2\n3\n", {}, ':3: found 1 field; must be 2, one for each name in the first line; the row may be cut short'),
        ("x,y\n1,2\n3,4,5\n", {}, ':3: found 3 fields; must be 2, one for each name in the first line; quote text that has a comma in it, and write decimals with a point'),
        ("x;y\na;1;2\n", {}, ':2: found 3 fields; must be 2, one for each name in the first line; if the first field is a row label, add a semicolon before the names'),
        ("x,y\n1,2\n\n3,4\n5,n.b.\n", {}, ':5: "y" is "n.b."; must be a number\n    correct the line in "y"; or, if "n.b." means no value, write `missing: [NA, "n.b."]` in params.yaml, under data: read:'),
        ("x,y\n1,2\n3,4\nn.b.,5\n", {}, ':4: "x" is "n.b."; must be a number\n    correct the line in "x"; or, if "n.b." means no value, write `missing: [NA, "n.b."]` in params.yaml, under data: read:'),
        ("x,y\n1,2\n3,4\nn.b.,5\n", {"features": ("x",)}, ':4: "x" is "n.b."; must be a number\n    correct the line in "x"; or, if "n.b." means no value, write `missing: [NA, "n.b."]` in params.yaml, under data: read:'),
        ("x,y\n1,2\n3,1_000\n3,0x1F\n5,6\n", {}, ':3: "y" is "1_000" (the first of 2 such values); must be a number\n    correct 2 lines in "y"'),
        ("x,a,b,y\n1,Oslo,q,2\n2,Bern,r,3\n", {}, ':2: "a" is "Oslo" (the first of 2 such values); must be a number\n    "a", "b" hold text\n  write in params.yaml, under data:\n    features: {x: number, a: category, b: category}'),
        ("x,a,y\n1,Oslo,2\n2,Bern,3\n", {"features": ("a",)}, ':2: "a" is "Oslo" (the first of 2 such values); must be a number\n    "a" holds text\n  write in params.yaml, under data:\n    features: {a: category}'),
        ("x,y\n1,Oslo\n2,Bern\n", {}, ':2: "y" is "Oslo" (the first of 2 such values); must be a number\n    "y" holds text\n    "y" is a target, which must be a number: choose another one in data.targets'),
        ("x;y\n1,5;2\n2,5;3\n", {}, ':2: "x" is "1,5" (the first of 2 such values); must be a number\n    "x" holds decimal commas\n  write in params.yaml, under data:\n    read:\n      decimal: ","'),
        ('x,y\n"1,234,567",2\n', {}, ':2: "x" is "1,234,567"; must be a number\n    "x" holds separators of thousands\n  write in params.yaml, under data:\n    read:\n      thousands: ","'),
        ("x,y\nTrue,1\n", {}, ':2: "x" is "True"; must be a number\n    "x" holds text\n  write in params.yaml, under data:\n    features: {x: category}'),
        ("x,y\n5 %,1\n", {}, ':2: "x" is "5 %"; must be a number\n    "x" holds signs or blanks beside the digits\n  write in params.yaml, under data:\n    features: {x: {kind: number, units: true}}'),
        ("x,y\n1,NA\n,nan\nnull,3\n4,5\n ,6\n7, ? \n", {}, ':2: 5 values are missing in "x" (2), "y" (3), first in lines 2, 3, 4; a gap in a number may also be `missing: mean`, median or a constant\n  write in params.yaml, under data:\n    drop_rows: missing_target\n    features: {x: {kind: number, missing: drop_row}}'),
        ("x,y\n1,2\n3,\n", {}, ':3: 1 value is missing in "y", in line 3\n  write in params.yaml, under data:\n    drop_rows: missing_target'),
        ("x,y\n1,inf\n1e400,2\n3,4\n", {}, ':2: 2 values are infinite in "x" (1), "y" (1), in lines 2, 3; replace them by finite numbers, or remove these rows'),
        ("x,y\n,inf\n1,1\n", {}, ':2: 1 value is missing in "x", in line 2; a gap in a number may also be `missing: mean`, median or a constant\n  data/raw/t.csv:2: 1 value is infinite in "y", in line 2; replace them by finite numbers, or remove these rows\n  write in params.yaml, under data:\n    features: {x: {kind: number, missing: drop_row}}'),
        ("x,y\n1,2\n-9007199254740993,4\n", {}, ':3: "x" is -9007199254740993, an integer that float64 cannot represent (the nearest is -9007199254740992); if it is a label, leave the column out, `exclude: [x]` under data; else write it in a larger unit'),
        ('x,t,y\n1,a,2\n3,"b,4\n5,c,6\n', {"features": ("x",)}, ':3: found a quote that is never closed; close it, or write a quote within a quoted field twice ("")'),
        ('x,t,y\n1,a,2\n3,"b,4\n5,c,6\n7,"d,8\n9,e,0\n', {"features": ("x",)}, ':3: found a quoted field with text after its closing quote, in line 5; close the quote where the field ends, and write a quote within it twice ("")'),
        ('x,"t,y\n1,a,2\n', {"features": ("x",)}, ':1: found a quote that is never closed; close it'),
        (b"x,y\n1,2\n1,\xe9\n5,6\n", {}, ':3: found the byte 0xe9, which is not UTF-8; write the encoding in params.yaml, under data: read:, such as `encoding: cp1252`'),
        ("é,y\n1,2\n".encode("latin-1"), {}, ':1: found the byte 0xe9, which is not UTF-8; write the encoding in params.yaml, under data: read:, such as `encoding: cp1252`'),
        ("x,y\n1,2\n".encode("utf-16"), {}, ': found text in UTF-16; write `encoding: utf-16` in params.yaml, under data: read:'),
        ("x,y\n1,2\n".encode("utf-16-be"), {}, ': found bytes that are not text; save the table as CSV in UTF-8, or write its `encoding` in params.yaml, under data: read:'),
        (b"PK\x03\x04rest", {}, ': found a zip or Excel file; name it .xlsx if it is one, else unpack it'),
        (b"PAR1rest", {}, ': found a Parquet file; name it .parquet'),
        (bytes(range(256)), {}, ': found bytes that are not text; save the table as CSV in UTF-8, or write its `encoding` in params.yaml, under data: read:'),
    ],
)  # fmt: skip
def test_messages_about_a_csv_file(
    workspace: Path, text: str | bytes, asked: dict[str, Any], told: str
) -> None:
    assert refusal(text, **asked).split(OR_LET)[0] == f"data/raw/t.csv{told}"
