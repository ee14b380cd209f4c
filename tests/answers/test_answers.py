"""The rows of a table of any size are answered, or refused with the place of the mistake."""

import os
from pathlib import Path

import abline_client
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from answered_tables import answered, read, write

from pipeline.settings.errors import UserError

ROWS = np.random.default_rng(0).uniform(-3, 3, (70_000, 3))


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_a_table_of_several_blocks(
    kind: str, answering: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.tables.text_source.BYTES_PER_CHUNK", 1 << 20)
    size, age, rooms = ROWS.T
    names = [f"row {number}" for number in range(len(ROWS))]
    rows = write(tmp_path / f"rows{kind}", name=names, rooms=rooms, size=size, age=age)
    counts = answered(answering, rows, tmp_path / f"out{kind}")
    table = read(tmp_path / f"out{kind}")
    model = abline_client.load(answering)
    x = ROWS.astype(np.float32)
    low, high = model.interval(x)
    inside = model.in_range(x)
    right = {
        "y": model.predict(x)[:, 0],
        "y low 95%": low[:, 0],
        "y high 95%": high[:, 0],
        "in_range": inside,
    }
    assert table.column_names == list(right)
    for name, values in right.items():
        assert np.array_equal(np.array(table[name]).astype(values.dtype), values), name
    assert counts.rows == len(ROWS)
    assert 0 < counts.outside == np.count_nonzero(~inside) < len(ROWS)
    note, warning = counts.notes()
    assert note == "note: the model takes float32: each number was rounded to it, once"
    assert warning.startswith(f"warning: {counts.outside:,} of 70,000 rows lie outside the train")


def test_exact_rows_inside_the_range_have_no_notes(models: Path, tmp_path: Path) -> None:
    columns = dict(zip(("size", "age", "rooms"), np.zeros((3, 5), np.float32), strict=True))
    for rows in (write(tmp_path / "r.parquet", **columns), write(tmp_path / "r.csv", **columns)):
        assert list(answered(models, rows, tmp_path / "out.csv").notes()) == []
        assert (tmp_path / "out.csv").read_text().splitlines()[0] == "y"
    assert pq.read_schema(tmp_path / "r.parquet").field("size").type == pa.float32()


def test_no_rows_have_no_answers(models: Path, tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("size,age,rooms\n")
    for out in ("out.csv", "out.parquet"):
        assert answered(models, tmp_path / "none.csv", tmp_path / out).rows == 0
        assert read(tmp_path / out).to_pydict() == {"y": []}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "size,rooms\n1,2\n",
            r"rows.csv: found no column \"age\" \(a feature of the model\); it h",
        ),
        ("Size,age,rooms\n", r"no column \"size\" .*; did you mean \"Size\"\?"),
        ("size,age,rooms\n1,2,3\n1,2\n", "rows.csv:3: found 2 fields; must be 3"),
        ("size,age,rooms\n1,2,3\n\n1,2,3\n", "rows.csv:3: found an empty line, which would have"),
        ("size,age,rooms\r\n1,2,3\r\n\r\n1,2,3\r\n", "rows.csv:3: found an empty line"),
        ('a,size,age,rooms\n"\n\n",1,2,3\n"",1,2,3\n\n"",1,2,3', "rows.csv:6: found an empty l"),
        ("size,age,rooms\n\n1,2,3\n", "rows.csv:2: found an empty line"),
        ("", "rows.csv: the file is empty"),
    ],
)
def test_files_that_cannot_be_read(text: str, message: str, models: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        answered(models, tmp_path / "rows.csv", tmp_path / "out.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv"], "nothing half written"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1,,3", '"age" is missing (1, in line 3)'),
        ("1,2,nan", '"rooms" is missing (1, in line 3)'),
        ("1,2,-inf", '"rooms" is no finite number, such as "-inf" (1, in line 3)'),
        ("1,2,x", '"rooms" is no finite number, such as "x" (1, in line 3)'),
        ("1,-1e39,2", '"age" is too large for float32, such as "-1e39" (1, in line 3)'),
        ("?,2,x", '"size" is missing (1, in line 3); "rooms" is no finite number, such as "x" (1,'),
    ],
)
def test_a_row_that_cannot_be_answered_has_an_empty_field(
    row: str, reason: str, models: Path, answering: Path, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text(f"size,age,rooms\n1,0,0\n{row}\n2,0,0\n")
    out = tmp_path / "out.csv"
    answers_of = answered(models, tmp_path / "rows.csv", out)
    (warning, *_) = [line for line in answers_of.notes() if "empty field" in line]
    assert warning.startswith(
        f"warning: 1 of 3 rows have no answer, and get an empty field: {reason}"
    )
    first, second, third, fourth = out.read_text().splitlines()
    assert (first, third) == ("y", '""'), "a reader would skip an empty line"
    assert float(second) < float(fourth)
    answered(answering, tmp_path / "rows.csv", out, keep=True)
    assert out.read_text().splitlines()[2] == f"{row},,,,false"
    answered(answering, tmp_path / "rows.csv", tmp_path / "out.parquet")
    table = read(tmp_path / "out.parquet").to_pydict()
    assert [value is None for value in table["y"]] == [False, True, False]
    assert table["in_range"][1] is False
    with pytest.raises(UserError) as refused:
        answered(models, tmp_path / "rows.csv", tmp_path / "strict.csv", strict=True)
    assert f"rows.csv: 1 of 3 rows cannot be answered: {reason}" in str(refused.value)
    assert "leave out --strict" in str(refused.value)
    assert not (tmp_path / "strict.csv").exists()


def test_no_answer_at_all_is_a_mistake(models: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("size;age;rooms\n1,5;0,5;2,5\n1,5;0,5;2,5\n")
    with pytest.raises(UserError, match="none of 2 rows can be answered: .*; if .* with --read, s"):
        answered(models, tmp_path / "rows.csv", tmp_path / "out.csv")
    told = answered(models, tmp_path / "rows.csv", tmp_path / "out.csv", read=["decimal=,"])
    assert (told.rows, told.refused) == (2, 0)


def test_answers_that_are_too_large_are_reported(models: Path, tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.csv", size=[3e38, 1.0], age=[-3e38, 0.0], rooms=[0.0, 0.0])
    (warning, _) = list(answered(models, rows, tmp_path / "out.csv").notes())[-2:]
    assert warning.startswith(
        "warning: the answers to 1 row are too large for float32, and are written as inf"
    )


def test_rows_that_are_not_a_file(models: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.csv")
    with pytest.raises(UserError, match="rows.csv: found a pipe or a device; must be a file; save"):
        answered(models, tmp_path / "rows.csv", tmp_path / "out.csv")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_integers_that_the_model_rounds_are_reported(
    kind: str, models: Path, tmp_path: Path
) -> None:
    columns = {"age": [0], "rooms": [0]}
    for size, said in ((2**24, False), (2**24 + 1, True)):
        rows = write(tmp_path / f"rows.{kind}", size=[size], **columns)
        told = "\n".join(answered(models, rows, tmp_path / "out.csv").notes())
        assert ("note: the model takes float32" in told) == said
