"""Jobs on the logarithm of a target, from the table to the answers in its own unit."""

import json
from pathlib import Path
from typing import Any

import abline_client
import numpy as np
import onnx
import pandas as pd
import pytest
import statsmodels.api as sm
from conftest import job
from fitted_tables import fit
from own_tables import put

from pipeline.report import summary
from pipeline.settings import csv_cells, files
from pipeline.tables import table

OUTPUTS = ["prediction", "interval", "in_range"]
ASKED = [0, 3, 15]


def fit_logs(frame: pd.DataFrame, target: str, **changes: Any) -> None:
    """Run the stages of an exact job on the logarithm of a column."""
    put(frame.to_csv(index=False, float_format="%.17g"))
    usual: dict[str, Any] = {
        "data__source": "data/raw/t.csv",
        "data__features": [name for name in frame if name != target],
        "data__targets": {target: "log"},
        "train__optimizer": "exact",
        "model__dtype": "float64",
        "export__outputs": OUTPUTS,
        "evaluate__queries": frame.drop(columns=target).iloc[ASKED].to_numpy(float).tolist(),
    }
    fit(job(**usual | changes))


def shipped(name: str) -> tuple[pd.DataFrame, str]:
    """Return a table that statsmodels ships, and a column of numbers above 0."""
    data = getattr(sm.datasets, name).load_pandas().data.astype(float)
    target = {"engel": "foodexp", "copper": "WORLDCONSUMPTION", "longley": "TOTEMP"}[name]
    return data.dropna(), target


@pytest.mark.slow
@pytest.mark.parametrize("name", ["engel", "copper"])
def test_figures_are_those_of_statsmodels_on_the_logarithm(workspace: Path, name: str) -> None:
    frame, target = shipped(name)
    fit_logs(frame, target)
    x = sm.add_constant(frame.drop(columns=target))
    peer = sm.OLS(np.log(frame[target]), x).fit()
    rows = csv_cells.read_csv(files.COEFFICIENTS)
    order = [*x.columns[1:], "const"]
    for column, right in (
        ("value", peer.params[order]),
        ("std_error", peer.bse[order]),
        ("ci_low", peer.conf_int()[0][order]),
        ("ci_high", peer.conf_int()[1][order]),
    ):
        np.testing.assert_allclose([float(row[column]) for row in rows], right, rtol=1e-9)

    asked = x.iloc[ASKED]
    right = peer.get_prediction(asked).summary_frame(alpha=0.05)
    ends = [f"{target} reference", f"{target} low 95%", f"{target} high 95%"]
    answers = csv_cells.read_csv(files.PREDICTIONS)
    for column, theirs in zip(
        [target, *ends], ["mean", "mean", "obs_ci_lower", "obs_ci_upper"], strict=True
    ):
        ours = [float(row[column]) for row in answers]
        np.testing.assert_allclose(ours, np.exp(right[theirs]), rtol=1e-9)

    own = abline_client.load(files.ONNX).answers(asked.iloc[:, 1:].to_dict("list"))
    np.testing.assert_allclose(own["y"][:, 0], np.exp(right["mean"]), rtol=1e-9)
    np.testing.assert_allclose(own["low"][:, 0], np.exp(right["obs_ci_lower"]), rtol=1e-9)
    np.testing.assert_allclose(own["high"][:, 0], np.exp(right["obs_ci_upper"]), rtol=1e-9)

    metrics = json.loads(files.METRICS.read_text())["train"]
    error = frame[target] - np.exp(peer.fittedvalues)
    around = frame[target] - frame[target].mean()
    for key, wanted in (
        ("rmse", np.sqrt((peer.resid**2).mean())),
        ("r2", peer.rsquared),
        ("own_unit_rmse", np.sqrt((error**2).mean())),
        ("own_unit_mae", np.abs(error).mean()),
        ("own_unit_r2", 1 - (error**2).sum() / (around**2).sum()),
    ):
        assert metrics[key] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.slow
def test_a_network_and_two_targets_of_which_one_is_a_logarithm(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In float32, with standardized targets, from raw columns, with rows held out."""
    from own_modules import plain

    monkeypatch.setattr("pipeline.learning.module.build", lambda _, *sizes: plain(*sizes))
    random = np.random.default_rng(0)
    x, heating = random.normal(size=300), random.choice(["gas", "oil"], 300)
    size = x + (heating == "oil") * 0.5 + random.normal(size=300) * 0.1
    frame = pd.DataFrame(
        {"x": x, "heating": heating, "change": size, "price": 1e4 * np.exp(2 * size)}
    )
    put(frame.to_csv(index=False))
    params = job(
        data__source="data/raw/t.csv",
        data__features={"x": "number", "heating": "category"},
        data__targets={"price": "log", "change": "none"},
        data__test_fraction=0.2,
        model__standardize=True,
        train__optimizer="adam",
        train__lr=0.02,
        train__reduction="mean",
        train__epochs=200,
        evaluate__queries=[{"x": 0.0, "heating": "gas"}, {"x": 1.0, "heating": "oil"}],
        export__outputs=["prediction", "in_range"],
    )
    fit(params)
    answers = csv_cells.read_csv(files.PREDICTIONS)
    assert [float(row["price"]) for row in answers] == pytest.approx(
        [1e4, 1e4 * np.exp(3)], rel=0.2
    )
    assert [float(row["change"]) for row in answers] == pytest.approx([0, 1.5], abs=0.1)
    model = abline_client.load(files.ONNX)
    own = model.answers({"x": [0.0, 1.0], "heating": ["gas", "oil"]})
    names = {
        each["targets"][0]: each["name"] for each in model.contract["outputs"] if each["targets"]
    }
    for target, name in names.items():
        wanted = [float(row[target]) for row in answers]
        np.testing.assert_allclose(own[name][:, 0], wanted, rtol=1e-5)
    assert sum(node.op_type == "Exp" for node in onnx.load(files.ONNX).graph.node) == 1
    metrics = json.loads(files.METRICS.read_text())["test"]
    held_out = table.read_arrow(files.TEST)
    inputs = {name: held_out.column(name).to_pylist() for name in ("x", "heating")}
    of_rows = model.answers(inputs)
    errors = [
        of_rows[name][:, 0] - np.array(held_out.column(target).to_pylist())
        for target, name in names.items()
    ]
    assert metrics["own_unit_rmse"] == pytest.approx(
        np.sqrt((np.array(errors) ** 2).mean()), rel=1e-5
    )
    assert model.conformance().problem is None


@pytest.mark.slow
def test_readers_are_told_of_the_scale_and_of_the_median(workspace: Path) -> None:
    frame, target = shipped("longley")
    fit_logs(frame[["GNP", "TOTEMP"]], target, model__dtype="float32")
    params = job(
        data__source="data/raw/t.csv", data__features=["GNP"], data__targets={target: "log"}
    )
    told = "\n".join(summary.lines(params))
    assert "own unit     root mean square error " in told
    assert (
        "answers for TOTEMP are medians, not means; a coefficient b of log(TOTEMP) changes" in told
    )
    card = files.CARD.read_text()
    assert "| training rows, log(TOTEMP) |" in card
    assert "| training rows, in its own unit |" in card
    assert "| the median of TOTEMP that is to be expected |" in card
    assert "An answer for TOTEMP is a median, not a mean" in card
    assert "in the own unit" not in files.CONTRACT.read_text()
    assert "e to the power of each of these" in files.CONTRACT.read_text()
    plots = {path.name: path.read_text() for path in files.PLOTS.glob("*.svg")}
    assert "predicted log(TOTEMP)" in plots["residuals.svg"]
    assert "<!-- TOTEMP -->" in plots["fit.svg"] or ">TOTEMP<" in plots["fit.svg"]
