"""`python -m pipeline.predict` writes a whole file, or no file and a message."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from answered_tables import read, write
from conftest import ROOT, environment, eventually

from pipeline.settings import signals

ENVIRONMENT = environment(PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / "clients/python")]))


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pipeline.predict", *arguments],
        cwd=folder,
        env=ENVIRONMENT,
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
        "warning: 1 of 2 rows lie outside the training range, where the error of the answers"
        " is unknown: size (1)"
    )
    assert read(tmp_path / "new/out.parquet").num_rows == 2


def test_mistakes_on_the_command_line(models: Path, tmp_path: Path) -> None:
    rows = str(write(tmp_path / "rows.csv", size=[1.0], age=[0.0], rooms=[0.0]))
    spoilt = tmp_path / "models"
    spoilt.mkdir()
    (spoilt / "model.onnx").write_bytes((models / "model.onnx").read_bytes())
    contract = json.loads((models / "contract.json").read_text())
    (spoilt / "contract.json").write_text(json.dumps(contract | {"sha256": "0" * 64}))
    good = ("--model", str(models))
    for arguments, message in {
        (rows, "--out", "out.csv"): "models/model.onnx is not the file that",
        ("no.csv", "--out", "out.csv", *good): "no.csv: there is no such file",
        (rows, "--out", "/proc/o.csv", *good): "/proc/o.csv.*; correct .* and run this command",
        (rows, "--out", rows, *good): "--out: found .* the rows themselves; name another file",
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


def test_rows_without_an_answer_are_counted_or_refused(models: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("size;age;rooms\n0,5;0;0\n;0;0\n")
    arguments = ["rows.csv", "--model", str(models), "--out", "out.csv"]
    marks = ["--read", "separator=;", "decimal=,"]
    done = command(tmp_path, *arguments, *marks, "--keep")
    assert (done.returncode, done.stdout) == (0, "out.csv: 2 rows\n")
    assert done.stderr.splitlines()[-1] == (
        'warning: 1 of 2 rows have no answer, and get an empty field: "size" is missing (1, in line'
        " 3)"
    )
    assert (tmp_path / "out.csv").read_text().splitlines()[2] == ";0;0;"
    (tmp_path / "out.csv").unlink()
    for options, message in {
        (*marks, "--strict"): "rows.csv: 1 of 2 rows cannot be answered: .* leave out --strict",
        (): "none of 2 rows can be answered: .* such as --read 'separator=;' 'decimal=,'",
    }.items():
        done = command(tmp_path, *arguments, *options)
        assert done.returncode == 1
        assert re.match(f"error: .*{message}", done.stderr), done.stderr
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("target", ["there.csv", "gone.csv"])
def test_a_link_is_replaced_and_what_it_leads_to_stays(
    target: str, models: Path, tmp_path: Path
) -> None:
    """It may lead into DVC's cache, where writing would change a file of every commit."""
    rows = write(tmp_path / "rows.csv", size=[1.0], age=[0.0], rooms=[0.0])
    (tmp_path / "there.csv").write_text("old")
    (tmp_path / "link.csv").symlink_to(target)
    done = command(tmp_path, str(rows), "--model", str(models), "--out", "link.csv")
    assert done.returncode == 0
    assert done.stderr.splitlines()[-1] == (
        f"note: link.csv was a link to {target}, and is a file now; {target} is unchanged"
    )
    assert not (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "link.csv").read_text().startswith("y\n")
    assert (tmp_path / "there.csv").read_text() == "old"
    assert not (tmp_path / "gone.csv").exists()


@pytest.mark.slow
def test_a_kill_leaves_the_old_file_or_the_new_one(models: Path, tmp_path: Path) -> None:
    write(tmp_path / "rows.parquet", **dict.fromkeys(("size", "age", "rooms"), np.zeros(3_000_000)))
    arguments = ["rows.parquet", "--model", str(models), "--out", "out.csv"]
    assert command(tmp_path, *arguments).returncode == 0
    whole = (tmp_path / "out.csv").read_bytes()
    for size in (0, len(whole) // 3, len(whole) - 1):
        (tmp_path / "out.csv").write_text("old")
        with subprocess.Popen(
            [sys.executable, "-m", "pipeline.predict", *arguments], cwd=tmp_path, env=ENVIRONMENT
        ) as process:
            name = f"out.csv.{process.pid}.partial"
            while process.poll() is None:
                partial = tmp_path / name
                if partial.exists() and partial.stat().st_size > size:
                    process.kill()
                    break
        assert (tmp_path / "out.csv").read_bytes() in (b"old", whole)


BLOCKED = """
import threading, pipeline.tables.csv_file
def never(self):
    print("reading", flush=True)
    threading.Event().wait()
    yield
pipeline.tables.csv_file.CsvFile._texts = never
from pipeline import predict
from pipeline.settings import signals
predict.main()
"""


def test_one_signal_ends_it_although_the_reader_is_blocked(models: Path, tmp_path: Path) -> None:
    """A disk or a share that does not answer."""
    (tmp_path / "rows.csv").write_text("size,age,rooms\n1,2,3\n")
    arguments = ["rows.csv", "--model", str(models), "--out", "out.csv"]
    with subprocess.Popen(
        [sys.executable, "-c", BLOCKED, *arguments],
        cwd=tmp_path,
        env=ENVIRONMENT,
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


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_no_file(number: int, models: Path, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("size,age,rooms\n" + "1,2,3\n" * 5_000_000)
    arguments = ["rows.csv", "--model", str(models), "--out", "out.csv"]
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline.predict", *arguments],
        cwd=tmp_path,
        env=ENVIRONMENT,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        eventually(lambda: list(tmp_path.glob("*.partial")) or process.poll() is not None)
        process.send_signal(number)
        _, told = process.communicate()
        assert process.returncode == 128 + number, "it has ended before it could be stopped"
        assert told == f"stopped: predict was ended by {signals.cause(number)}\n"
    assert [path.name for path in tmp_path.iterdir()] == ["rows.csv"]
