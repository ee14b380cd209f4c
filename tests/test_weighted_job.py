"""A row that stands for several equal ones counts as these in every figure, to the last bit."""

import json
from typing import Any
from unittest.mock import patch

import pytest
from stage_runs import run_stages
from weighted_tables import FREQUENCY, KINDS, evaluated, put_tables, weighted_job

from pipeline import train
from pipeline.report import summary
from pipeline.settings import files

JOBS: dict[str, dict[str, Any]] = {
    "exact": {"data__clusters": "group"},
    "penalties that the folds choose": {"train__l1": "cv", "train__l2": 0.01},
    "standardized ridge": {"train__l2": "cv", "model__standardize": True},
    "reduced rows": {
        "train__optimizer": "lbfgs",
        "train__epochs": 5,
        "train__reduce_rows": True,
        "train__reduction": "mean",
        "model__standardize": True,
    },
    "huber": {"train__loss": "huber", "train__reduction": "mean"},
    "absolute": {"train__loss": "absolute", "train__reduction": "mean"},
    "terms whose knots are learnt": {"data__terms": ["spline(age, 4)", "rooms^2", "area:rooms"]},
    "a sum of errors": {
        "train__optimizer": "sgd",
        "train__lr": 1e-5,
        "train__epochs": 5,
        "train__reduce_rows": True,
        "model__standardize": True,
    },
}


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.usefixtures("workspace")
def test_frequencies_are_repeated_rows_bit_for_bit(name: str) -> None:
    """Coefficients, errors, intervals, metrics of both sides and of the folds, and the plan.

    Also what is wrong with the fit, and which rows make it.
    """
    short, long = put_tables()
    plans, reports = [], []
    for source, weights in ((short, FREQUENCY), (long, None)):
        reports.append(evaluated(weighted_job(source, weights, **JOBS[name])))
        plan = json.loads(files.COLUMNS.read_bytes())
        plans.append(plan["columns"])
        rows = plan["rows"]
    assert plans[0] == plans[1]
    # Of 20 rows that are not equal, the first ones are those among 20 of which some are.
    most, of_copies = (report.pop(str(files.INFLUENCE)) for report in reports)
    assert len(most) == 20 > len(of_copies) >= 5
    assert most[: len(of_copies)] == of_copies
    assert reports[0] == reports[1]
    assert rows["dropped"] == {}
    assert "cv" in reports[0][str(files.METRICS)] or name in (
        "huber",
        "absolute",
        "reduced rows",
        "a sum of errors",
    )


@pytest.mark.parametrize("weights", ["weight", FREQUENCY])
@pytest.mark.usefixtures("workspace")
def test_a_weighted_model_is_exported_and_says_so(weights: Any) -> None:
    """The file takes no weight; the card, the summary and the contract say how rows count."""
    short, _ = put_tables()
    params = weighted_job(short, weights, export__outputs=["prediction", "interval"])
    with patch.object(train, "live_run"):
        run_stages(params, "generate", "train", "evaluate", "export")
    contract = json.loads(files.CONTRACT.read_bytes())
    assert [column["name"] for column in contract["inputs"]] == [*KINDS]
    assert contract["source"]["params"]["data.weights"] == weights
    name = weights if isinstance(weights, str) else "times"
    assert f"weighted by `{name}`" in files.CARD.read_text()
    plot = (files.PLOTS / "residuals.svg").read_text()
    assert ("√weight" in plot) is isinstance(weights, str)
    assert any(f"weighted by {name}" in line for line in summary.lines(params))
