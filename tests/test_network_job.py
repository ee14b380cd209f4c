"""A network of the settings with weights, with the logarithm of a target and with terms."""

import json
from typing import Any
from unittest.mock import patch

import abline_client
import numpy as np
import pytest
from stage_runs import run_stages
from weighted_tables import FREQUENCY, evaluated, put_tables, weighted_job

from pipeline import train
from pipeline.settings import csv_cells, files
from pipeline.settings.params import Params

NETWORK: dict[str, Any] = {
    "data__drop_rows": "missing_target",
    "model__hidden": [6],
    "model__activation": "tanh",
    "model__standardize": True,
    "model__dtype": "float64",
    "train__optimizer": "adam",
    "train__lr": 0.02,
    "train__epochs": 60,
    "train__reduction": "mean",
    "train__dtype": "float64",
    "export__outputs": ["prediction", "interval", "in_range"],
}


def exported(params: Params) -> dict[str, Any]:
    """Run the stages up to `export`, which checks the file; return the metrics."""
    with patch.object(train, "live_run"):
        run_stages(params, "generate", "train", "evaluate", "export")
    model = abline_client.load(files.ONNX)
    assert model.conformance().problem is None
    (query,), (row,) = params.evaluate.queries, csv_cells.read_csv(files.PREDICTIONS)
    assert isinstance(query, dict)
    own = model.answers({name: [value] for name, value in query.items()})
    for output, column in (
        ("y", "price"),
        ("low", "price model low 95%"),
        ("high", "price model high 95%"),
    ):
        np.testing.assert_allclose(own[output][0], float(row[column]), rtol=1e-9)
    metrics: dict[str, Any] = json.loads(files.METRICS.read_text())
    return metrics


@pytest.mark.usefixtures("workspace")
def test_frequencies_are_repeated_rows_to_a_network_and_to_its_interval() -> None:
    """The halves that tell the coverage are drawn row by row: it alone may differ."""
    short, long = put_tables()
    told = []
    for source, weights in ((short, FREQUENCY), (long, None)):
        evaluated(weighted_job(source, weights, **NETWORK))
        metrics = json.loads(files.METRICS.read_text())
        history = [float(row["loss"]) for row in csv_cells.read_csv(files.HISTORY)]
        interval = metrics["interval"]
        assert 0.8 < interval["coverage"] <= 1, "54 rows of which some count five times"
        ends = [interval[end]["price"] for end in ("low", "high")]
        figures = [metrics[side][key] for side in ("train", "test") for key in ("rmse", "r2")]
        told.append(([interval["rows"]], [*history, *ends, *figures]))
    assert told[0][0] == told[1][0]
    np.testing.assert_allclose(told[0][1], told[1][1], rtol=1e-7)


@pytest.mark.slow
@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    "changes",
    [
        {"weights": "weight"},
        {"data__targets": {"price": "log"}},
        {"data__terms": ["rooms^2", "area:rooms", "spline(age, 4)"]},
        {"data__targets": {"price": "log"}, "data__terms": ["log(area)", "area:rooms"]},
    ],
    ids=["weights", "a logarithm", "terms", "both"],
)
def test_a_network_answers_in_its_file_as_in_torch(changes: dict[str, Any]) -> None:
    """With its interval, and with the columns that matter named in metrics.json."""
    short, _ = put_tables()
    metrics = exported(weighted_job(short, **{"weights": None} | NETWORK | changes))
    assert metrics["test"]["r2"] > 0.5
    by_column = metrics["importance"]
    assert max(by_column, key=lambda name: by_column[name]) == "area"
    assert by_column["area"] > metrics["test"]["rmse"] / 2
    picture = (files.PLOTS / "dependence.svg").read_text()
    assert ("log(price)" in picture) is ("data__targets" in changes)
