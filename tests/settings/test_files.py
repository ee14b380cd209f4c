"""Files of a killed process are removed by the next process; files in use are not."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from conftest import ROOT, environment

from pipeline.settings import files, processes

WRITER = """
import sys, time
from pathlib import Path
from pipeline.settings import files
with files.whole(Path(sys.argv[1])) as partial:
    partial.write_text("half")
    print(flush=True)
    time.sleep(600)
"""


def writer(path: Path) -> "subprocess.Popen[bytes]":
    """A process that is writing `path`."""
    started = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
    )
    assert started.stdout is not None
    started.stdout.readline()
    return started


def kill(started: "subprocess.Popen[bytes]") -> None:
    started.kill()
    started.communicate()


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_half_a_file_is_removed_by_the_next_who_writes_it(tmp_path: Path) -> None:
    """76 MB lay beside a table that had long been written again."""
    path = tmp_path / "a[1].parquet"
    others = ["a[1].parquet.1-1-abcdefgh.partial", "a1.parquet.partial", "a[1].parquet.partial"]
    for name in others:
        (tmp_path / name).write_text("a person's own")
    dead = writer(path)
    kill(dead)
    assert len(names(tmp_path)) == len(others) + 1
    alive = writer(path)
    try:
        in_use = sorted(set(names(tmp_path)) - set(others))
        assert len(in_use) == 1, "the dead one's is gone"
        files.write_bytes(path, b"whole")
        assert names(tmp_path) == sorted([*in_use, *others, path.name])
    finally:
        kill(alive)
    files.write_bytes(path, b"whole")
    assert names(tmp_path) == sorted([*others, path.name])


def test_a_writer_that_cannot_be_seen_has_a_day(tmp_path: Path) -> None:
    """Another machine may be writing into the same folder."""
    path = tmp_path / "report.json"
    pid, start, _ = processes.mark().split("-")
    foreign = tmp_path / f"{path.name}.{pid}-{start}-00000000.partial"
    foreign.write_text("half")
    files.write_bytes(path, b"whole")
    assert foreign.exists()
    long_ago = time.time() - files.SECONDS_KEPT - 1
    os.utime(foreign, (long_ago, long_ago))
    files.write_bytes(path, b"whole")
    assert not foreign.exists()


def test_a_file_is_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    files.write_json(path, {"b": 0.1, "a": "é"})
    assert path.read_bytes() == '{\n  "a": "é",\n  "b": 0.1\n}\n'.encode()
    with pytest.raises(ValueError, match="not JSON compliant"):
        files.write_json(path, {"a": float("nan")})
    with pytest.raises(ZeroDivisionError), files.whole(path) as partial:
        partial.write_text(f"half of {1 / 0}")
    assert path.read_text().startswith('{\n  "a"')
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.json"]


@pytest.mark.parametrize("write", [Path.touch, lambda path: pa.OSFile(str(path), "wb")])
def test_a_file_that_cannot_be_written_is_named_as_the_user_knows_it(
    tmp_path: Path, write: Callable[[Path], Any]
) -> None:
    path = tmp_path / ("long" * 60)  # too long with the end of a temporary name
    with pytest.raises(OSError, match="too long") as failure, files.whole(path) as partial:
        write(partial)
    assert str(path) in str(failure.value)
    assert ".partial" not in str(failure.value)
