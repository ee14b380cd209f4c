"""The description of a run says how good its model is, and how to reproduce the result."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.results.provenance import Origin
from pipeline.settings import files
from pipeline.tracking import description
from pipeline.tracking.result import Result


def described(origin: Origin, metrics: dict[str, float], link: str = "") -> str:
    """Return the description of a run with these metrics."""
    identity = {"outs": {}, "training_id": "a training", "result_id": "a result"}
    empty: dict[str, Any] = dict.fromkeys(Result.__dataclass_fields__)
    values = empty | {"identity": identity, "metrics": metrics, "folder": Path()}
    return description.text(Result(**values), origin, link)


@pytest.mark.parametrize(
    ("metrics", "warned_of"),
    [
        ({"train.r2": 0.6, "test.r2": -2.94}, "rows held out"),
        ({"train.r2": -0.1}, "training rows"),
        ({"train.r2": -0.1, "test.r2": 0.6}, None),
        ({}, None),
    ],
)
def test_a_model_that_is_worse_than_the_mean_is_warned_of(
    metrics: dict[str, float], warned_of: str | None
) -> None:
    told = described(Origin(name="", commit=None), metrics)
    assert told.startswith("**Take care: ") is (warned_of is not None)
    assert f"on the {warned_of} the model is worse" in told or warned_of is None


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
    result = Result(**empty | {"artifacts": [files.CARD, files.REPORT]})
    link = description.report_link(result, run)
    assert link == "[Open the report](#/experiments/3/runs/abc/artifacts/reports/report.html)"
    assert described(Origin("", None), {}, link).startswith(f"{link}\n\nMade by")
    assert description.report_link(Result(**empty | {"artifacts": [files.CARD]}), run) == ""
