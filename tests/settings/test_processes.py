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

from pipeline.settings import processes
from pipeline.tracking.tags import RECORDER_PROCESS, TRAINING_PROCESS

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="finds processes in /proc")

STAGE = """
import os, signal, sys, threading, time
from pathlib import Path

how = sys.argv[1:]

def parent(pid):
    return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1]

child = os.getppid() if "shell" in how else os.getpid()
starter = parent(child)
sys.argv[:1] = ["-m"]  # as in `python -m pipeline.train`, where the package is imported first
from pipeline.settings import processes

processes.SECONDS_BETWEEN_LOOKS = 0.01
processes.SECONDS_TO_END = 0.01
if "deaf" in how:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

def starter_is_gone():
    return parent(child) != starter

looked, looks, has_folder = threading.Event(), 0, processes._has_folder

def look():
    global looks
    looks += starter_is_gone()
    if looks == 2:  # the first one has found nothing to end the process for
        looked.set()
    return has_folder()

processes._has_folder = look
Path("identity").write_text(processes.identity())
Path("identity").rename("started")
while "importing" in how and not starter_is_gone():
    time.sleep(0.01)
processes.end_when_abandoned()
looked.wait()
Path("went on").touch()
"""

STARTER = """
import subprocess, sys, time
subprocess.Popen(sys.argv[1:], start_new_session=True)
time.sleep(600)
"""


def wait_for_end(identity: str) -> None:
    eventually(lambda: processes.is_gone(identity))


def start(folder: Path, *command: str, **variables: str) -> "subprocess.Popen[bytes]":
    """Start a process that starts `command` and waits: what DVC is to a stage."""
    variables |= {"PYTHONPATH": str(ROOT)}
    stage = ["env", *(f"{name}={value}" for name, value in variables.items()), *command]
    return subprocess.Popen([sys.executable, "-c", STARTER, *stage], cwd=folder, env=environment())


def stage(folder: Path, how: str = "", **variables: str) -> tuple["subprocess.Popen[bytes]", str]:
    """A starter and the identity of the stage that it has started."""
    script = folder / "stage.py"
    script.write_text(STAGE)
    command = [sys.executable, str(script), *how.split()]
    if "shell" in how:  # it stays between the two, waiting for its last command
        command = ["sh", "-c", f"'{sys.executable}' '{script}' {how}; true"]
    starter = start(folder, *command, **variables)
    eventually((folder / "started").exists)
    return starter, (folder / "started").read_text()


def test_what_is_no_process_has_not_ended() -> None:
    """The name comes from a tag: one that somebody wrote ended `dvc repro` in a traceback."""
    host, boot, _, start = processes.identity().split(" ")
    odd = ["", "x", "a b c d e", "h b/x notanumber 1", f"{host} {boot} -1 1", f"{host} {boot} ² 1"]
    assert not any(map(processes.is_gone, odd))
    assert not processes.is_gone(processes.identity())
    assert processes.is_gone(f"{host} {boot} {2**31} {start}")


@pytest.mark.parametrize("how", ["", "shell", "deaf", "importing", "shell importing"])
def test_a_stage_ends_with_the_dvc_that_started_it(tmp_path: Path, how: str) -> None:
    starter, identity = stage(tmp_path, how, DVC_STAGE="train")
    assert not processes.is_gone(identity)
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
    for name in ("params.yaml", "dvc.yaml", "requirements.txt", "pipeline", "modules"):
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
    for tag in (TRAINING_PROCESS, RECORDER_PROCESS):
        wait_for_end(run.tags[tag])
    starter.kill()
    starter.wait()
    (run,) = tracked_runs(workspace)
    assert run.status == "KILLED"
