"""A stage that nobody waits for any more ends; one that a person left running goes on."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import (
    ROOT,
    Checkout,
    environment,
    eventually,
    job_text,
    tracked_runs,
    wait_for_losses,
)

from pipeline import process, tracking

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds processes in /proc")

STAGE = """
import os, signal, sys, time
from pathlib import Path
from pipeline import process

process.SECONDS_BETWEEN_LOOKS = 0.01
process.SECONDS_TO_END = 0.01
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
parent = os.getppid()
process.end_when_abandoned()
Path("identity").write_text(process.identity())
Path("identity").rename("started")
sleep, looks = time.sleep, 0
while looks < 15:  # after the parent has gone: time for the watcher to look a hundred times
    sleep(0.1)
    looks += os.getppid() != parent
Path("went on").touch()
"""

STARTER = """
import subprocess, sys, time
subprocess.Popen(sys.argv[1:], start_new_session=True)
time.sleep(600)
"""


def wait_for_end(identity: str) -> None:
    eventually(lambda: process.is_gone(identity))


def start(folder: Path, *command: str, **variables: str) -> "subprocess.Popen[bytes]":
    """Start a process that starts `command` and waits: what DVC is to a stage."""
    variables |= {"PYTHONPATH": str(ROOT)}
    stage = ["env", *(f"{name}={value}" for name, value in variables.items()), *command]
    return subprocess.Popen([sys.executable, "-c", STARTER, *stage], cwd=folder, env=environment())


def stage(folder: Path, how: str = "", **variables: str) -> tuple["subprocess.Popen[bytes]", str]:
    """A starter and the identity of the stage that it has started."""
    script = folder / "stage.py"
    script.write_text(STAGE)
    command = [sys.executable, str(script), how]
    if how == "shell":  # it stays between the two, waiting for its last command
        command = ["sh", "-c", f"'{sys.executable}' '{script}'; true"]
    starter = start(folder, *command, **variables)
    eventually((folder / "started").exists)
    return starter, (folder / "started").read_text()


def test_what_is_no_process_has_not_ended() -> None:
    """The name comes from a tag: one that somebody wrote ended `dvc repro` in a traceback."""
    host, boot, _, start = process.identity().split(" ")
    odd = ["", "x", "a b c d e", "h b/x notanumber 1", f"{host} {boot} -1 1", f"{host} {boot} ² 1"]
    assert not any(map(process.is_gone, odd))
    assert not process.is_gone(process.identity())
    assert process.is_gone(f"{host} {boot} {2**31} {start}")


@pytest.mark.parametrize("how", ["", "shell", "deaf"])
def test_a_stage_ends_with_the_dvc_that_started_it(tmp_path: Path, how: str) -> None:
    starter, identity = stage(tmp_path, how, DVC_STAGE="train")
    assert not process.is_gone(identity)
    starter.kill()
    starter.wait()
    wait_for_end(identity)
    assert not (tmp_path / "went on").exists()


def test_a_stage_started_by_hand_outlives_its_shell(tmp_path: Path) -> None:
    starter, identity = stage(tmp_path)
    starter.kill()
    starter.wait()
    wait_for_end(identity)
    assert (tmp_path / "went on").exists()


def test_a_stage_ends_with_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "deleted soon"
    folder.mkdir()
    starter, identity = stage(folder)
    try:
        shutil.rmtree(folder)
        wait_for_end(identity)
    finally:
        starter.kill()
        starter.wait()


@pytest.mark.slow
@pytest.mark.parametrize("gone", ["dvc", "folder"])
def test_a_training_and_the_writer_of_its_run_end(workspace: Path, gone: str) -> None:
    """`dvc queue kill -f` left trainings that took a whole core for days, in deleted folders."""
    folder = workspace / "experiment"
    folder.mkdir()
    for name in ("params.yaml", "dvc.yaml", "requirements.txt", "pipeline"):
        (workspace / name).rename(folder / name)
    (folder / "params.yaml").write_text(job_text(train__epochs=10**8, train__lr=1e-9))
    checkout = Checkout(folder)
    checkout.stage("generate")
    command = [sys.executable, "-m", "pipeline.train"]
    starter = start(folder, *command, DVC_STAGE="train", DVC_ROOT=str(workspace))
    wait_for_losses(workspace)
    (run,) = tracked_runs(workspace)
    if gone == "dvc":
        starter.kill()
    else:
        shutil.rmtree(folder)
    for tag in (tracking.TRAINING, tracking.RECORDER):
        wait_for_end(run.tags[tag])
    starter.kill()
    starter.wait()
    (run,) = tracked_runs(workspace)
    assert run.status == "KILLED"
