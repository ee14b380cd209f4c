"""A user's table is read to exactly the numbers in it, or refused with the place of the trouble."""

# ruff: noqa: E501 - a table of messages reads best one to a line

import csv
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import HIDDEN, ROOT, Checkout, environment, job
from numpy.typing import NDArray
from own_tables import parquet, put, refusal, settings, values

from pipeline import generate
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.seeds import stream
from pipeline.tables import csv_file, source, table
from pipeline.tables.table import Table

# --- what is read


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
    assert source.find(settings().data).features == ("weight, kg",)
    put('length, 5" pipe;"y\n";z\r1;2;3\r')
    found = source.find(settings(targets=("z",), features=('length, 5" pipe',)).data)
    assert np.concatenate([*found.blocks()]).tolist() == [[1, 3]]
    # As many commas in the names as semicolons between them.
    put("weight, kg;y\n1;2\n")
    assert source.find(settings().data).features == ("weight, kg",)


def test_features_and_targets_in_the_order_asked_for(workspace: Path) -> None:
    put("b,city,y,a,z\n1,Oslo,2,3,4\n")
    assert values(features=("a", "b"), targets=("z", "y")).tolist() == [[3, 1, 4, 2]]
    put("b,y,a\n1,2,3\n", "all.csv")
    found = source.find(settings("data/raw/all.csv").data)
    assert found.features == ("b", "a")
    assert values("data/raw/all.csv").tolist() == [[1, 3, 2]]


def test_a_thousand_columns(workspace: Path) -> None:
    names = [f"x{number}" for number in range(1000)]
    row = ",".join(str(number / 7) for number in range(1001))
    put(",".join([*names, "y"]) + f"\n{row}\n{row}\n")
    assert values().tolist() == [[number / 7 for number in range(1001)]] * 2


def test_numbers_are_correctly_rounded(workspace: Path) -> None:
    draw = random.Random(0)
    texts = ["1e308", "1.7976931348623157e308", "5e-324", "2.4703282292062328e-324", "0.1", "-0.0"]
    texts += [f"{draw.getrandbits(52)}.{draw.getrandbits(70)}" for _ in range(5_000)]
    texts += [repr(draw.gauss(0, 1)) for _ in range(5_000)]
    texts += [
        f"{draw.choice('+-')}0.{draw.getrandbits(60)}e{draw.randint(-330, 300)}"
        for _ in range(10_000)
    ]
    put("x,y\n" + "".join(f"{text},1\n" for text in texts))
    found = values()[:, 0]
    assert [x.hex() for x in found.tolist()] == [float(text).hex() for text in texts]


@pytest.mark.parametrize("size", [60, 100, 1_000])
def test_blocks_end_where_rows_do(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(csv_file, "BLOCK", size)
    draw = random.Random(size)
    kinds = ["plain", "5\" and 6'", '"a, b"', '"two\nlines, or\nthree"', '"""q"",\n"', '""', "x y"]
    rows = [[number, draw.choice(kinds), number / 3] for number in range(500)]
    put("x,t,y\n" + "".join(f"{a},{b},{c}\n" for a, b, c in rows))
    found = source.find(settings(features=("x",)).data)
    blocks = list(found.blocks())
    assert len(blocks) > 500 * 10 / size
    assert np.concatenate(blocks).tolist() == [[a, c] for a, _, c in rows]
    assert all(block.flags.f_contiguous for block in blocks)
    # The line is right although quoted fields have line ends.
    with (files.RAW / "t.csv").open("a") as file:
        file.write("1,fine,2\n1,fine,oops\n")
    lines = 1 + sum(f"{a},{b},{c}".count("\n") + 1 for a, b, c in rows)
    assert refusal(features=("x",)).startswith(f'data/raw/t.csv:{lines + 2}: "y" is "oops"')
    text = (files.RAW / "t.csv").read_text().replace("1,fine,oops\n", "1,fine,NA\n")
    assert f'missing in "y", in line {lines + 2};' in refusal(text, features=("x",))


def test_a_row_longer_than_a_block(workspace: Path) -> None:
    put(f'x,t,y\n1,"{"a" * (csv_file.BLOCK + 10)}",2\n3,b,4\n')
    assert values(features=("x",)).tolist() == [[1, 2], [3, 4]]


def test_parquet_types_that_are_numbers(workspace: Path) -> None:
    integers = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
    columns = {kind: pa.array([0, 1, 127], kind) for kind in integers}
    columns |= {"half": pa.array([0.5, 1, 2], pa.float16()), "single": pa.array([0.1, 1, 2], "f4")}
    put(pa.table(columns | {"y": [0.1, 2.0**60, -1e300]}), "t.parquet")
    found = source.find(settings("data/raw/t.parquet").data)
    assert found.features == (*columns, "y")[:-1]
    assert found.float32 == {"half", "single"}
    (block,) = found.blocks()
    assert block[:, 8].tolist() == [0.5, 1, 2]
    assert block[:, 9].tolist() == [float(np.float32(0.1)), 1, 2]
    assert block[:, 10].tolist() == [0.1, 2**60, -1e300]
    assert (block[:, :8] == [[0], [1], [127]]).all()


def test_a_parquet_column_whose_name_begins_another_path(workspace: Path) -> None:
    put(pa.table({"a.b": [1.0], "a": [2.0], "y": [3.0], "text": ["t"]}), "t.parquet")
    assert values("data/raw/t.parquet", features=("a",)).tolist() == [[2, 3]]
    assert values("data/raw/t.parquet", features=("a", "a.b")).tolist() == [[2, 1, 3]]


def test_a_glob_reads_its_files_in_order_and_no_others(workspace: Path) -> None:
    put("x,y\n1,2\n", "b.csv")
    put("y;x\n4;3\n", "c.txt")
    put(parquet(x=pa.array([5], "f4"), y=pa.array([6], "f4")), "d.parquet")
    put("x,y\n", "a.csv")
    for name in ("b.csv.dvc", ".gitignore", ".gitkeep"):
        put("no table", name)
    (files.RAW / "folder").mkdir()
    assert values("data/raw/*").tolist() == [[1, 2], [3, 4], [5, 6]]
    found = source.find(settings("data/raw/*").data)
    assert [path.name for path in found.files] == ["a.csv", "b.csv", "c.txt", "d.parquet"]
    assert found.float32 == frozenset(), "not all the files have float32"
    assert source.find(settings("data/raw/*.parquet").data).float32 == {"x", "y"}
    put("x,y\n7,8\n", "odd[1].csv")
    assert values("data/raw/odd[1].csv").tolist() == [[7, 8]]


def test_a_link_to_a_file_elsewhere(workspace: Path) -> None:
    put("x,y\n1,2\n", "../elsewhere.csv")
    (files.RAW / "t.csv").symlink_to(workspace / "data/elsewhere.csv")
    assert values().tolist() == [[1, 2]]


# --- what is refused


@pytest.mark.parametrize("hidden", HIDDEN)
def test_a_name_is_refused_whether_it_is_listed_or_found(workspace: Path, hidden: str) -> None:
    """See test_params for the same names in data.features."""
    content = parquet(**{f"a{hidden}b": [1.0, 2.0], "y": [1.0, 2.0]})
    told = refusal(content, "data/raw/t.parquet")
    assert "none of them invisible, such as a line end or a tab; rename it" in told


@pytest.mark.parametrize(
    ("text", "asked", "told"),
    [
        ("", {}, ": the file is empty; its first line must name the columns, and the rows follow"),
        ("\n\n", {}, ": the file is empty; its first line must name the columns, and the rows follow"),
        ("1,2\n3,4\n", {}, ': found no column "y" (data.targets); its first line must name the columns, and is "1", "2"'),
        ("x|y\n1|2\n", {}, ': found no column "y" (data.targets); its first line is "x|y"; names must be separated by commas, semicolons or tabs'),
        ("# mine\nx,y\n1,2\n", {}, ': found no column "y" (data.targets); its first line must name the columns, and is "# mine"; take lines of comment away'),
        ("x,Y\n1,2\n", {}, ': found no column "y" (data.targets); did you mean "Y"? it has "x", "Y"'),
        ("area,y\n1,2\n", {"features": ("areas",)}, ': found no column "areas" (data.features); did you mean "area"? it has "area", "y"'),
        ("a,b,c,d,e,f,g,h,i,j,y\n", {"features": ("q",)}, ': found no column "q" (data.features); it has "a", "b", "c", "d", "e", "f", "g", "h" and 3 more'),
        (",x,y\n0,1,2\n", {}, ': found no name for column 1, which may be row labels (pandas writes none with index=False, R with row.names=FALSE); leave it out with this line in params.yaml, under data:\n  features: ["x"]'),
        ("x,x,y\n1,1,2\n", {}, ': found 2 columns "x"; rename all but one'),
        ("x,y,y\n1,1,2\n", {"features": ("x",)}, ': found 2 columns "y"; rename all but one'),
        ('"x\n1",y\n1,2\n', {}, ': found a column "x\\n1"; a name must have at most 200 characters, none of them invisible, such as a line end or a tab; rename it, or choose other features'),
        ("y\n1\n", {}, ": found only targets; a fit needs a feature beside them"),
        ("x,y\n1,2\n3\n", {}, ":3: found 1 field; must be 2, one for each name in the first line; the row may be cut short"),
        ("x,y\n1,2\n3,4,5\n", {}, ":3: found 3 fields; must be 2, one for each name in the first line; quote text that has a comma in it, and write decimals with a point"),
        ("x,y\n1,2,\n", {}, ":2: found 3 fields; must be 2, one for each name in the first line; take away the comma at the end, or put one after the names too"),
        ("x;y\na;1;2\n", {}, ":2: found 3 fields; must be 2, one for each name in the first line; if the first field is a row's label, put a semicolon before the names"),
        ("x,y\n1,2\n\n3,4\n5,n.b.\n", {}, ':5: "y" is "n.b."; must be a number; put the line right, or choose another target in data.targets'),
        ("x,y\n1,2\n3,4\nn.b.,5\n", {}, ':4: "x" is "n.b."; must be a number; put the line right, or choose other features'),
        ("x,y\n1,2\n3,4\nn.b.,5\n", {"features": ("x",)}, ':4: "x" is "n.b."; must be a number; put the line right, or choose other features'),
        ("x,y\n1,2\n3,1_000\n3,0x1F\n5,6\n", {}, ':3: "y" is "1_000" (the first of 2 such fields); must be a number; put the line right, or choose another target in data.targets'),
        ("x,a,b,y\n1,Oslo,q,2\n2,Bern,r,3\n", {}, ':2: "a" is "Oslo" (the first of 2 such fields); must be a number; "a", "b" hold text with two values: write them as 0 and 1, or leave them out with this line in params.yaml, under data:\n  features: ["x"]'),
        ("x,a,y\n1,Oslo,2\n2,Bern,3\n", {"features": ("a",)}, ':2: "a" is "Oslo" (the first of 2 such fields); must be a number; "a" holds text with two values: write it as 0 and 1, or choose other features'),
        ("x,y\n1,Oslo\n2,Bern\n", {}, ':2: "y" is "Oslo" (the first of 2 such fields); must be a number; "y" holds text with two values: write it as 0 and 1, or choose another target in data.targets'),
        ("x;y\n1,5;2\n2,5;3\n", {}, ':2: "x" is "1,5" (the first of 2 such fields); must be a number; "x" holds decimal commas: write decimals with a point'),
        ('x,y\n"1,234,567",2\n', {}, ':2: "x" is "1,234,567"; must be a number; "x" holds separators of thousands: write the numbers without them'),
        ("x,y\nTrue,1\n", {}, ':2: "x" is "True"; must be a number; "x" holds true and false: write true as 1 and false as 0'),
        ("x,y\n5 %,1\n", {}, ':2: "x" is "5 %"; must be a number; "x" holds signs beside the numbers: write the numbers alone'),
        ("x,y\n1,NA\n,nan\nnull,3\n4,5\n ,6\n7, ? \n", {}, ': 6 values are missing in "x" (3), "y" (3), first in lines 2, 3, 4; fill them in, or take these rows away'),
        ("x,y\n1,2\n3,\n", {}, ': 1 value is missing in "y", in line 3; fill them in, or take these rows away'),
        ("x,y\n1,inf\n1e400,2\n3,4\n", {}, ': 2 values are infinite in "x" (1), "y" (1), in lines 2, 3; put finite numbers there, or take these rows away'),
        ("x,y\n,inf\n1,1\n", {}, ': 1 value is missing in "x", in line 2; fill them in, or take these rows away\n  data/raw/t.csv: 1 value is infinite in "y", in line 2; put finite numbers there, or take these rows away'),
        ("x,y\n1,2\n-9007199254740993,4\n", {}, ': line 3 has "x" = -9007199254740993, an integer that float64 does not hold (the nearest is -9007199254740992); if it is a label, leave the column out of data.features; else write it in a larger unit'),
        ('x,t,y\n1,a,2\n3,"b,4\n5,c,6\n', {"features": ("x",)}, ':3: found a quote that is never closed; close it, or write a quote within a quoted field twice ("")'),
        ('x,t,y\n1,a,2\n3,"b,4\n5,c,6\n7,"d,8\n9,e,0\n', {"features": ("x",)}, ':3: found a quoted field that goes on after its closing quote, in line 5; close the quote where the field ends, and write a quote within it twice ("")'),
        ('x,"t,y\n1,a,2\n', {"features": ("x",)}, ":1: found a quote that is never closed; close it"),
        (b"x,y\n1,2\n1,\xe9\n5,6\n", {}, ':3: "y" is "\\\\xe9"; must be a number; "y" holds bytes that are not UTF-8: save the file as text in UTF-8'),
        ("é,y\n1,2\n".encode("latin-1"), {}, ":1: found the byte 0xe9, which is not UTF-8; save the file as UTF-8"),
        ("x,y\n1,2\n".encode("utf-16"), {}, ": found text in UTF-16; save it as UTF-8"),
        ("x,y\n1,2\n".encode("utf-16-be"), {}, ": found bytes that are no text; save the table as CSV in UTF-8"),
        (b"PK\x03\x04rest", {}, ": found a zip or Excel file; save the table as CSV"),
        (b"PAR1rest", {}, ": found a Parquet file; name it .parquet"),
        (bytes(range(256)), {}, ": found bytes that are no text; save the table as CSV in UTF-8"),
    ],
)  # fmt: skip
def test_what_is_said_of_a_csv_file(
    workspace: Path, text: str | bytes, asked: dict[str, Any], told: str
) -> None:
    assert refusal(text, **asked) == f"data/raw/t.csv{told}"


@pytest.mark.parametrize("text", ["x,y\n", "x,y", "x,y\n\n\n"])
def test_a_table_without_rows(workspace: Path, text: str) -> None:
    told = "only names of columns; a fit needs some"
    assert refusal(text) == f"data.source: found no rows in data/raw/t.csv, {told}"
    put(parquet(x=pa.array([], "f8"), y=pa.array([], "i8")), "u.parquet")
    assert refusal(path="data/raw/*") == f"data.source: found no rows in 2 files, {told}"


def test_numbers_that_are_large_but_exact(workspace: Path) -> None:
    put("x,y\n9007199254740992,1e300\n-36028797018963968,12345678901234567.5\n")
    assert values()[:, 0].tolist() == [2**53, -(2**55)]


@pytest.mark.parametrize(
    ("columns", "asked", "told"),
    [
        ({"x": pa.array([True]), "y": [1.0]}, {}, ': found "x" (bool); columns must hold integers or floats; write it as 0 and 1 (int8), or choose other features'),
        ({"x": pa.array([1], "timestamp[us]"), "y": [1.0]}, {"features": ("x",)}, ': found "x" (timestamp[us]); columns must hold integers or floats; write it as a number, such as days since some date, or choose other features'),
        ({"x": [1], "y": pa.array([1]).cast(pa.decimal128(21, 2))}, {}, ': found "y" (decimal128(21, 2)); columns must hold integers or floats; write it as float64, or choose another target in data.targets'),
        ({"x": ["a"], "w": pa.array(["b"]).dictionary_encode(), "v": [[1]], "y": [1]}, {}, ': found "x" (string), "w" (dictionary<values=string, indices=int32, ordered=0>), "v" (list<element: int64>); columns must hold integers or floats; write it as numbers, or choose other features'),
        ({"x": pa.array([None]), "y": [1]}, {}, ': found "x" (null); columns must hold integers or floats; give it values, or choose other features'),
        ({"x": [1, None, 3], "y": [None, None, 1.0]}, {}, ': 3 values are missing in "x" (1), "y" (2), in rows 1, 2; fill them in, or take these rows away'),
        ({"x": [1.0, float("nan")], "y": [float("-inf"), 1.0]}, {}, ': 1 value is missing in "x", in row 2; fill them in, or take these rows away\n  data/raw/t.parquet: 1 value is infinite in "y", in row 1; put finite numbers there, or take these rows away'),
        ({"x": [1, -(2**53) - 1], "y": [1, 2]}, {}, ': row 2 has "x" = -9007199254740993, an integer that float64 does not hold (the nearest is -9007199254740992); if it is a label, leave the column out of data.features; else write it in a larger unit'),
        ({"x": pa.array([2**64 - 1], "u8"), "y": [1]}, {}, ': row 1 has "x" = 18446744073709551615, an integer that float64 does not hold (the nearest is 18446744073709551616); if it is a label, leave the column out of data.features; else write it in a larger unit'),
        ({"x": [1], "y": [1], "__index_level_0__": [7]}, {}, ': found the name "__index_level_0__" for column 3, which may be row labels (pandas writes none with index=False, R with row.names=FALSE); leave it out with this line in params.yaml, under data:\n  features: ["x"]'),
    ],
)  # fmt: skip
def test_what_is_said_of_a_parquet_file(
    workspace: Path, columns: dict[str, Any], asked: dict[str, Any], told: str
) -> None:
    columns = {name: pa.array(c) if isinstance(c, list) else c for name, c in columns.items()}
    assert refusal(pa.table(columns), "data/raw/t.parquet", **asked) == f"data/raw/t.parquet{told}"


def test_a_damaged_parquet_file(workspace: Path) -> None:
    path = put(parquet(x=np.arange(50_000.0), y=np.arange(50_000.0)), "t.parquet")
    whole = path.read_bytes()
    told = "; fetch or write it again, or name it .csv if it is one"
    for damaged in (b"", b"x,y\n1,2\n", whole[:-9], whole[:1000], b"PAR1" + whole[9:]):
        text = refusal(damaged, "data/raw/t.parquet")
        assert text.startswith("data/raw/t.parquet: not a whole Parquet file (")
        assert text.endswith(told)
        assert "\n" not in text


def test_damaged_copies_of_a_parquet_file_are_read_or_refused(workspace: Path) -> None:
    """1,500 of them have been tried; each is a table or one message, never a traceback."""
    draw = random.Random(0)
    numbers = np.arange(300.0)
    whole = put(parquet(x=numbers, y=numbers), "t.parquet").read_bytes()
    refused = []
    for _ in range(50):
        damaged = bytearray(whole)
        for _ in range(draw.choice([1, 1, 5])):
            damaged[draw.randrange(len(whole))] ^= 1 << draw.randrange(8)
        put(bytes(damaged), "t.parquet")
        try:
            values("data/raw/t.parquet")
        except UserError as error:
            refused.append(str(error))
    assert 10 < len(refused) < 50
    assert all(told.startswith("data/raw/t.parquet: ") for told in refused)


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
    monkeypatch.setattr(csv_file, "BLOCK", 200)
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


def test_files_of_a_glob_that_disagree(workspace: Path) -> None:
    put("x,y\n1,2\n", "a.csv")
    put("x,z,y\n1,2,3\n", "b.csv")
    assert refusal(path="data/raw/*.csv") == (
        'data/raw/b.csv: found a column "z", which data/raw/a.csv does not have; give all files the'
        " same columns, or name the features in data.features"
    )
    assert values("data/raw/*.csv", features=("x",)).tolist() == [[1, 2], [1, 3]]
    put("y\n1\n", "b.csv")
    assert refusal(path="data/raw/*.csv") == (
        'data/raw/b.csv: found no column "x", which data/raw/a.csv has; give all files of a glob the'
        " same columns"
    )


def test_files_that_are_not_there(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert refusal(path="data/raw/t.csv") == (
        "data.source: found no file data/raw/t.csv; put your CSV or Parquet file into data/raw/"
    )
    put("x,y\n1,2\n", "housing.csv")
    assert refusal(path="data/raw/housng.csv") == (
        "data.source: found no file data/raw/housng.csv; did you mean data/raw/housing.csv?"
    )
    assert refusal(path="data/raw/*.parquet") == (
        "data.source: found no file that matches data/raw/*.parquet; data/raw has housing.csv"
    )
    put("outs: []", "kept.csv.dvc")
    assert refusal(path="data/raw/kept.csv") == (
        "data.source: found no file data/raw/kept.csv, but data/raw/kept.csv.dvc; `dvc checkout"
        " data/raw/kept.csv.dvc` or `dvc pull` brings it"
    )
    (files.RAW / "link.csv").symlink_to("/gone/table.csv")
    assert refusal(path="data/raw/link.csv") == (
        "data.source: data/raw/link.csv is a link to /gone/table.csv, which is not there; `dvc"
        " checkout` restores it"
    )
    (files.RAW / "sub.csv").mkdir()
    assert refusal(path="data/raw/sub.csv") == (
        "data.source: data/raw/sub.csv is a folder; must be a file or a glob, such as"
        " data/raw/sub.csv/*.csv"
    )
    # A temporary experiment of DVC's runs elsewhere.
    (workspace / "temporary").mkdir()
    monkeypatch.chdir(workspace / "temporary")
    monkeypatch.setenv("DVC_ROOT", str(workspace))
    assert refusal(path="data/raw/housing.csv") == (
        "data.source: found no file data/raw/housing.csv in this temporary experiment, which has"
        f" only what is committed or in DVC; in {workspace}, `git add data/raw/housing.csv && git"
        " commit` if it is small, else `dvc add data/raw/housing.csv` and commit what that says"
    )


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("t.xlsx", 'of kind ".xlsx"; must be .csv, .tsv, .txt or .parquet, .pq; save the table as one of them'),
        ("table", 'without an extension; must be .csv, .tsv, .txt or .parquet, .pq; save the table as one of them, or name it .csv if it is text'),
        ("t.csv.gz", 'of kind ".gz"; must be .csv, .tsv, .txt or .parquet, .pq; unpack it first'),
    ],
)  # fmt: skip
def test_files_of_other_kinds(workspace: Path, name: str, told: str) -> None:
    assert refusal("x", f"data/raw/{name}") == f"data/raw/{name}: found a file {told}"
    put("x,y\n1,2\n")
    assert refusal(path="data/raw/*").endswith(f"{told}, or narrow the glob")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_a_file_that_may_not_be_read(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    path = put(parquet(x=[1], y=[2]) if name.endswith("parquet") else "x,y\n1,2\n", name)
    path.chmod(0)
    if os.access(path, os.R_OK):  # root reads everything

        def denied(which: Any, *rest: Any, **options: Any) -> int:
            if which == path:
                raise PermissionError(13, "Permission denied", str(path))
            return usual(which, *rest, **options)

        usual = os.open
        monkeypatch.setattr(os, "open", denied)
    assert refusal(path=str(path)) == (
        f"{path}: you may not read this file; `chmod u+r {path}` if it is yours"
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        # What commas mean is told by the column, then by the others, else both are said.
        ('x,y\n"2,146",1\n"985",2\n"1,001",3\n', '"x" holds separators of thousands: write the numbers without them'),
        ('x,y\n"2,146",1\n"1,001.5",3\n', '"x" holds separators of thousands: write the numbers without them'),
        ('x,y\n"0,146",1\n"1,001",3\n', '"x" holds decimal commas: write decimals with a point'),
        ('x;y\n2,146;1\n1,01;3\n', '"x" holds decimal commas: write decimals with a point'),
        ('x,y\n"2,146",1\n"1,001",3\n', '"x" holds commas, which may divide thousands or be decimal points: write the numbers without them, or with a point, whichever it is'),
        ('x;z;y\n2,146;2,5;1\n1,001;3,1;3\n', '"z", "x" hold decimal commas: write decimals with a point'),
        ("x;y\n1 234;1\n", '"x" holds separators of thousands: write the numbers without them'),
        # Which columns are of a kind, all at once, and what is left.
        ("a,b,n,y\nF,no,1,1\nM,yes,2,2\nF,yes,3,3\n", '; must be a number\n  "a" holds text with two values: write it as 0 and 1\n  "b" holds yes and no: write yes as 1 and no as 0\n  leave it out with this line in params.yaml, under data:\n  features: ["b", "n"]'),
        ("d,t,n,y\n2019-03-01,10:30,1,1\n2019-03-02,11:30:05,2,2\n", '"d", "t" hold dates or times: write them as numbers, such as days since some date, or leave them out with this line in params.yaml, under data:\n  features: ["n"]'),
        ("c,n,y\n" + "a,1,1\nb,2,2\nc,3,3\n" * 2, '"c" holds text: make a column of 0 and 1 for each value but one, or leave it out with this line in params.yaml, under data:\n  features: ["n"]'),
        ("name,n,y\n" + "".join(f"no. {row},1,1\n" for row in range(30)), '"name" holds text: leave it out with this line in params.yaml, under data:\n  features: ["n"]'),
        (",".join(f"t{number}" for number in range(30)) + ",n,y\n" + ("a," * 30 + "1,1\n") * 2, '"t19" and 10 more hold text: leave them out with this line in params.yaml, under data:\n  features: ["n"]'),
        ("p,n,y\n,1,1\nEx,2,2\nNA,3,3\n", '"p" holds text: leave it out with this line in params.yaml, under data:\n  features: ["n"]'),
        ("sep=|\nx|y\n", 't.csv:1: found the separator "|"; must be a comma, a semicolon or a tab; save the table with one of them'),
        ('sep=;\n"x;y\n', "t.csv:2: found a quote that is never closed; close it"),
        ("x,y,\n1,2,\n", 'found no name for column 3: the first line ends with a separator; leave it out with this line in params.yaml, under data:\n  features: ["x"]'),
        ("3,F,1\n1,M,2\n", 'its first line must name the columns, and is "3", "F", "1"'),
    ],
)  # fmt: skip
def test_the_advice_is_true(workspace: Path, text: str, told: str) -> None:
    assert refusal(text).endswith(told)


def test_a_line_that_tells_excel_the_separator(workspace: Path) -> None:
    for first in ("sep=;\n", "SEP=;\r\n", '"sep=;"\n', "\ufeffsep=;\n"):
        put(first + "a,b;y\n1;2\n3;4\n")
        assert source.find(settings().data).features == ("a,b",)
        assert values().tolist() == [[1, 2], [3, 4]]
    assert refusal("sep=;\nx;y\n1;2\n3;n.b.\n").startswith('data/raw/t.csv:4: "y" is "n.b."')


NFC, NFD = "gr\u00f6\u00dfe", "gro\u0308\u00dfe"  # ö as one character, and as o with two dots


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize(("asked", "there"), [(NFC, NFD), (NFD, NFC)])
def test_names_that_are_the_same_to_a_reader(
    workspace: Path, kind: str, asked: str, there: str
) -> None:
    """Keyboards write ö as one character, macOS as two."""
    path = f"data/raw/t.{kind}"
    put(f"{there},y\n1,2\n" if kind == "csv" else pa.table({there: [1], "y": [2]}), f"t.{kind}")
    found = source.find(settings(path, features=(asked,)).data)
    assert found.features == (asked,)
    assert np.concatenate([*found.blocks()]).tolist() == [[1, 2]]
    # A target is none of the features, however it is written.
    found = source.find(settings(path, targets=(asked,)).data)
    assert found.features == ("y",)
    (files.RAW / "u.csv").write_text(f"{asked},y\n3,4\n")
    assert values("data/raw/*").tolist() == [[1, 2], [3, 4]]


def test_names_that_only_look_the_same(workspace: Path) -> None:
    assert refusal("a\u00a0b\u200b,y\n1,2\n", features=("a b",)) == (
        'data/raw/t.csv: found no column "a b" (data.features); it has "a\\u00a0b\\u200b", which'
        " only looks the same; copy it from there"
    )


def test_a_first_line_longer_than_a_field_of_pythons(workspace: Path) -> None:
    """11,000 columns: sought for semicolons, the line is one field of more than 131,072 bytes."""
    names = [f"measurement_{number}" for number in range(11_000)]
    put(",".join([*names, "y"]) + "\n" + ",".join(["0.5"] * 11_001) + "\n")
    found = source.find(settings().data)
    assert found.features == tuple(names)
    (block,) = found.blocks()
    assert block.shape == (1, 11_001)


def test_fields_of_very_many_digits(workspace: Path) -> None:
    """Each was once a matter of minutes, or of Python's limit of 4,300 digits."""
    digits = "1" * 500_000
    for text in (
        digits + "a",
        digits + ".",
        "1," * 250_000 + "x",
        "1 " * 250_000,
        "\n" * 100_000 + "%",
    ):
        told = refusal(f'x,y\n"{text}",1\n')
        assert "must be a number" in told or "infinite" in told
        assert len(told) < 500
    assert "is infinite" in refusal(f"x,y\n{digits},1\n")
    told = refusal(f"x,y\n{'0' * 5_000}9007199254740993,1\n")
    assert 'has "x" = 9007199254740993, an integer that float64 does not hold' in told


# --- what git and DVC know


def test_a_source_that_nobody_keeps_is_named(
    workspace: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    put("x,y\n1,2\n", "small one.csv")
    put("x,y\n" + "1,2\n" * 300_000, "big.csv")
    source.find(settings("data/raw/*.csv").data)
    assert capfd.readouterr().err == "", "there is no repository here"

    git = Checkout(workspace)
    git("git", "init", "--quiet")
    source.find(settings("data/raw/small one.csv").data)
    assert capfd.readouterr().err == (
        "warning: data/raw/small one.csv: in no commit and not in DVC, so temporary experiments and"
        " your colleagues will not have it; `git add 'data/raw/small one.csv' && git commit`\n"
    )
    source.find(settings("data/raw/*.csv").data)
    told = capfd.readouterr().err
    assert told.startswith("warning: data/raw/big.csv and 1 more: in no commit and not in DVC")
    assert told.endswith(
        "`dvc add data/raw/big.csv 'data/raw/small one.csv'`, and commit what that says\n"
    )

    git("git", "add", "data/raw/small one.csv")
    source.find(settings("data/raw/small one.csv").data)
    assert "&& git commit`" in capfd.readouterr().err, "`dvc exp run` unstages what is only staged"
    git("git", "commit", "--quiet", "--message=the table")
    source.find(settings("data/raw/small one.csv").data)
    assert capfd.readouterr().err == ""
    put("outs: []", "big.csv.dvc")
    source.find(settings("data/raw/*.csv").data)
    assert capfd.readouterr().err.endswith("; `git add data/raw/big.csv.dvc && git commit`\n")
    git("git", "add", "data/raw/big.csv.dvc")
    git("git", "commit", "--quiet", "--message=the stub")
    source.find(settings("data/raw/*.csv").data)
    assert capfd.readouterr().err == ""


# --- what is written


@pytest.mark.parametrize("sizes", [[1] * 7, [3, 4], [7]])
def test_the_file_does_not_depend_on_the_blocks(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, sizes: list[int]
) -> None:
    monkeypatch.setattr(table, "ROW_GROUP", 3)
    rows = np.random.default_rng(0).normal(size=(7, 2))
    rows[:, 1] = rows[:, 1].astype(np.float32)
    table.write(Path("whole.parquet"), Table(("a", "b"), rows, frozenset({"b"})))
    with table.writer(Path("blocks.parquet"), ("a", "b"), {"b"}) as file:
        for block in np.split(rows, np.cumsum(sizes)[:-1]):
            file.write(np.asfortranarray(block))
    assert Path("blocks.parquet").read_bytes() == Path("whole.parquet").read_bytes()
    meta = pq.read_metadata("blocks.parquet")
    assert [meta.row_group(index).num_rows for index in range(meta.num_row_groups)] == [3, 3, 1]
    found = table.read(Path("blocks.parquet"))
    assert table.row_count(Path("blocks.parquet")) == 7
    np.testing.assert_array_equal(found.values, rows)
    assert found.float32 == {"b"}
    assert [str(kind) for kind in pq.read_schema("blocks.parquet").types] == ["double", "float"]


def test_a_large_table_is_cut_into_row_groups(tmp_path: Path) -> None:
    rows = np.asfortranarray(np.random.default_rng(0).normal(size=(150_000, 2)))
    table.write(tmp_path / "whole.parquet", Table(("a", "b"), rows))
    with table.writer(tmp_path / "blocks.parquet", ("a", "b")) as file:
        for block in np.split(rows, [1, 70_000, 140_000]):
            file.write(block)
    assert (tmp_path / "blocks.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    np.testing.assert_array_equal(table.read(tmp_path / "whole.parquet").values, rows)


def test_a_file_half_written_is_none(workspace: Path) -> None:
    def half() -> None:
        with table.writer(Path("t.parquet"), ("a",)) as file:
            file.write(np.zeros((100_000, 1)))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        half()
    assert not list(workspace.glob("t.parquet*"))


def test_a_table_of_no_rows_comes_back(tmp_path: Path) -> None:
    table.write(tmp_path / "t.parquet", Table(("a", "b"), np.empty((0, 2)), frozenset({"a"})))
    found = table.read(tmp_path / "t.parquet")
    assert found.names == ("a", "b")
    assert found.values.shape == (0, 2)
    assert table.row_count(tmp_path / "t.parquet") == 0
    assert found.float32 == {"a"}


def ours() -> dict[str, str]:
    """An environment where pipeline and conftest are at hand, and DVC is not."""
    return environment(PYTHONPATH=f"{Path.cwd()}{os.pathsep}{ROOT / 'tests'}")


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_nothing_imports_pandas(workspace: Path, name: str) -> None:
    numbers = np.arange(10.0)
    put(rows_csv(0, 10) if name == "t.csv" else parquet(x=numbers, y=numbers), name)
    program = (
        "import sys; from conftest import job; from pipeline import generate; from pipeline.settings import files; from pipeline.tables import table\n"
        f"generate.main(job(data__source='data/raw/{name}', data__features=[],"
        " data__targets=['y'], data__test_fraction=0.5, evaluate__queries=[]))\n"
        "table.read(files.TRAIN), table.read(files.TEST)\n"
        "assert 'pandas' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, env=ours())


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_memory_does_not_grow_with_the_file(workspace: Path, kind: str) -> None:
    draws = np.random.default_rng(0).random((1 << 17, 4))
    text = "a,b,c,y\n", "".join(",".join(map(repr, row)) + "\n" for row in draws.tolist())
    arrow = pa.table([pa.array(column) for column in draws.T], names=list("abcy"))
    program = (
        "import re; from pathlib import Path; from conftest import job; from pipeline.tables import source\n"
        "def peak():\n"
        "    status = Path('/proc/self/status').read_text()\n"
        "    return int(re.search(r'VmHWM:\\s*(\\d+)', status)[1]) / 1024\n"
        "before = peak()\n"
        f"data = job(data__source='data/raw/t.{kind}', data__features=[], data__targets=['y'],"
        " evaluate__queries=[]).data\n"
        "for block in source.find(data).blocks(): pass\n"
        "print(peak() - before)"
    )
    peaks = []
    for times in (5, 25):
        path = put("", f"t.{kind}")
        if kind == "csv":
            path.write_text(text[0] + text[1] * times)
        else:
            with pq.ParquetWriter(path, arrow.schema, compression="NONE") as file:
                for _ in range(times):
                    file.write_table(arrow)
        peaks.append(float(subprocess.check_output([sys.executable, "-c", program], env=ours())))
    size = path.stat().st_size / 2**20
    assert size > 100
    assert peaks[1] - peaks[0] < size / 4, peaks


# --- what is held out


def sides() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return table.read(files.TRAIN).values, table.read(files.TEST).values


def rows_csv(first: int, last: int) -> str:
    return "x,y\n" + "".join(f"{row},{row / 7}\n" for row in range(first, last))


def test_the_side_of_a_row_depends_on_its_place_and_the_seed(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(rows_csv(0, 5_000))
    generate.main(settings(fraction=0.2))
    train, test = sides()
    expected = stream(0, "split").random(5_000) < 0.2
    assert test[:, 0].tolist() == np.flatnonzero(expected).tolist()
    assert train[:, 0].tolist() == np.flatnonzero(~expected).tolist()
    assert (train[:, 1] == train[:, 0] / 7).all()
    assert abs(len(test) / 5_000 - 0.2) < 0.02
    before = files.TRAIN.read_bytes(), files.TEST.read_bytes()

    monkeypatch.setattr(csv_file, "BLOCK", 999)
    generate.main(settings(fraction=0.2))
    assert (files.TRAIN.read_bytes(), files.TEST.read_bytes()) == before

    put(rows_csv(0, 1_234), "part/1.csv")
    put(rows_csv(1_234, 1_234), "part/2.csv")
    put(rows_csv(1_234, 5_000), "part/3.csv")
    generate.main(settings("data/raw/part/*.csv", fraction=0.2))
    assert (files.TRAIN.read_bytes(), files.TEST.read_bytes()) == before

    put(rows_csv(0, 6_000))
    generate.main(settings(fraction=0.2))
    longer, held_out = sides()
    assert held_out[: len(test)].tolist() == test.tolist()
    assert longer[: len(train)].tolist() == train.tolist()

    generate.main(settings(fraction=0.2, seed=1))
    assert files.TEST.read_bytes() != before[1]


def test_a_larger_share_holds_out_the_same_rows_and_more(workspace: Path) -> None:
    put(rows_csv(0, 1_000))
    generate.main(settings(fraction=0.1))
    tenth = set(sides()[1][:, 0])
    generate.main(settings(fraction=0.3))
    assert tenth < set(sides()[1][:, 0])


def test_float32_stays_so(workspace: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=100)
    put(parquet(x=numbers.astype(np.float32), y=numbers), "t.parquet")
    generate.main(settings("data/raw/t.parquet", fraction=0.3))
    for path in (files.TRAIN, files.TEST):
        assert [str(kind) for kind in pq.read_schema(path).types] == ["float", "double"]
        assert table.read(path).float32 == {"x"}


def test_nothing_held_out_is_an_empty_test_table(workspace: Path) -> None:
    generate.main(job())
    train, test = sides()
    assert train.tolist() == [[1, 2], [2, 4], [3, 6]]
    assert test.shape == (0, 2)


def test_rows_that_are_made_are_held_out_too(workspace: Path) -> None:
    made = job(data__generate__x=None, data__generate__rows=500, data__test_fraction=0.25)
    generate.main(made)
    train, test = sides()
    held_out = stream(0, "split").random(500) < 0.25
    rows = generate.generate(made.data, 0).values
    np.testing.assert_array_equal(train, rows[~held_out])
    np.testing.assert_array_equal(test, rows[held_out])


def test_a_side_without_rows(workspace: Path) -> None:
    for fraction, told in (
        (1e-9, "found 1e-09, which holds out none of 3 rows; make it larger, set it to 0.0, or"),
        (0.999999, "found 0.999999, which leaves none of 3 rows to fit; make it smaller, or"),
    ):
        with pytest.raises(UserError) as caught:
            generate.main(job(data__test_fraction=fraction))
        assert str(caught.value) == f"data.test_fraction: {told} change the seed"
        assert not files.TRAIN.exists()
        assert not files.TEST.exists()
    assert not list(Path("data").glob("*"))


def test_a_refusal_leaves_no_file(workspace: Path) -> None:
    put(rows_csv(0, 100_000) + "1,oops\n")
    with pytest.raises(UserError, match=r'data/raw/t.csv:100002: "y" is "oops"; must be a number'):
        generate.main(settings())
    assert [path.name for path in Path("data").iterdir()] == ["raw"]


def test_missing_values_are_counted_to_the_end(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csv_file, "BLOCK", 100)
    put("x,y\n" + "".join(f"{row if row % 10 else ''},{row}\n" for row in range(1_000)))
    assert ': 100 values are missing in "x", first in lines 2, 12, 22;' in refusal()
