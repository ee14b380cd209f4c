"""The columns of a table in any form stay beside their answers."""

import bz2
import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from answered_tables import answered, read
from conftest import job, make

TEXT = "id;size;age;rooms\nä;1,5;0;0\nb;2,5;0;0\n"
MARKS = ["separator=;", "decimal=,"]


def kept(models: Path, rows: Path, content: bytes, *options: str, out: str = "out.csv") -> Any:
    """Write the answers beside the rows; return the lines, or the table."""
    rows.write_bytes(content)
    path = rows.with_name(out)
    answered(models, rows, path, keep=True, read=options)
    return path.read_text().splitlines() if out.endswith(".csv") else read(path)


def test_answers_have_the_decimal_mark_of_the_rows(models: Path, tmp_path: Path) -> None:
    lines = kept(models, tmp_path / "rows.csv", TEXT.encode(), *MARKS)
    assert lines[0] == "id;size;age;rooms;y"
    first, second = (line.rsplit(";", 1) for line in lines[1:])
    assert (first[0], second[0]) == ("ä;1,5;0;0", "b;2,5;0;0")
    assert "." not in first[1] + second[1]
    plain = TEXT.replace(",", ".").replace(";", ",").encode()
    right = kept(models, tmp_path / "rows.csv", plain)
    assert [line.rsplit(",", 1)[1] for line in right[1:]] == [
        each[1].replace(",", ".") for each in (first, second)
    ]


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("rows.csv", TEXT.encode("cp1252"), ["encoding=cp1252"]),
        ("rows.csv", TEXT.encode("utf-16"), ["encoding=utf-16"]),
        ("rows.csv.gz", gzip.compress(TEXT.encode(), mtime=0), []),
        ("rows.csv.bz2", bz2.compress(TEXT.encode()), []),
    ],
    ids=["cp1252", "utf-16", "gz", "bz2"],
)
def test_text_of_any_encoding_is_kept_in_utf_8(
    name: str, content: bytes, options: list[str], models: Path, tmp_path: Path
) -> None:
    lines = kept(models, tmp_path / name, content, *MARKS, *options)
    plain = kept(models, tmp_path / "plain.csv", TEXT.encode(), *MARKS)
    assert lines == plain
    table = kept(models, tmp_path / name, content, *MARKS, *options, out="out.parquet")
    assert table.column_names == ["id", "size", "age", "rooms", "y"]
    assert table["id"].to_pylist() == ["ä", "b"]


def test_a_file_without_names_gets_some(workspace: Path) -> None:
    make(job(data__features=["c2"]))
    lines = kept(
        Path("models"),
        workspace / "rows.data",
        b"x 1.5\ny   2.5\n",
        "separator=blank",
        "header=false",
    )
    assert lines[0] == "c1\tc2\ty"
    assert [line.split("\t")[:2] for line in lines[1:]] == [["x", "1.5"], ["y", "2.5"]]


def test_records_of_json_are_kept(models: Path, tmp_path: Path) -> None:
    records = [
        {"id": name, "size": size, "age": 0, "rooms": 0} for name, size in (("ä", 1.5), ("b", 2.5))
    ]
    table = kept(models, tmp_path / "rows.json", json.dumps(records).encode(), out="out.parquet")
    assert table.select(["id", "size"]).to_pydict() == {"id": ["ä", "b"], "size": ["1.5", "2.5"]}
    lines = "\n".join(map(json.dumps, records)).encode()
    out = kept(models, tmp_path / "rows.jsonl", lines)
    assert len(out) == 3
    assert out[0].endswith(",y")
    assert table["y"].type == pa.float32()
