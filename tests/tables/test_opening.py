"""A file is opened as it is, for programs that look at it before anything is decided."""

import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from conftest import job
from own_tables import put

from pipeline.settings.errors import UserError
from pipeline.settings.keys.sections import Read
from pipeline.tables import opening, text_source


def test_texts_are_as_in_the_file(workspace: Path) -> None:
    path = put('a, b ,a\n 1 ,"x, ""y""",\nNA,?,3\n')
    file = opening.open_file(path, Read.usual())
    assert file.names == ("a", "b", "a")
    (block,) = file.texts()
    assert block.column_names == ["a", "b", "a"]
    told = [column.to_pylist() for column in block.columns]
    assert told == [[" 1 ", "NA"], ['x, "y"', "?"], ["", "3"]]


def test_files_with_types_keep_them(workspace: Path) -> None:
    path = put(pa.table({"x": [1, None], "t": ["a", None]}), "t.parquet")
    (block,) = opening.open_file(path, Read.usual()).texts()
    assert block.to_pydict() == {"x": [1, None], "t": ["a", None]}


def test_the_first_bytes_are_unpacked_and_as_they_are(workspace: Path) -> None:
    content = "é;b\n".encode("utf-16") * 100
    assert text_source.first_bytes(put(gzip.compress(content), "t.csv.gz"), 10) == content[:10]
    assert text_source.first_bytes(put(content), 1_000_000) == content


@pytest.mark.parametrize(
    ("read", "told"),
    [
        ({"data__read__encoding": "hex"}, "must be an encoding, such as utf-8, cp1252"),
        ({"data__read__encoding": "utf8000"}, "must be an encoding, such as utf-8, cp1252"),
        ({"data__read__thousands": "."}, "which is the decimal mark as well"),
        (
            {"data__read__thousands": " ", "data__read__separator": "blank"},
            "blanks divide the fields (data.read.separator)",
        ),
    ],
)
def test_settings_that_cannot_be(read: dict[str, str], told: str) -> None:
    with pytest.raises(UserError) as caught:
        job(data__source="data/raw/t.csv", **read)
    assert told in str(caught.value)
