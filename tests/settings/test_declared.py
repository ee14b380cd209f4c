"""A parameter that dvc.yaml does not declare is said, before an old result passes for a new one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import job

from pipeline import check
from pipeline.settings import declared
from pipeline.settings.errors import UserError
from pipeline.settings.ids import training
from pipeline.settings.params import flatten


def test_the_committed_file_declares_every_key(workspace: Path) -> None:
    declared.check(flatten(job()))


def test_a_parameter_of_ones_own_must_be_declared(workspace: Path) -> None:
    keys = [*flatten(job()), "model.depth", "tracking.new"]
    with pytest.raises(UserError) as caught:
        declared.check(keys)
    assert str(caught.value) == (
        "dvc.yaml: model.depth is not among the params of train, evaluate, export, track, so DVC"
        " would not see that it changed; add it there"
    )
    text = Path("dvc.yaml").read_text()
    Path("dvc.yaml").write_text(text.replace(" model.dtype,", ""))
    with pytest.raises(UserError) as caught:
        declared.check(keys)
    assert [line.split(" is not ")[0] for line in str(caught.value).splitlines()] == [
        "2 mistakes in dvc.yaml", "  dvc.yaml: model.dtype", "  dvc.yaml: model.depth"
    ]  # fmt: skip
    for damaged in ("", "stages: 3", "- a", "stages: {train: 3}"):
        Path("dvc.yaml").write_text(damaged)
        for read in (lambda: declared.check(keys), declared.stages, lambda: training(job())):
            with pytest.raises(UserError, match=r"dvc\.yaml: it has no stages"):
                read()


@pytest.mark.slow
@pytest.mark.process
def test_what_dvc_would_never_finish_reading_is_said(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = Path("data/raw")
    declared.check_files()  # there need be no folder
    (raw / "sub/.dvc").mkdir(parents=True)
    (raw / "linked").symlink_to("/dev")  # DVC does not follow it
    (raw / "gone.csv").symlink_to("nowhere")
    (raw / "table.csv").write_text("x,y\n1,2\n")
    (raw / "link.csv").symlink_to("table.csv")
    os.mkfifo(raw / "sub/pipe")  # DVC enters no repository of its own
    declared.check_files()
    os.mkfifo(raw / "pipe")
    (raw / "zero").symlink_to("/dev/zero")
    monkeypatch.setattr(sys, "argv", ["check"])
    with pytest.raises(SystemExit) as left:
        check.main()
    told = "error: data/raw/pipe, data/raw/zero: found no regular file, but a pipe, a socket or a"
    assert str(left.value).startswith(told)
    subprocess.run(["dvc", "init", "--no-scm", "--quiet"], check=True)
    Path(".dvcignore").write_text("/data/raw/pipe\nzero\n")
    declared.check_files()


def test_a_stage_says_so_and_so_does_the_check_of_params_yaml(workspace: Path) -> None:
    """`make repro` runs the check first: where every stage is up to date, no stage would."""
    text = Path("dvc.yaml").read_text()
    Path("dvc.yaml").write_text(text.replace(" train.lr,", "", 1))
    for module in ("check", "generate"):
        ran = subprocess.run(
            [sys.executable, "-m", f"pipeline.{module}"], capture_output=True, text=True
        )
        assert ran.returncode == 1
        assert ran.stderr.startswith(
            "error: dvc.yaml: train.lr is not among the params of train, so DVC would not see"
        )
