"""`python -m pipeline.predict` answers tables of any size, or says what is wrong and where."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import abline_client
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from conftest import ROOT, environment, eventually

from pipeline import predict
from pipeline.settings.errors import UserError
from pipeline.tables import source

ROWS = np.random.default_rng(0).uniform(-3, 3, (70_000, 3))


def answered(models: Path, rows: Path, out: Path, keep: bool = False) -> predict.Report:
    model = abline_client.load(models)
    return predict.predict(model, source.rows_of(rows, model.features, keep), out, keep)


def write(path: Path, **columns: Any) -> Path:
    table = pa.table(columns)
    pq.write_table(table, path) if path.suffix == ".parquet" else pa.csv.write_csv(table, path)
    return path


def read(path: Path) -> pa.Table:
    return pq.read_table(path) if path.suffix == ".parquet" else pa.csv.read_csv(path)


@pytest.mark.parametrize("kind", [".csv", ".parquet"])
def test_a_table_of_several_blocks(
    kind: str, answering: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.tables.csv_file.BLOCK", 1 << 20)
    size, age, rooms = ROWS.T
    names = [f"row {number}" for number in range(len(ROWS))]
    rows = write(tmp_path / f"rows{kind}", name=names, rooms=rooms, size=size, age=age)
    report = answered(answering, rows, tmp_path / f"out{kind}")
    found = read(tmp_path / f"out{kind}")
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
    assert found.column_names == list(right)
    for name, values in right.items():
        assert np.array_equal(np.array(found[name]).astype(values.dtype), values), name
    assert report.rows == len(ROWS)
    assert 0 < report.outside == np.count_nonzero(~inside) < len(ROWS)
    note, warning = report.told()
    assert note == "note: the model takes float32: each number was rounded to it, once"
    assert warning.startswith(f"warning: {report.outside:,} of 70,000 rows lie outside the train")


def test_it_says_nothing_where_there_is_nothing_to_say(models: Path, tmp_path: Path) -> None:
    columns = dict(zip(("size", "age", "rooms"), np.zeros((3, 5), np.float32), strict=True))
    for rows in (write(tmp_path / "r.parquet", **columns), write(tmp_path / "r.csv", **columns)):
        assert list(answered(models, rows, tmp_path / "out.csv").told()) == []
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
        ("size,age,rooms\n1,2,3\n1,,3\n", '1 value is missing in "age", in line 3; fill them in'),
        ("size,age,rooms\n1,2,nan\n", '1 value is missing in "rooms", in line 2'),
        ("size,age,rooms\n1,2,-inf\n", '1 value is infinite in "rooms", in line 2'),
        ("size,age,rooms\n1,2,3\n1,2,x\n", 'rows.csv:3: "rooms" is "x"; must be a number; put'),
        ("size,age,rooms\n1,2,3\n1,2\n", "rows.csv:3: found 2 fields; must be 3"),
        ("size,age,rooms\n1,2,3\n1,-1e39,2\n", 'rows.csv: row 2 has "age" = -1e.39, beyond flo'),
        ("size,age,rooms\n1,2,3\n\n1,2,3\n", "rows.csv:3: found an empty line, which would have"),
        ("size,age,rooms\r\n1,2,3\r\n\r\n1,2,3\r\n", "rows.csv:3: found an empty line"),
        ('a,size,age,rooms\n"\n\n",1,2,3\n"",1,2,3\n\n"",1,2,3', "rows.csv:6: found an empty l"),
        ("size,age,rooms\n\n1,2,3\n", "rows.csv:2: found an empty line"),
        ("", "rows.csv: the file is empty"),
    ],
)
def test_rows_that_cannot_be_answered(
    text: str, message: str, models: Path, tmp_path: Path
) -> None:
    (tmp_path / "rows.csv").write_text(text)
    with pytest.raises(UserError, match=message):
        answered(models, tmp_path / "rows.csv", tmp_path / "out.csv")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["rows.csv"], "nothing half written"


def test_columns_of_one_name_are_refused(answering: Path, tmp_path: Path) -> None:
    model = abline_client.load(answering)
    rows = write(tmp_path / "rows.csv", size=[1.0], age=[0.0], rooms=[0.0])
    model.targets = ("in_range",)
    with pytest.raises(UserError, match='would have two columns "in_range"; rename the target'):
        predict.predict(model, source.rows_of(rows, model.features), tmp_path / "out.csv")


def test_answers_that_are_too_large_are_told_of(models: Path, tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.csv", size=[3e38, 1.0], age=[-3e38, 0.0], rooms=[0.0, 0.0])
    (warning, _) = list(answered(models, rows, tmp_path / "out.csv").told())[-2:]
    assert warning.startswith("warning: the answers to 1 row are beyond float32, and stand as inf")


# --- the rows beside their answers


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_records_stay_beside_their_answers(
    newline: str, separator: str, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records are not lines: a field may hold a line end, and what Excel writes ends with CR."""
    monkeypatch.setattr("pipeline.tables.csv_file.BLOCK", 100)
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
    found = read(tmp_path / "out.parquet")
    assert found.select(rows.column_names).equals(rows)
    assert found.column_names[6:] == ["y", "y low 95%", "y high 95%", "in_range"]
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
    found = read(tmp_path / "out.parquet").to_pydict()
    assert found["id"] == ["007", "NA "]
    assert found["size"] == ["1.50", "2"]
    assert list(found) == ["id", "size", "age", "rooms", "y"]
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
        f'{tmp_path}/rows.csv: found "y", which the answers would be called, too; rename it there,'
        ' such as "y measured", or leave out --keep'
    )
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
    (tmp_path / "rows.csv").write_text("w,size,age,rooms,z,z\n9,1,0,0,a,b\n")
    answered(models, tmp_path / "rows.csv", tmp_path / "out.csv", keep=True)
    assert (tmp_path / "out.csv").read_text().startswith("w,size,age,rooms,z,z,y\n9,1,0,0,a,b,")
    with pytest.raises(UserError, match='found "z" more than once, which Parquet does not take'):
        answered(models, tmp_path / "rows.csv", tmp_path / "out.parquet", keep=True)


def test_no_rows_are_kept_too(models: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("sep=;\nid;size;age;rooms\n")
    for out in ("out.csv", "out.parquet"):
        answered(models, tmp_path / "rows.csv", tmp_path / out, keep=True)
    assert (tmp_path / "out.csv").read_text() == "id;size;age;rooms;y\n"
    assert read(tmp_path / "out.parquet").column_names == ["id", "size", "age", "rooms", "y"]


# --- where the answers go


@pytest.mark.parametrize("target", ["there.csv", "gone.csv"])
def test_a_link_is_replaced_and_what_it_leads_to_stays(
    target: str, models: Path, tmp_path: Path
) -> None:
    """It may lead into DVC's cache: what is written there is gone from every commit."""
    rows = write(tmp_path / "rows.csv", size=[1.0], age=[0.0], rooms=[0.0])
    (tmp_path / "there.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(target)
    done = command(tmp_path, str(rows), "--model", str(models), "--out", "link.csv")
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == (
        f"note: link.csv was a link to {target}, and is a file now; {target} is as it was"
    )
    assert not (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "link.csv").read_text().startswith("y\n")
    assert (tmp_path / "there.csv").read_text() == "old"
    assert not (tmp_path / "gone.csv").exists()


def test_a_link_to_itself_has_nothing_that_stays(models: Path, tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.csv", size=[1.0], age=[0.0], rooms=[0.0])
    (tmp_path / "l.csv").symlink_to("l.csv")
    done = command(tmp_path, str(rows), "--model", str(models), "--out", "l.csv")
    assert done.returncode == 0
    told = "note: l.csv was a link to l.csv, and is a file now"
    assert done.stderr.splitlines()[-1] == told


def test_what_is_no_file_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f.csv")
    (tmp_path / "null.csv").symlink_to("/dev/null")
    for out in (tmp_path / "f.csv", tmp_path / "null.csv", Path("/dev/null")):
        with pytest.raises(UserError) as caught:
            predict._check_out(out, tmp_path / "rows.csv")
        assert str(caught.value).endswith(
            " is a pipe or a device, and the answers replace a file as a whole; must be a file that"
            " ends with .csv, .parquet, .pq"
        )


@pytest.mark.slow
def test_a_kill_leaves_the_old_file_or_the_new_one(models: Path, tmp_path: Path) -> None:
    write(tmp_path / "rows.parquet", **dict.fromkeys(("size", "age", "rooms"), np.zeros(3_000_000)))
    arguments = ["rows.parquet", "--model", str(models), "--out", "out.csv"]
    assert command(tmp_path, *arguments).returncode == 0
    whole = (tmp_path / "out.csv").read_bytes()
    for size in (0, len(whole) // 3, len(whole) - 1):
        (tmp_path / "out.csv").write_text("old")
        with subprocess.Popen(
            [sys.executable, "-m", "pipeline.predict", *arguments], cwd=tmp_path, env=OURS
        ) as process:
            name = f"out.csv.{process.pid}.partial"
            while process.poll() is None:
                partial = tmp_path / name
                if partial.exists() and partial.stat().st_size > size:
                    process.kill()
                    break
        assert (tmp_path / "out.csv").read_bytes() in (b"old", whole)


BLOCKED = """
import threading, pipeline.csv_file
def never(self):
    print("reading", flush=True)
    threading.Event().wait()
    yield
pipeline.tables.csv_file.CsvFile._texts = never
from pipeline import predict
predict.main()
"""


def test_one_signal_ends_it_though_the_reader_is_blocked(models: Path, tmp_path: Path) -> None:
    """A disk or a share that does not answer."""
    (tmp_path / "rows.csv").write_text("size,age,rooms\n1,2,3\n")
    arguments = ["rows.csv", "--model", str(models), "--out", "out.csv"]
    with subprocess.Popen(
        [sys.executable, "-c", BLOCKED, *arguments],
        cwd=tmp_path,
        env=OURS,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "reading\n"
        process.send_signal(signal.SIGTERM)
        try:
            assert process.wait(60) == 128 + signal.SIGTERM
        finally:
            process.kill()
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


def test_rows_that_are_no_file(models: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "rows.csv")
    with pytest.raises(UserError, match="rows.csv: found a pipe or a device; must be a file; save"):
        answered(models, tmp_path / "rows.csv", tmp_path / "out.csv")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_integers_that_the_model_rounds_are_told_of(
    kind: str, models: Path, tmp_path: Path
) -> None:
    columns = {"age": [0], "rooms": [0]}
    for size, said in ((2**24, False), (2**24 + 1, True)):
        rows = write(tmp_path / f"rows.{kind}", size=[size], **columns)
        told = "\n".join(answered(models, rows, tmp_path / "out.csv").told())
        assert ("note: the model takes float32" in told) == said


def test_the_client_tells_of_integers_that_it_rounds(models: Path) -> None:
    model = abline_client.load(models)
    model.predict([[2**24, 0, 0]])
    with pytest.warns(UserWarning, match="integers are rounded to the model's float32"):
        model.predict({"size": [2**24 + 1], "age": [0], "rooms": [0]})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_stopped_leaves_nothing(number: int, models: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("size,age,rooms\n" + "1,2,3\n" * 5_000_000)
    arguments = ["rows.csv", "--model", str(models), "--out", "out.csv"]
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.predict", *arguments],
        cwd=tmp_path,
        env=OURS,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        eventually(lambda: list(tmp_path.glob("*.partial")) or process.poll() is not None)
        process.send_signal(number)
        _, told = process.communicate()
        assert process.returncode == 128 + number, "it has ended before it could be stopped"
        assert told == f"stopped: predict was ended by {signal.Signals(number).name}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]


OURS = environment(PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / "clients/python")]))


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.predict", *arguments],
        cwd=folder,
        env=OURS,
        capture_output=True,
        text=True,
    )


def test_the_command_line(models: Path, tmp_path: Path) -> None:
    write(tmp_path / "rows.csv", size=[0.1, 900.0], age=[0.0, 0.0], rooms=[0.0, 0.0])
    done = command(tmp_path, "rows.csv", "--model", str(models), "--out", "new/out.parquet")
    assert (done.returncode, done.stdout) == (0, "new/out.parquet: 2 rows\n")
    note, warning = done.stderr.splitlines()
    assert note.startswith("note: the model takes float32")
    assert warning == (
        "warning: 1 of 2 rows lie outside the training range, where nobody knows how good the"
        " answers are: size (1)"
    )
    assert read(tmp_path / "new/out.parquet").num_rows == 2


def test_mistakes_on_the_command_line(models: Path, tmp_path: Path) -> None:
    rows = str(write(tmp_path / "rows.csv", size=[1.0], age=[0.0], rooms=[0.0]))
    spoilt = tmp_path / "models"
    spoilt.mkdir()
    (spoilt / "model.onnx").write_bytes((models / "model.onnx").read_bytes())
    contract = json.loads((models / "contract.json").read_text())
    (spoilt / "contract.json").write_text(json.dumps(contract | {"sha256": "0" * 64}))
    (tmp_path / "folder.csv").mkdir()
    good = ("--model", str(models))
    for arguments, message in {
        (rows, "--out", "out.csv"): "models/model.onnx is not the file that",
        ("no.csv", "--out", "out.csv", *good): "no.csv: there is no such file",
        (rows, "--out", "out.xlsx", *good): 'found "out.xlsx"; must end with .csv, .parquet, .pq',
        (rows, "--out", "folder.csv", *good): "is a folder; must be a fi",
        (rows, "--out", "/proc/o.csv", *good): "/proc/o.csv.*; put right .* and run this command",
        (rows, "--out", rows, *good): "the rows themselves; name another file",
        (rows, "--out", "o.csv", "--model", "gone.onnx"): "gone.onnx: there is no such file",
        (str(tmp_path), "--out", "o.csv", *good): "found a folder; must be a file",
        ("a.gz", "--out", "o.csv", *good): "a.gz: there is no such file",
    }.items():
        done = command(tmp_path, *arguments)
        assert done.returncode == 1
        (line,) = done.stderr.splitlines()
        assert line.startswith("error: ")
        assert re.search(message, line), line
    assert not list(tmp_path.glob("out*"))
