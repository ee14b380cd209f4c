"""`python -m pipeline.sweep` finds settings, which train to the figures that it showed."""

import argparse
import csv
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import job_text, make
from torch import nn

from pipeline import generate, sweep
from pipeline.learning.outcomes import Outcome
from pipeline.report.sweep_log import SweepLog
from pipeline.settings import files, params
from pipeline.settings.errors import UserError
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


def test_another_module_is_chosen_by_the_rows_held_out(
    job: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def network(_: Any, features: int, targets: int) -> nn.Module:
        return nn.Sequential(nn.Linear(features, 4), nn.Tanh(), nn.Linear(4, targets))

    monkeypatch.setattr("pipeline.learning.module.build", network)
    ranges = ["train.lr=0.01,0.1", "train.epochs=20"]
    with pytest.raises(UserError, match="a module that is not linear, .*--metric test.rmse"):
        run(*ranges)
    best, _ = run(*ranges, metric="test.rmse", apply="best")
    assert best["train.lr"] == "0.1"
    assert "cv.rmse.mean" not in best
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
