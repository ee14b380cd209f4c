"""A mistake is one message that helps: exit status 1, no traceback, nothing half written."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from unittest.mock import patch

import pytest
from conftest import (
    Checkout,
    Clone,
    environment,
    eventually,
    job,
    job_text,
    stopping,
    wait_for_losses,
)

from pipeline import generate, train
from pipeline.settings import dvc_md5, files
from pipeline.settings.errors import UserError


@pytest.fixture
def checkout(workspace: Path) -> Checkout:
    return Checkout(workspace)


def test_a_wrong_parameter_stops_a_stage_before_it_starts(checkout: Checkout) -> None:
    Path("params.yaml").write_text(job_text().replace("lr: 0.01", "lr: -1"))
    told = checkout.stage("generate", ok=False)
    assert told.startswith("error: params.yaml:")
    assert told.endswith(": train.lr: found -1; must be greater than 0\n")
    assert told.count("\n") == 1
    assert checkout("python", "-m", "pipeline.check", ok=False) == told


def test_a_stage_before_its_time(checkout: Checkout) -> None:
    assert checkout.stage("train", ok=False) == (
        "error: data/summary.json: there is no such file; `dvc repro` makes it\n"
    )
    checkout.stage("generate")
    assert checkout.stage("evaluate", ok=False) == (
        "error: models/model.safetensors: there is no such file; `dvc repro` makes it\n"
    )


@pytest.mark.slow
def test_divergence_names_epoch_loss_and_the_rate_that_converges(checkout: Checkout) -> None:
    Path("params.yaml").write_text(job_text(train__lr=0.1))
    checkout.stage("generate")
    told = checkout.stage("train", ok=False)
    assert told.startswith("error: the fit diverged: in epoch 2 the loss is ")
    cure = "set train.lr below 0.06009, the largest that can converge, to 0.03 for a start"
    assert told.endswith(f"{cure} (it is 0.1)\n")
    assert told.count("\n") == 1
    with patch.object(train, "live_run"):
        train.main(job(train__lr=0.06009, train__epochs=2000))
        with pytest.raises(UserError, match="; set train.lr below 10, to 1 for a start"):
            train.main(job(train__lr=10.0, train__momentum=0.9))


def test_numbers_too_large_for_their_squares_are_not_blamed_on_the_rate(workspace: Path) -> None:
    params = job(data__generate__weight=[[1e30]])
    generate.main(params)
    with pytest.raises(UserError, match="the loss is inf; the numbers are too large for train.dty"):
        train.main(params)


def test_odd_files_where_ours_should_be(checkout: Checkout) -> None:
    assert checkout("python", "-m", "pipeline.summary", ok=False) == (
        "error: reports/coefficients.csv: there is no such file; `dvc repro` makes it\n"
    )
    Path("data").write_text("a file, not a folder")
    told = checkout.stage("generate", ok=False)
    assert told.startswith("error: data: File exists; ")
    assert told.count("\n") == 1


def test_a_gpu_that_is_not_there(checkout: Checkout) -> None:
    Path("params.yaml").write_text(job_text(train__device="cuda"))
    checkout.stage("generate")
    told = checkout.stage("train", ok=False, CUDA_VISIBLE_DEVICES="")
    assert told.startswith("error: train.device: found cuda, but torch finds no CUDA GPU here;")
    assert not Path("mlflow.db").exists(), "no run is opened for a training that cannot start"


def test_numbers_beyond_float32(checkout: Checkout) -> None:
    Path("params.yaml").write_text(
        job_text(data__generate__x=[[1.0], [1e39]], data__generate__weight=[[1.0]])
    )
    checkout.stage("generate")
    told = checkout.stage("train", ok=False)
    assert told == (
        "error: data/train.parquet: row 2 has x = 1e+39, beyond what float32 holds; set"
        " model.dtype to float64 or scale the column\n"
    )


@pytest.mark.slow
def test_a_repository_without_a_commit(clone: Clone) -> None:
    checkout = clone("no commit yet")
    shutil.rmtree(checkout.path / ".git")
    checkout("git", "init", "--quiet")
    checkout("dvc", "repro", "train")
    (run,) = checkout.runs()
    assert run.name == "params not in git (no commit)"
    assert "mlflow.source.git.commit" not in run.tags


def test_a_shell_without_the_environment(workspace: Path) -> None:
    """`python -S` finds no more packages than the system's own Python would."""
    told = Checkout(workspace)("python", "-S", "-m", "pipeline.generate", ok=False)
    assert re.match(r"error: \w+ is not installed for /.*; `make repro` sets up .venv and", told)
    assert told.count("\n") == 1


@pytest.mark.slow
def test_the_last_result_comes_back_as_the_message_says(clone: Clone) -> None:
    """A result that was never committed is in DVC's run cache only."""
    checkout = clone("undone")
    path = checkout.path / "params.yaml"
    rows = {"data__generate__x": None, "data__generate__rows": 50, "data__generate__noise": 0.5}
    good = job_text(**rows, train__lr=0.001)
    path.write_text(good)
    checkout("dvc", "repro")
    before = {file: dvc_md5.of(checkout.path / file) for file in ("models", "reports", "data")}
    path.write_text(job_text(**rows, seed=1, train__lr=10.0))
    told = checkout("dvc", "repro", ok=False)
    assert (
        "\ncorrect it and run the same command again\nto go back instead: undo your change, then"
        " `dvc repro`\n"
    ) in told
    assert "git checkout params.yaml" not in told
    path.write_text(good)
    told = checkout("dvc", "repro")
    assert "Running stage 'train'" not in told
    assert before == {file: dvc_md5.of(checkout.path / file) for file in before}


@pytest.mark.slow
def test_an_experiment_that_was_never_committed_comes_back(clone: Clone) -> None:
    checkout = clone("applied")
    checkout("dvc", "exp", "run", "--name", "good", "-S", "train.lr=0.02")
    made = ("models", "reports", "data", "params.yaml")
    before = {file: dvc_md5.of(checkout.path / file) for file in made}
    told = checkout("dvc", "exp", "run", "-S", "train.lr=10", ok=False)
    assert "to go back instead: `dvc exp apply NAME` (`dvc exp list -A` has the names), or" in told
    checkout("dvc", "exp", "apply", "good")
    assert before == {file: dvc_md5.of(checkout.path / file) for file in before}


@pytest.mark.slow
def test_ctrl_c_in_dvc_repro(clone: Clone) -> None:
    """The terminal sends SIGINT to dvc and to the stage alike."""
    checkout = clone("stopped")
    (checkout.path / "params.yaml").write_text(
        job_text(train__epochs=10**7, train__lr=1e-9, train__checkpoint_seconds=0.1)
    )
    repro = subprocess.Popen(
        ["dvc", "repro"],
        cwd=checkout.path,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        process_group=0,
    )
    with stopping(repro):
        wait_for_losses(checkout.path)
        written = checkout.path / files.STATE_FOLDER / "checkpoints"
        eventually(lambda: list(written.glob("*.pt")))
    os.killpg(repro.pid, signal.SIGINT)
    told, _ = repro.communicate()
    assert (
        "stopped: train was ended by Ctrl-C before it wrote a result; the same command resumes the"
        " training from its last checkpoint\nto go back instead: undo your change, then `dvc repro`"
    ) in told
    assert "Traceback" not in told
    (run,) = checkout.runs()
    assert run.status == "KILLED"
