"""Answers are written alone, or after the unchanged columns of their rows."""

import os
from pathlib import Path

import abline_client
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from answered_tables import answered, answered_by, read, write

from pipeline.answers import answer_file
from pipeline.settings.errors import UserError


def test_a_pipe_or_device_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f.csv")
    (tmp_path / "null.csv").symlink_to("/dev/null")
    for out in (tmp_path / "f.csv", tmp_path / "null.csv", Path("/dev/null")):
        with pytest.raises(UserError) as caught:
            answer_file.check_path(out, tmp_path / "rows.csv")
        assert str(caught.value).endswith(
            " is a pipe or a device, and the answers replace a file as a whole; must be a file that"
            " ends with .csv, .parquet, .pq"
        )


def test_only_a_csv_or_parquet_file_other_than_the_rows_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    rows = write(Path("rows.csv"), size=[1.0])
    Path("folder.csv").mkdir()
    Path("link.csv").symlink_to("rows.csv")
    for name, message in {
        "out.xlsx": 'found "out.xlsx"; must end with .csv, .parquet, .pq',
        "folder.csv": "is a folder; must be a file",
        "rows.csv": "the rows themselves; name another file",
        "link.csv": "the rows themselves; name another file",
    }.items():
        with pytest.raises(UserError, match=f"^--out: .*{message}"):
            answer_file.check_path(Path(name), rows)
    for name in ("new/out.csv", "OUT.PARQUET"):
        answer_file.check_path(Path(name), rows)


def test_a_link_to_itself_has_no_target_that_stays(tmp_path: Path) -> None:
    link = tmp_path / "link.csv"
    assert answer_file.link_note(link) == []
    link.symlink_to("link.csv")
    assert answer_file.link_note(link) == [
        f"note: {link} was a link to link.csv, and is a file now"
    ]
    link.unlink()
    link.symlink_to("other.csv")
    assert answer_file.link_note(link)[0].endswith("a file now; other.csv is unchanged")


def test_columns_of_one_name_are_refused(answering: Path, tmp_path: Path) -> None:
    model = abline_client.load(answering)
    rows = write(tmp_path / "rows.csv", size=[1.0], age=[0.0], rooms=[0.0])
    model.targets = ("in_range",)
    with pytest.raises(UserError, match='would have two columns "in_range"; rename the target'):
        answered_by(model, rows, tmp_path / "out.csv")


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_records_stay_beside_their_answers(
    newline: str, separator: str, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records are not lines: a field may hold a line end, and what Excel writes ends with CR."""
    monkeypatch.setattr("pipeline.tables.text_source.BYTES_PER_CHUNK", 100)
    notes = ["plain", '"a, b; c"', '"two\nlines"', '"two\r\n\r\nlines"', '"a ""b"""', "", " x "]
    first = separator.join(["note", "age", "rooms", " size"])
    records = [
        separator.join([notes[number % 7], "0", "0", f"{number}.50"]) for number in range(100)
    ]
    text = newline.join([first, *records]) + newline
    (tmp_path / "rows.csv").write_bytes(text.encode("utf-8-sig"))
    answered(models, tmp_path / "rows.csv", tmp_path / "out.csv", keep=True)
    answered(models, tmp_path / "rows.csv", tmp_path / "alone.csv")
    y = (tmp_path / "alone.csv").read_text().splitlines()
    pairs = zip([first, *records], y, strict=True)
    expected = "".join(f"{record}{separator}{answer}\n" for record, answer in pairs)
    assert (tmp_path / "out.csv").read_bytes() == expected.encode("utf-8-sig")


def test_columns_of_every_kind_are_kept(answering: Path, tmp_path: Path) -> None:
    rows = pa.table(
        {
            "when": pa.array([0, 1], "timestamp[ms]"),
            "size": [1, 2],
            "list": [[1], [2, 3]],
            "age": [0.5, 0.25],
            "name": pa.array(["a", None]).dictionary_encode(),
            "rooms": pa.array([1, 2], "f4"),
        }
    )
    pq.write_table(rows, tmp_path / "rows.parquet")
    answered(answering, tmp_path / "rows.parquet", tmp_path / "out.parquet", keep=True)
    table = read(tmp_path / "out.parquet")
    assert table.select(rows.column_names).equals(rows)
    assert table.column_names[6:] == ["y", "y low 95%", "y high 95%", "in_range"]
    with pytest.raises(
        UserError, match="a column that CSV cannot hold .*list.*; write .* as .parq"
    ):
        answered(answering, tmp_path / "rows.parquet", tmp_path / "out.csv", keep=True)
    pq.write_table(rows.drop_columns("list"), tmp_path / "rows.parquet")
    answered(answering, tmp_path / "rows.parquet", tmp_path / "out.csv", keep=True)
    first, second, third = (tmp_path / "out.csv").read_text().splitlines()
    assert first.startswith("when,size,age,name,rooms,y,y low 95%")
    assert second.startswith('1970-01-01 00:00:00.000,1,0.5,"a",1,')
    assert third.startswith("1970-01-01 00:00:00.001,2,0.25,,2,")


def test_text_of_a_csv_is_kept_in_parquet_as_text(models: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text('id,size,age,rooms\n007,1.50,0,0\n"NA ",2,0,0\n')
    answered(models, tmp_path / "rows.csv", tmp_path / "out.parquet", keep=True)
    kept = read(tmp_path / "out.parquet").to_pydict()
    assert kept["id"] == ["007", "NA "]
    assert kept["size"] == ["1.50", "2"]
    assert list(kept) == ["id", "size", "age", "rooms", "y"]
    (tmp_path / "rows.csv").write_bytes("id,size,age,rooms\né,1,0,0\n".encode("latin-1"))
    answered(models, tmp_path / "rows.csv", tmp_path / "out.csv", keep=True)
    assert b"\n\xe9,1,0,0," in (tmp_path / "out.csv").read_bytes()
    with pytest.raises(UserError, match="bytes that are not UTF-8, which Parquet's text must be"):
        answered(models, tmp_path / "rows.csv", tmp_path / "out.parquet", keep=True)


def test_names_that_rows_and_answers_share_are_one_message(models: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("y,size,age,rooms,z,z\n9,1,0,0,a,b\n")
    with pytest.raises(UserError) as caught:
        answered(models, tmp_path / "rows.csv", tmp_path / "out.csv", keep=True)
    assert str(caught.value) == (
        f'{tmp_path}/rows.csv: found "y", which would also be the name of an answer; rename it'
        ' there, such as "y measured", or leave out --keep'
    )
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
    (tmp_path / "rows.csv").write_text("w,size,age,rooms,z,z\n9,1,0,0,a,b\n")
    answered(models, tmp_path / "rows.csv", tmp_path / "out.csv", keep=True)
    assert (tmp_path / "out.csv").read_text().startswith("w,size,age,rooms,z,z,y\n9,1,0,0,a,b,")
    with pytest.raises(UserError, match='found "z" more than once, which Parquet does not allow'):
        answered(models, tmp_path / "rows.csv", tmp_path / "out.parquet", keep=True)


def test_no_rows_are_kept_too(models: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("sep=;\nid;size;age;rooms\n")
    for out in ("out.csv", "out.parquet"):
        answered(models, tmp_path / "rows.csv", tmp_path / out, keep=True)
    assert (tmp_path / "out.csv").read_text() == "id;size;age;rooms;y\n"
    assert read(tmp_path / "out.parquet").column_names == ["id", "size", "age", "rooms", "y"]
