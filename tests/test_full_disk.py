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
        f"mount -t tmpfs {mount} tmpfs disk && cp -r *.yaml *.txt pipeline disk && cd disk"
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
    assert "status 1\ncolumns.json\ntest.parquet\ntrain.parquet\nstatus 0\n" in told


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
