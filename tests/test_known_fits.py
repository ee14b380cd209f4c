"""Fits of tables with a known solution, by statsmodels, NIST or construction: all figures agree."""

import json
import math
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import scipy
import statsmodels.api as sm
from conftest import Clone, job_text
from fitted_tables import fit, fit_job, onnx_answers, write_table
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes
from statsmodels.datasets import longley

from pipeline.learning import weights
from pipeline.settings import csv_cells, files
from pipeline.tables import table


@pytest.mark.slow
def test_a_table_of_an_installed_package_end_to_end(clone: Clone) -> None:
    """scikit-learn's diabetes set by `dvc repro`, compared with statsmodels."""
    checkout = clone("own table")
    data = load_diabetes(scaled=False)
    rows = np.column_stack([data.data, data.target])
    path = checkout.path / "data/raw/diabetes.csv"
    header = ",".join([*data.feature_names, "progression"])
    np.savetxt(path, rows, delimiter=",", header=header, comments="", fmt="%.17g")
    text = job_text(
        data__source="data/raw/diabetes.csv",
        data__features=[],
        data__targets=["progression"],
        data__test_fraction=0.25,
        model__standardize=True,
        train__optimizer="exact",
        evaluate__queries=[rows[0, :-1].tolist()],
    )
    (checkout.path / "params.yaml").write_text(text)
    told = checkout("dvc", "repro")
    assert "warning: data/raw/diabetes.csv: in no commit and not in DVC" in told
    assert "`git add data/raw/diabetes.csv && git commit`" in told
    assert "ONNX file verified" in told

    fitted = table.read(checkout.path / files.TRAIN)
    held_out = table.read(checkout.path / files.TEST)
    assert len(fitted.values) + len(held_out.values) == 442
    design = sm.add_constant(fitted.values[:, :-1])
    other = sm.OLS(fitted.values[:, -1], design).fit()
    coefficients = csv_cells.read_csv(checkout.path / files.COEFFICIENTS)
    assert [row["term"] for row in coefficients] == [*data.feature_names, "bias"]
    order = [*range(1, 11), 0]
    for column, theirs in (
        ("reference", other.params),
        ("std_error", other.bse),
        ("t", other.tvalues),
        ("p", other.pvalues),
        ("ci_low", other.conf_int()[:, 0]),
        ("ci_high", other.conf_int()[:, 1]),
    ):
        ours = [float(row[column]) for row in coefficients]
        np.testing.assert_allclose(ours, theirs[order], rtol=1e-8)
    shipped = [float(row["value"]) for row in coefficients]
    np.testing.assert_allclose(shipped, other.params[order], rtol=1e-6)
    metrics = json.loads((checkout.path / files.METRICS).read_text())
    assert metrics["reference"]["r2"] == pytest.approx(other.rsquared, rel=1e-10)
    assert 0 <= metrics["reference"]["gap"] < 1e-6
    predicted = other.predict(sm.add_constant(held_out.values[:, :-1]))
    errors = held_out.values[:, -1] - predicted
    assert metrics["test"]["rmse"] == pytest.approx(math.sqrt(np.mean(errors**2)), rel=1e-6)

    (answer,) = csv_cells.read_csv(checkout.path / files.PREDICTIONS)
    query = np.append(1, rows[0, :-1])[None]
    frame = other.get_prediction(query).summary_frame(alpha=0.05)
    for name, theirs in (
        ("reference", frame["mean"]),
        ("low 95%", frame["obs_ci_lower"]),
        ("high 95%", frame["obs_ci_upper"]),
    ):
        assert float(answer[f"progression {name}"]) == pytest.approx(theirs[0], rel=1e-9)
    session = onnxruntime.InferenceSession(checkout.path / files.ONNX)
    (y,) = session.run(["y"], {"x": rows[:1, :-1].astype(np.float32)})
    assert y.item() == pytest.approx(float(answer["progression"]), rel=1e-6)

    (tracked,) = checkout.runs()
    assert tracked.metrics["test.r2"] == metrics["test"]["r2"]
    assert tracked.metrics["test_loss"] == pytest.approx(metrics["test"]["loss"], rel=1e-6)
    contexts = {tag.value for data in tracked.inputs for tag in data.tags}
    assert contexts == {"training", "test"}
    for plot in ("coefficients", "predicted", "residuals", "quantiles"):
        assert tracked.artifact(f"reports/plots/{plot}.svg").startswith(b"<?xml")
    shown = checkout("python", "-m", "pipeline.summary")
    assert "held out     root mean square error" in shown
    assert "optimum      loss" in shown


def nist(name: str) -> tuple[NDArray[np.float64], dict[str, float]]:
    """Return a table of NIST, the target last, and some of its certified values."""
    if name == "norris":
        path = next(Path(scipy.__file__).parent.rglob("Norris.dat"))
        rows = np.array([line.split() for line in path.read_text().splitlines()[60:96]], float)
        return rows[:, ::-1], {"x0": 1.00211681802045, "bias": -0.262323073774029}
    if name == "longley":
        data = longley.load_pandas()
        table = np.column_stack([data.exog.to_numpy(float), data.endog.to_numpy(float)])
        return table, {"x0": 15.0618722713733, "x5": 1829.15146461355, "bias": -3482258.63459582}
    x = np.arange(21.0)
    powers = np.stack([x**k for k in range(1, 6)], axis=1)
    return np.column_stack([powers, 1 + powers.sum(axis=1)]), {"x0": 1.0, "x4": 1.0, "bias": 1.0}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["norris", "longley", "wampler1"])
def test_tables_of_nist_end_to_end(clone: Clone, name: str) -> None:
    checkout = clone(name)
    rows, values = nist(name)
    names = [f"x{index}" for index in range(rows.shape[1] - 1)]
    path = checkout.path / "data/raw/nist.csv"
    np.savetxt(path, rows, delimiter=";", header=";".join([*names, "y"]), comments="", fmt="%.17g")
    (checkout.path / "params.yaml").write_text(
        job_text(
            data__source="data/raw/nist.csv",
            data__features=[],
            model__dtype="float64",
            model__standardize=True,
            train__optimizer="exact",
            evaluate__queries=[],
        )
    )
    checkout("dvc", "repro")
    rows_of_terms = csv_cells.read_csv(checkout.path / files.COEFFICIENTS)
    reference = {row["term"]: float(row["reference"]) for row in rows_of_terms}
    for term, value in values.items():
        assert reference[term] == pytest.approx(value, rel=1e-13)
    session = onnxruntime.InferenceSession(checkout.path / files.ONNX)
    (y,) = session.run(["y"], {"x": rows[:, :-1]})
    line = reference["bias"] + rows[:, :-1] @ [reference[term] for term in names]
    np.testing.assert_allclose(y[:, 0], line, rtol=1e-9)


@pytest.mark.slow
def test_a_column_far_from_zero_loses_no_digits(workspace: Path) -> None:
    """2000 ± 5: with the mean in the bias instead, a third of the rows was wrong by 1e-5."""
    random = np.random.default_rng(0)
    x = np.round(2000 + 5 * random.normal(size=(500, 1)), 3)
    y = 3 * x - 5990 + 0.1 * random.normal(size=(500, 1))
    write_table("far.csv", ["x", "y"], np.hstack([x, y]))
    for settings in (
        {"train__optimizer": "exact"},
        {"train__lr": 0.3, "train__epochs": 100},
    ):
        fit(fit_job("far.csv", model__standardize=True, **settings))
        y_of_model = onnx_answers(x)
        (row, bias) = csv_cells.read_csv(files.COEFFICIENTS)
        line = float(row["reference"]) * x.astype(np.float32) + float(bias["reference"])
        assert np.abs(y_of_model - line).max() < 1e-5 * np.abs(line).max()
        state = weights.load(files.MODEL, fit_job("far.csv", model__standardize=True).model, 1, 1)
        assert state.state_dict()["mean"].item() == np.float32(x.mean())
        metrics = json.loads(files.METRICS.read_text())
        assert metrics["reference"]["gap"] <= 1e-6 * metrics["reference"]["loss"]


@pytest.mark.slow
def test_a_fit_through_the_origin(workspace: Path) -> None:
    """NIST's NoInt1: x = 60 to 70, y = 130 to 140."""
    x = np.arange(60.0, 71.0)
    write_table("noint1.csv", ["x", "y"], np.column_stack([x, x + 70]))
    fit(fit_job("noint1.csv", model__bias=False, model__dtype="float64", train__optimizer="exact"))
    (row,) = csv_cells.read_csv(files.COEFFICIENTS)
    assert row["reference"] == row["value"]
    assert f"{float(row['value']):.15g}" == "2.07438016528926"
    assert f"{float(row['std_error']):.15g}" == "0.0165289256198347"
    for settings in ({"train__optimizer": "exact"}, {"train__lr": 0.3}):
        fit(fit_job("noint1.csv", model__bias=False, model__standardize=True, **settings))
        assert onnx_answers(np.array([[0.0]])).item() == 0
        assert onnx_answers(np.array([[1.0]])).item() == pytest.approx(2.07438016528926, rel=1e-6)
