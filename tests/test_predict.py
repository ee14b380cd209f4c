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

from pipeline import UserError, predict, source

ROWS = np.random.default_rng(0).uniform(-3, 3, (70_000, 3))


def answered(models: Path, rows: Path, out: Path) -> predict.Report:
    model = abline_client.load(models)
    return predict.predict(model, source.rows_of(rows, model.features), out)


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
    monkeypatch.setattr("pipeline.csv_file.BLOCK", 1 << 20)
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


def test_a_link_stays_one(models: Path, tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.csv", size=[1.0], age=[0.0], rooms=[0.0])
    (tmp_path / "there.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to("there.csv")
    answered(models, rows, tmp_path / "link.csv")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "there.csv").read_text().startswith("y\n")


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
