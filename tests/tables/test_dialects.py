"""Tables in the form in which people have them are read with the settings that say this form."""

# ruff: noqa: E501 - a table of messages reads best one to a line

import bz2
import gzip
import lzma
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from conftest import job
from own_tables import put

from pipeline.settings.errors import UserError
from pipeline.settings.keys.sections import Read
from pipeline.tables import opening, raw_table, text_source

A, B, Y = [35.0, 50.0, 24.0], [29.8, 30.6, 30.1], [421.2, 472.33, 387.43]
PLAIN = "a,b,y\n35,29.8,421.2\n50,30.6,472.33\n24,30.1,387.43\n"
NO_HEADER = PLAIN.partition("\n")[2]


def zstd(content: bytes) -> bytes:
    """Return packed bytes."""
    packed: bytes = pa.compress(content, "zstd", asbytes=True)
    return packed


def rows(
    path: str, features: Any = (), targets: tuple[str, ...] = ("y",), **data: Any
) -> dict[str, list[Any]]:
    """Return all rows of a table. data: other settings; those that Read has are of data.read."""
    settings = {
        f"data__{'read__' if name in Read.model_fields else ''}{name}": value
        for name, value in data.items()
    }
    features = features if isinstance(features, dict) else list(features)
    asked = {"data__targets": list(targets), "data__features": features, "evaluate__queries": []}
    raw = raw_table.find(job(data__source=path, **(asked | settings)).data)
    columns: dict[str, list[Any]] = pa.concat_tables([*raw.rows()]).to_pydict()
    return columns


def refusal(path: str, **asked: Any) -> str:
    """Return the message that refuses a table."""
    with pytest.raises(UserError) as caught:
        rows(path, **asked)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "read"),
    [
        ("t.dat", PLAIN.replace(",", "\t"), {}),
        ("t.data", PLAIN.replace(",", "|"), {}),
        ("t.txt", PLAIN.replace(",", ";").replace(".", ","), {"decimal": ","}),
        ("t.csv", "a b y\n" + NO_HEADER.replace(",", " \t "), {"separator": "blank"}),
        ("t.csv", "  a b  y \r\n" + NO_HEADER.replace("\n", "\r\n").replace(",", "  "), {"separator": "blank"}),
        ("t.csv", '"a" b y\n' + NO_HEADER.replace(",", " ").replace("35", '"35"'), {"separator": "blank"}),
        ("t.csv", PLAIN.replace("\n", "\r"), {}),
        ("t.csv", PLAIN.rstrip("\n"), {}),
        ("t.csv", PLAIN.encode("utf-16"), {"encoding": "utf-16"}),
        ("t.csv", PLAIN.encode("utf-16-le"), {"encoding": "utf-16-le"}),
        ("t.csv", PLAIN.encode(), {"encoding": "cp1252"}),
        ("t.csv.gz", gzip.compress(PLAIN.encode(), mtime=0), {}),
        ("t.csv.gz", gzip.compress(PLAIN[:20].encode(), mtime=0) + gzip.compress(PLAIN[20:].encode(), mtime=0), {}),
        ("t.csv.bz2", bz2.compress(PLAIN.encode()), {}),
        ("t.csv.xz", lzma.compress(PLAIN.encode("utf-16")), {"encoding": "utf-16"}),
        ("t.csv.zst", zstd(PLAIN.encode()), {}),
        ("t.csv", PLAIN.replace("\n", ",\n"), {}),
        ("t.csv", PLAIN.replace("\n", ",,\n"), {}),
        ("t.csv", "a,b,y\n" + NO_HEADER.replace("\n", ",\n"), {}),
        ("t.csv", "Title, of 3\n\n" + PLAIN, {"skip_lines": 1}),
        ("t.csv", PLAIN + "\nSource, x\nMore\n\n", {"footer_lines": 2}),
        ("t.csv", "# mine\n" + PLAIN.replace("24", "# no,\n24"), {"comment": "#"}),
        ("t.csv", "% mine\r\n%\r\n" + PLAIN.replace("\n", "\r\n") + "% end", {"comment": "%"}),
        ("t.csv", '// "\n' + PLAIN, {"comment": "//"}),
        ("t.json", '[{"a": 35, "b": 29.8, "y": 421.2},\n {"a": 50, "b": 30.6, "y": 472.33},\n{"y": 387.43, "b": 30.1, "a": 24}]\n', {}),
        ("t.jsonl", '{"a": 35, "b": 29.8, "y": 421.2}\n{"a": 50, "b": 30.6, "y": 472.33}\n\n{"y": 387.43, "b": 30.1, "a": "24"}', {}),
        ("t.ndjson.gz", gzip.compress(b'{"a": 35, "b": 29.8, "y": 421.2}\n{"a": 50, "b": 30.6, "y": 472.33}\n{"y": 387.43, "b": 30.1, "a": 24}', mtime=0), {}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("chunk", [16, 1 << 20])
def test_the_same_rows(
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    content: str | bytes,
    read: dict[str, Any],
    chunk: int,
) -> None:
    monkeypatch.setattr(text_source, "BYTES_PER_CHUNK", chunk)
    path = put(content, name)
    assert rows(str(path), **read) == {"a": A, "b": B, "y": Y}
    texts = pa.concat_tables(
        [*opening.open_file(path, Read.usual().model_copy(update=read)).texts()],
        promote_options="permissive",
    )
    assert texts.num_rows == 3
    assert texts.column_names == ["a", "b", "y"]


def test_without_a_header(workspace: Path) -> None:
    put(NO_HEADER)
    told = rows("data/raw/t.csv", targets=("c3",), header=False)
    assert told == {"c1": A, "c2": B, "c3": Y}
    put("1,2,\n3,4,5\n")
    gap = {"c1": "number", "c3": {"kind": "number", "missing": "mean"}}
    told_rows = rows("data/raw/t.csv", gap, targets=("c2",), header=False)
    assert str(told_rows["c3"]) == "[nan, 5.0]"
    put("1,2,,\n3,4,,\n")
    assert rows("data/raw/t.csv", targets=("c2",), header=False) == {"c1": [1, 3], "c2": [2, 4]}
    put("a,a,y\n" + NO_HEADER)
    assert rows("data/raw/t.csv", targets=("c3",), header=False, skip_lines=1) == told
    put('"",b,y\n' + NO_HEADER)
    assert rows("data/raw/t.csv") == {"c1": A, "b": B, "y": Y}
    assert rows("data/raw/t.csv", exclude=["c1"]) == {"b": B, "y": Y}
    put(",c1,y\n" + NO_HEADER)
    assert "another column is called c1" in refusal("data/raw/t.csv")


def test_numbers_with_marks_and_units(workspace: Path) -> None:
    put('x,p,y\n"1,085",45 %,$5\n12,0,"$-1,234.5"\n NA ,-3%,$0\n')
    x = {"kind": "number", "missing": 0.0}
    asked = {"x": x, "p": {"kind": "number", "units": True}}
    told = rows("data/raw/t.csv", asked, thousands=",", units=True)
    assert str(told) == str(
        {"x": [1085.0, 12.0, float("nan")], "p": [45.0, 0.0, -3.0], "y": [5.0, -1234.5, 0.0]}
    )
    put("x;y\n1.085,5;1\n2;3\n")
    assert rows("data/raw/t.csv", thousands=".", decimal=",")["x"] == [1085.5, 2]
    put("x;y\n1 085,5;1\n2;3\n")
    assert rows("data/raw/t.csv", thousands=" ", decimal=",")["x"] == [1085.5, 2]
    put("x,y\n3 kg,1\n4 kg,2\n5 lb,3\n")
    told_wrong = '"x" is "5 lb"; must be a number with the unit of the first ones'
    asked = {"x": {"kind": "number", "units": True}}
    assert f"t.csv:4: {told_wrong}" in refusal("data/raw/t.csv", features=asked)
    # Of all files of a glob.
    put("x,y\n3 kg,1\n", "g1.csv")
    put("x,y\n5 lb,3\n", "g2.csv")
    assert f"g2.csv:2: {told_wrong}" in refusal("data/raw/g*.csv", features=asked)


def test_texts_that_mean_no_value(workspace: Path) -> None:
    put("x,t,y\n 999,none,1\n-999 , -999 ,2\n,,3\nn.d.,x,4\n")
    asked = {"x": {"kind": "number", "missing": 0.0}, "t": {"kind": "category", "missing": "level"}}
    told = 't.csv:5: "x" is "n.d."; must be a number'
    assert told in refusal("data/raw/t.csv", features=asked, missing=["-999"])
    told_rows = rows("data/raw/t.csv", asked, missing=["-999", "n.d."])
    assert str(told_rows["x"]) == "[999.0, nan, nan, nan]"
    assert told_rows["t"] == ["none", "", "", "x"]


@pytest.mark.parametrize(
    ("content", "read", "told"),
    [
        (b"t,y\nPort\xe1til,1\nx\x81,2\n", {"encoding": "cp1252"}, "t.csv:3: found the byte 0x81, which cp1252 does not have there"),
        (b"t,y\nPort\xe1til,1\n", {}, "t.csv:2: found the byte 0xe1, which is not UTF-8; write the encoding"),
        (PLAIN.encode("utf-16")[:-1], {"encoding": "utf-16"}, "which utf-16 does not have there (truncated data)"),
        ("a,b,y,\n1,2,3,\n1,2,3,x\n", {}, 't.csv:3: found "x" in column 4, which has no name in the first line and no value in the first row'),
        ("35,29.8,421.2\n50,30.6,472.33\n", {"targets": ("421.2",)}, 'data.targets: "421.2" is a number, and so are other fields of the first line of data/raw/t.csv, "35", "29.8", "421.2": if it is a row, not names, write `header: false`'),
        ("F,0.35,14\nM,0.5,15\n", {}, "if it is a row of values, write `header: false` in params.yaml, under data: read:, and the columns are c1 to c3"),
        ("a b y\n1 2 3\n", {}, "write `separator: blank` in params.yaml, under data: read:"),
        ("a,b,y\n1,2,3\n", {"exclude": ["bb"]}, 'found no column "bb" (data.exclude); did you mean "b"?'),
    ],
)  # fmt: skip
def test_what_is_refused(
    workspace: Path, content: str | bytes, read: dict[str, Any], told: str
) -> None:
    put(content)
    assert told in refusal("data/raw/t.csv", **read)


@pytest.mark.parametrize("suffix", [".gz", ".bz2", ".xz", ".zst"])
def test_a_packed_file_that_is_cut_short(workspace: Path, suffix: str) -> None:
    packs = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}
    content = "a,b,y\n" + "".join(f"{row},{row * 7919 % 9973},{row / 7}\n" for row in range(9999))
    whole: bytes = packs[suffix](content.encode())  # type: ignore[operator]
    path = put(whole[: len(whole) // 2], f"t.csv{suffix}")
    assert f"{path}: damaged or cut short (" in refusal(str(path))


def test_years_may_be_names(workspace: Path) -> None:
    put("2018,2019,2020\n1,2,3\n")
    assert rows("data/raw/t.csv", targets=("2020",)) == {"2018": [1], "2019": [2], "2020": [3]}
