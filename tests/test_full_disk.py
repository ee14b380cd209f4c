"""A disk that is full or cannot be written to: one message, and no file half written."""

import subprocess
from pathlib import Path

import pytest
from conftest import environment


def in_a_small_or_frozen_disk(workspace: Path, mount: str, script: str) -> str:
    """Run `script` with `disk` as a file system of its own; return its output."""
    disk = workspace / "disk"
    disk.mkdir()
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    probe = subprocess.run([*command, "mount -t tmpfs tmpfs ."], cwd=disk, capture_output=True)
    if probe.returncode:
        pytest.skip("this machine lets no user mount a file system")
    body = (
        f"mount -t tmpfs {mount} tmpfs disk && cp -r *.yaml *.txt pipeline modules disk && cd disk"
        f" && {script}"
    )
    done = subprocess.run(
        [*command, body],
        cwd=workspace,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.stdout


def test_a_full_disk(workspace: Path) -> None:
    told = in_a_small_or_frozen_disk(
        workspace,
        "-o size=4m",
        "python -m pipeline.generate; head -c 8m /dev/zero >fill; "
        "python -m pipeline.generate; echo status $?; ls data; rm fill; "
        "python -m pipeline.generate; echo status $?",
    )
    assert "No space left on device; free some space and run `dvc repro` again" in told
    assert "Traceback" not in told
    # The old table is whole, and nothing lies beside it.
    kept = "columns.json\nsample.parquet\nsource_rows.parquet\n"
    kept += "source_rows_test.parquet\nsummary.json\n"
    kept += "test.parquet\ntrain.parquet\n"
    assert f"status 1\n{kept}status 0\n" in told


FILLING = """
import os
from pathlib import Path
from conftest import job
from pipeline import generate
made = job(data__generate__x=None, data__generate__rows=3000, data__test_fraction=0.3,
           data__features=["a", "b", "c"], data__generate__weight=None, evaluate__queries=[])
Path("data").mkdir()
disk = os.statvfs(".")
for free in range(100):
    blocks = os.statvfs(".").f_bavail
    Path("fill").write_bytes(bytes((blocks - free) * disk.f_bsize))
    try:
        generate.main(made)
        print("whole", sorted(os.listdir("data")))
        break
    except OSError as error:
        print("failed", os.listdir("data"), error.errno, error)
    Path("fill").unlink()
"""


def test_whichever_output_finds_the_disk_full_none_is_written(workspace: Path) -> None:
    (workspace / "filling.py").write_text(FILLING)
    tests = Path(__file__).parent
    told = in_a_small_or_frozen_disk(
        workspace, "-o size=4m", f"PYTHONPATH=.:{tests} python ../filling.py"
    )
    *failed, whole, _ = told.split("\n")
    names = ["columns.json", "sample.parquet", "source_rows.parquet"]
    names += ["source_rows_test.parquet", "summary.json", "test.parquet", "train.parquet"]
    assert whole == f"whole {names}"
    assert {line[: len("failed [] 28 ")] for line in failed} == {"failed [] 28 "}, told
    # Arrow writes the tables, Python the two files of JSON.
    assert len(failed) > 30
    assert any("Error writing bytes to file" in line for line in failed)
    assert any("[Errno 28] No space left on device" in line for line in failed)


@pytest.mark.slow
def test_a_full_disk_stops_a_training_and_its_store_only_warns(workspace: Path) -> None:
    told = in_a_small_or_frozen_disk(
        workspace,
        "-o size=4m",
        "python -m pipeline.generate; head -c 8m /dev/zero >fill; "
        "python -m pipeline.train; echo status $?; ls models",
    )
    warning, error = (told.index(kind) for kind in ("warning: the tracking store ", "\nerror: "))
    assert warning < error, "the training went on without its run"
    assert told.endswith(
        "No space left on device; free some space and run `dvc repro` again\nstatus 1\n"
    )
    assert "Traceback" not in told


@pytest.mark.slow
def test_a_disk_that_cannot_be_written_to(workspace: Path) -> None:
    told = in_a_small_or_frozen_disk(
        workspace,
        "",
        "python -m pipeline.generate && mount -o remount,ro . && "
        "python -m pipeline.generate; echo status $?; python -m pipeline.train; echo status $?",
    )
    first, second, _ = told.split("status 1\n")
    for text in (first, second):
        assert "Read-only file system" in text or "make the file" in text
        assert "writ" in text
        assert "Traceback" not in text
