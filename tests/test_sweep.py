"""`python -m pipeline.sweep` finds settings, which train to the figures that it showed."""

import argparse
import csv
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import environment, eventually, job_text, make, tracked_runs
from stores import move_artifacts

from pipeline import generate, sweep
from pipeline.learning.outcomes import Outcome, Trial
from pipeline.learning.sweep_trainer import SweepTrainer
from pipeline.report.sweep_log import SweepLog
from pipeline.settings import files, params
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tracking import locks

DRAWN = {"x": None, "rows": 300, "weight": None, "bias": [1.0], "noise": 0.5}


@pytest.fixture
def job(workspace: Path, fresh_store: Path) -> Path:
    """Return a workspace with 300 noisy rows, some held out, and their data."""
    text = job_text(
        data__features=["a", "b"],
        data__generate=DRAWN,
        data__test_fraction=0.2,
        train__reduction="mean",
        evaluate__queries=[],
    )
    Path("params.yaml").write_text(text.replace("  lr: 0.01", "  lr: 0.01   # how fast"))
    generate.main(params.load())
    shutil.copy(fresh_store, "mlflow.db")
    return workspace


def run(*ranges: str, **options: Any) -> list[dict[str, str]]:
    """Sweep, and return the rows of the report."""
    given = {
        "random": None,
        "optuna": None,
        "metric": "cv.rmse.mean",
        "apply": None,
        "resume": False,
    } | options
    sweep.sweep(argparse.Namespace(ranges=[*ranges], **given))
    return list(csv.DictReader(files.SWEEP.read_text().splitlines()))


def test_from_a_sweep_to_a_result(job: Path, capsys: pytest.CaptureFixture[str]) -> None:
    best, *others = run("train.lr=log:1e-3..1e-1:5", "train.momentum=0,0.9", apply="best")
    assert len(others) == 9
    assert capsys.readouterr().out.endswith(
        f"params.yaml: configuration {best['number']} is in it; `dvc repro` makes the result\n"
    )
    assert "  # how fast" in Path("params.yaml").read_text()
    train = yaml.safe_load(Path("params.yaml").read_text())["train"]
    assert (train["lr"], train["momentum"]) == (
        float(best["train.lr"]),
        float(best["train.momentum"]),
    )
    make(params.load())
    metrics = json.loads(files.METRICS.read_text())
    for side in ("train", "test"):
        for name in ("rmse", "r2"):
            assert float(best[f"{side}.{name}"]) == pytest.approx(metrics[side][name], rel=1e-6)


def test_the_best_has_the_smallest_cross_validated_error(job: Path) -> None:
    rows = run("train.lr=log:1e-3..1", random=6)
    errors = [float(row["cv.rmse.mean"]) for row in rows if row["cv.rmse.mean"]]
    assert errors == sorted(errors)


def test_penalties_have_the_cross_validated_figures_of_their_result(job: Path) -> None:
    best, *others = run(
        "train.optimizer=exact", "train.l1=0,cv,0.03", "train.l2=0,0.1", apply="best"
    )
    assert len(others) == 5
    assert all(row["note"] == "" for row in (best, *others))
    assert "  # how fast" in Path("params.yaml").read_text()
    make(params.load())
    metrics = json.loads(files.METRICS.read_text())
    for name in ("rmse", "r2"):
        for figure in ("mean", "std"):
            swept = float(best[f"cv.{name}.{figure}"])
            assert swept == pytest.approx(metrics["cv"][name][figure], rel=1e-8)


def test_early_stopping_is_refused_by_name_and_chosen_by_the_rows_held_out(job: Path) -> None:
    ranges = ["train.patience=2,null", "train.lr=0.1", "train.dtype=float32,float64"]
    with pytest.raises(UserError, match="train.patience is 2, .* choose by --metric test.rmse"):
        run(*ranges)
    rows = run(*ranges, metric="test.rmse")
    assert len(rows) == 4
    assert {(row["train.patience"], bool(row["cv.rmse.mean"])) for row in rows} == {
        ("2", False), ("null", True),
    }  # fmt: skip
    errors = [float(row["test.rmse"]) for row in rows]
    assert errors == sorted(errors)
    assert max(errors) == pytest.approx(min(errors), rel=1e-3)


def test_losses_are_compared_by_their_errors_on_the_rows_held_out(job: Path) -> None:
    """Other losses than squared errors need the rows, one configuration after the other."""
    ranges = ["train.loss=squared,huber,quantile:0.5", "train.optimizer=adam", "train.lr=0.1"]
    with pytest.raises(UserError, match="train.loss is huber, .* choose by --metric test.rmse"):
        run(*ranges)
    with pytest.raises(UserError, match=r"--metric: found train.loss, but the configurations have"):
        run(*ranges, metric="train.loss")
    rows = run(*ranges, metric="test.rmse")
    assert {row["train.loss"] for row in rows} == {"squared", "huber", '"quantile:0.5"'}
    assert max(float(row["test.rmse"]) for row in rows) < 0.7  # the noise has 0.5
    (huber,) = run("train.loss=huber", *ranges[1:], metric="test.rmse", apply="best")
    make(params.load())
    metrics = json.loads(files.METRICS.read_text())
    assert float(huber["test.rmse"]) == pytest.approx(metrics["test"]["rmse"], rel=1e-6)
    assert "gap" not in metrics["reference"]


@pytest.mark.slow
def test_a_network_beside_the_line_is_chosen_by_the_rows_held_out(
    job: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ranges = ["model.hidden=[],[4],[8, 8]", "model.activation=relu,tanh", "train.epochs=20"]
    with pytest.raises(UserError, match=r"model.hidden is \[4\], .*--metric test.rmse"):
        run(*ranges)
    assert "--resume" not in capsys.readouterr().err
    best, *others = run(*ranges, "train.lr=0.1", metric="test.rmse", apply="2")
    told = capsys.readouterr().out
    assert 'left out: 1 × model.activation: found "tanh", but model.hidden is []' in told
    rows = {row["number"]: row for row in (best, *others)}
    hidden = {(row["model.hidden"], row["model.activation"]) for row in rows.values()}
    assert hidden == {
        ("[]", "relu"),
        *((f, a) for f in ("[4]", "[8, 8]") for a in ("relu", "tanh")),
    }
    best = rows["2"]
    assert params.load().model.hidden == (4,)
    assert best["cv.rmse.mean"] == ""
    make(params.load())
    metrics = json.loads(files.METRICS.read_text())
    assert float(best["test.rmse"]) == pytest.approx(metrics["test"]["rmse"], rel=1e-6)


def test_mini_batches_are_trained_on_the_rows_and_chosen_by_the_rows_held_out(job: Path) -> None:
    with pytest.raises(UserError, match="train.batch_size is 50, .* choose by --metric test.rmse"):
        run("train.batch_size=50,null", "train.epochs=3")
    rows = run("train.batch_size=50,null", "train.epochs=3", metric="test.rmse")
    assert [row["train.batch_size"] for row in rows] == ["50", "null"]
    assert rows[0]["cv.rmse.mean"] == ""


def test_a_mistake_leaves_everything_as_it_was(job: Path) -> None:
    before = Path("params.yaml").read_bytes()
    with pytest.raises(UserError, match="did you mean train.lr"):
        run("train.learning_rate=0.1", apply="best")
    with pytest.raises(UserError, match="--metric: found rmse; must be one of cv.rmse.mean"):
        run("train.lr=0.1", metric="rmse")
    with pytest.raises(UserError, match="no configuration has cv.rmse.mean"):
        run("train.lr=1e9", apply="best")
    with pytest.raises(UserError, match="--apply: found 7; must be best or a number from 1 to 2"):
        run("train.optimizer=lbfgs", "train.lr=0.1,0.2", apply="7")
    assert len(files.SWEEP.read_text().splitlines()) == 2  # of the sweep before
    assert Path("params.yaml").read_bytes() == before


def test_a_suggested_sweep_that_was_stopped_ends_with_the_same_table(
    job: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ranges = ["train.lr=log:1e-3..1", "train.momentum=lin:0..0.9", "train.epochs=5"]
    run(*ranges, optuna=40)
    whole = files.SWEEP.read_bytes()
    written: list[int] = []

    def stop_after_a_batch(self: SweepLog, outcomes: Sequence[Outcome]) -> None:
        append(self, outcomes)
        written.append(len(outcomes))
        if len(written) == 2:
            raise KeyboardInterrupt

    append = SweepLog.append
    with monkeypatch.context() as patch:
        patch.setattr(SweepLog, "append", stop_after_a_batch)
        with pytest.raises(KeyboardInterrupt):
            run(*ranges, optuna=40)
    assert written == [16, 16]
    run(*ranges, optuna=40, resume=True)
    assert "resumes after 32 of 40 configurations" in capsys.readouterr().out
    assert files.SWEEP.read_bytes() == whole


def test_two_sweeps_at_once_are_refused(job: Path) -> None:
    refused = pytest.raises(UserError, match="another sweep runs in this repository")
    with locks.lock("sweep", 0.0), refused:
        run("train.lr=0.1")
    assert not files.SWEEP.exists()


def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return a list that gets the number of configurations of each chunk that is trained."""
    sizes: list[int] = []

    def counted(self: SweepTrainer, jobs: Sequence[Params], *advance: Any) -> list[Trial]:
        sizes.append(len(jobs))
        return trials(self, jobs, *advance)

    trials = SweepTrainer.trials
    monkeypatch.setattr(SweepTrainer, "trials", counted)
    return sizes


def test_after_apply_the_same_sweep_is_resumed_and_another_choice_made(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges = ["train.lr=0.01,0.02", "train.momentum=0,0.5"]
    best, *_, worst = run(*ranges, apply="best")
    sizes = trained(monkeypatch)
    run(*ranges, resume=True, apply=worst["number"])
    assert sizes == []
    train = yaml.safe_load(Path("params.yaml").read_text())["train"]
    for row, is_applied in ((worst, True), (best, False)):
        settings = [float(row[f"train.{key}"]) for key in ("lr", "momentum")]
        assert ([train["lr"], train["momentum"]] == settings) is is_applied


def test_a_sweep_of_other_data_settings_or_ranges_is_another_one(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run("train.lr=0.01,0.02")
    sizes = trained(monkeypatch)
    assert run("train.lr=0.01,0.02", resume=True) == first
    assert sizes == []
    other = run("train.lr=0.01,0.03", resume=True)
    assert sizes == [2]
    assert {row["train.lr"] for row in other} == {"0.01", "0.03"}
    run("train.momentum=0,0.5", resume=True)
    assert sizes == [2, 2]
    text = Path("params.yaml").read_text()
    Path("params.yaml").write_text(text.replace("reduction: mean", "reduction: sum"))
    run("train.lr=0.01,0.02", resume=True)
    Path("params.yaml").write_text(text.replace("seed: 0", "seed: 1"))
    generate.main(params.load())
    other = run("train.lr=0.01,0.02", resume=True)
    assert sizes == [2, 2, 2, 2]
    assert [row["train.rmse"] for row in other] != [row["train.rmse"] for row in first]


def tried() -> int:
    """Return the number of configurations that have an outcome."""
    logs = (files.root() / files.STATE_FOLDER / "sweeps").glob("*.jsonl")
    return sum(log.read_text().count('"number"') for log in logs)


def kill(command: list[str], count: int) -> None:
    """Start a sweep, and end it with SIGKILL when `count` configurations have an outcome."""
    process = subprocess.Popen(command, env=environment(), start_new_session=True)
    eventually(lambda: (tried() >= count and files.SWEEP.exists()) or process.poll() is not None)
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "it came to its end"


@pytest.mark.slow
def test_a_sweep_that_is_killed_again_and_again_ends_as_if_it_was_not(job: Path) -> None:
    """Its table, byte for byte, and each of its runs, once and whole."""
    ranges = ["train.batch_size=null,20", "train.lr=log:1e-4..1e-2:12", "train.epochs=40"]
    command = [sys.executable, "-m", "pipeline.sweep", *ranges, "--metric", "test.rmse"]
    subprocess.run(command, env=environment(DVC_ROOT=str(job / "whole")), check=True)
    whole = files.SWEEP.read_bytes()
    files.SWEEP.unlink()
    move_artifacts(job / "mlflow.db", job / "mlartifacts/runs", "abline")

    for count in (1, 13, 16, 20):
        kill([*command, "--resume"], count)
    before = tried()
    assert 20 <= before < 24
    told = subprocess.run([*command, "--resume"], env=environment(), stdout=subprocess.PIPE)
    assert told.returncode == 0
    assert f"resumes after {before} of 24 configurations".encode() in told.stdout
    assert files.SWEEP.read_bytes() == whole
    parent, *children = tracked_runs(job)
    assert {child.tags["mlflow.parentRunId"] for child in children} == {parent.id}
    assert sorted(int(child.tags["sweep.number"]) for child in children) == [*range(1, 25)]
    assert {each.status for each in (parent, *children)} == {"FINISHED"}
    assert all(child.losses() and "test.rmse" in child.metrics for child in children)
