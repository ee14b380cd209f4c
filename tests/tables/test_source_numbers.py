"""Rows are found again in the user's files, whatever was left out or held out."""

from pathlib import Path

import pytest
from conftest import job

from pipeline import generate
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tables import source_numbers, table
from pipeline.tables.csv_rows import lines_before


def lines_of(path: Path) -> list[str]:
    return path.read_text().splitlines()


def test_lines_are_those_of_the_file_with_gaps_quotes_and_rows_held_out(workspace: Path) -> None:
    texts = ["x,text,y"]
    for row in range(400):
        y = "" if row % 7 == 3 else str(row)
        text = f'"a{row}\nb"' if row % 11 == 5 else "c"
        texts += [f"{row * 2},{text},{y}"]
    files.RAW.mkdir(parents=True, exist_ok=True)
    (files.RAW / "a.csv").write_text("\n".join(texts) + "\n")
    (files.RAW / "b.csv").write_text("x,text,y\n1000,d,1\n1002,d,2\n")
    params = job(
        data__source="data/raw/*.csv",
        data__features=["x"],
        data__targets=["y"],
        data__exclude=["text"],
        data__drop_rows="missing_target",
        data__test_fraction=0.3,
        evaluate__queries=[],
    )
    generate.main(params)
    x = table.read(files.TRAIN).columns(["x"])[:, 0]
    places = [*range(len(x))]
    for value, (path, line) in zip(x.tolist(), source_numbers.read(places), strict=True):
        assert lines_of(Path(path))[line - 1].startswith(f"{value:g},")
    held_out = table.read(files.TEST).columns(["x"])[:, 0].tolist()
    assert held_out
    found = source_numbers.read([*range(len(held_out))], files.SOURCE_ROWS_TEST)
    for value, (path, line) in zip(held_out, found, strict=True):
        assert lines_of(Path(path))[line - 1].startswith(f"{value:g},")
    assert source_numbers.read(places[::-1]) == source_numbers.read(places)[::-1]


def test_rows_that_are_made_are_counted_from_one(workspace: Path) -> None:
    generate.main(job())
    assert source_numbers.read([2, 0]) == [("", 3), ("", 1)]
    with pytest.raises(UserError, match=r"it has fewer rows than data/train\.parquet"):
        source_numbers.read([3])
    with pytest.raises(UserError, match=r"it has fewer rows than data/test\.parquet"):
        source_numbers.read([0], files.SOURCE_ROWS_TEST)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", []),
        ("a\nb", [0, 1]),
        ("a\r\n\r\nb\r\n", [0, 2]),
        ('"a\nb\n",1\n\nc,2\n', [0, 4]),
        ('a"b,1\n"c\nd",2\ne\n', [0, 1, 3]),
        ('x,"he said ""no\n""",1\ny\n', [0, 2]),
    ],
)
def test_lines_before_rows(text: str, lines: list[int]) -> None:
    assert lines_before(text.encode(), b"\n", ",").tolist() == lines
