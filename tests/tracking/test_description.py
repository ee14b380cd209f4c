"""The description of a run says how good its model is, and how to reproduce the result."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.report import verdict
from pipeline.results.provenance import Origin
from pipeline.settings import environment, files
from pipeline.tracking import description, result
from pipeline.tracking.result import Result


def described(
    origin: Origin, metrics: dict[str, float], link: str = "", warning: str | None = None
) -> str:
    """Return the description of a run with these metrics."""
    identity = {"outs": {}, "training_id": "a training", "result_id": "a result"}
    empty: dict[str, Any] = dict.fromkeys(Result.__dataclass_fields__)
    values = empty | {"identity": identity, "metrics": metrics, "folder": Path()}
    values |= {"warning": warning}
    return description.text(Result(**values), origin, link)


def test_a_model_that_is_worse_than_the_mean_is_warned_of() -> None:
    worse = verdict.worse_than_the_mean({"train": {"r2": -0.1}})
    told = described(Origin(name="", commit=None), {}, warning=worse)
    assert told.startswith("**Take care: on the training rows the model is worse")
    assert "Take care" not in described(Origin(name="", commit=None), {})


@pytest.mark.parametrize(("loss", "is_warned_of"), [("squared", True), ("quantile:0.9", False)])
def test_a_result_is_judged_by_its_loss(tmp_path: Path, loss: str, is_warned_of: bool) -> None:
    """A quantile has an R² below 0 because it was asked for; its version is registered."""
    (tmp_path / files.METRICS).parent.mkdir()
    (tmp_path / files.METRICS).write_text(json.dumps({"train": {"r2": -0.5}}))
    (tmp_path / files.HISTORY).write_text("epoch,loss\n")
    (tmp_path / environment.REQUIREMENTS).write_text("")
    params = {"data.targets": ["y"], "train.loss": loss}
    made = result.read(tmp_path, {"outs": {}, "params": params}, "an md5")
    assert (made.warning is not None) == is_warned_of


def test_the_commands_that_make_the_result_again_name_the_changes() -> None:
    changed = ["params.yaml", *(f"pipeline/{number}.py" for number in range(12))]
    changes = {"train.lr": 0.02}
    told = described(Origin("", "c" * 40, changed=changed, changes=changes), {"train.mse": 0.25})
    assert told.startswith(f"Made by `git checkout {'c' * 12}`, the parameters of this run and")
    assert "not committed (`pipeline/0.py`, `pipeline/1.py`, " in told
    assert "`pipeline/9.py` and 2 more) and `dvc repro`." in told
    assert "Other values than in the commit: `train.lr=0.02`." in told
    assert "| train.mse | 0.25 |" in told
    assert described(Origin("", None), {}).startswith("Made by `dvc repro`.")


def test_a_job_of_many_targets_has_a_description_of_bounded_length() -> None:
    told = described(Origin("", None), {f"metric {number}": 1.0 for number in range(1000)})
    assert told.count("| 1 |") == description.MOST_METRICS_LISTED


def test_the_report_is_linked_if_the_run_has_it() -> None:
    empty: dict[str, Any] = dict.fromkeys(Result.__dataclass_fields__)
    run: Any = SimpleNamespace(info=SimpleNamespace(experiment_id="3", run_id="abc"))
    both = Result(**empty | {"artifacts": [files.CARD, files.REPORT]})
    link = description.report_link(both, run)
    assert link == "[Open the report](#/experiments/3/runs/abc/artifacts/reports/report.html)"
    assert described(Origin("", None), {}, link).startswith(f"{link}\n\nMade by")
    assert description.report_link(Result(**empty | {"artifacts": [files.CARD]}), run) == ""
