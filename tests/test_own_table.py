"""A user's own table: from CSV to a verified ONNX file, with all that is reported of the fit."""

import csv
import json
import math
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import scipy
import statsmodels.api as sm
import torch
from conftest import Clone, job, job_text, tracked_runs
from numpy.typing import NDArray
from sklearn.datasets import load_diabetes
from stage_runs import run_stages
from statsmodels.datasets import longley
from torch import nn

from pipeline import evaluate, export, generate, train
from pipeline.learning import weights
from pipeline.report import summary
from pipeline.settings import csv_cells, files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables import table


def write_csv(name: str, header: list[str], rows: NDArray[np.float64]) -> None:
    path = Path("data/raw") / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows.tolist())


def own(name: str, **changes: object) -> Params:
    """Return a job on data/raw/`name` whose target is y."""
    usual: dict[str, object] = {
        "data__source": f"data/raw/{name}",
        "data__features": [],
        "evaluate__queries": [],
        "train__reduction": "mean",
    }
    return job(**(usual | changes))


def run(params: Params) -> None:
    run_stages(params, "generate", "train", "evaluate", "export")


def answers(x: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the ONNX file's answers to rows in the units of the table."""
    y: NDArray[np.float32]
    (y,) = onnxruntime.InferenceSession(files.ONNX).run(["y"], {"x": x.astype(np.float32)})
    return y


@pytest.mark.slow
def test_a_table_of_an_installed_package_end_to_end(clone: Clone) -> None:
    """scikit-learn's diabetes set by `dvc repro`, held against statsmodels."""
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
    found = csv_cells.read_csv(checkout.path / files.COEFFICIENTS)
    assert [row["term"] for row in found] == [*data.feature_names, "bias"]
    order = [*range(1, 11), 0]
    for column, theirs in (
        ("reference", other.params),
        ("std_error", other.bse),
        ("t", other.tvalues),
        ("p", other.pvalues),
        ("ci_low", other.conf_int()[:, 0]),
        ("ci_high", other.conf_int()[:, 1]),
    ):
        ours = [float(row[column]) for row in found]
        np.testing.assert_allclose(ours, theirs[order], rtol=1e-8)
    shipped = [float(row["value"]) for row in found]
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
    found = {row["term"]: row for row in csv_cells.read_csv(checkout.path / files.COEFFICIENTS)}
    for term, value in values.items():
        assert float(found[term]["reference"]) == pytest.approx(value, rel=1e-13)
    session = onnxruntime.InferenceSession(checkout.path / files.ONNX)
    (y,) = session.run(["y"], {"x": rows[:, :-1]})
    line = float(found["bias"]["reference"]) + rows[:, :-1] @ [
        float(found[term]["reference"]) for term in names
    ]
    np.testing.assert_allclose(y[:, 0], line, rtol=1e-9)


@pytest.mark.slow
def test_a_column_far_from_zero_loses_no_digits(workspace: Path) -> None:
    """2000 ± 5: with the mean in the bias instead, a third of the rows was wrong by 1e-5."""
    random = np.random.default_rng(0)
    x = np.round(2000 + 5 * random.normal(size=(500, 1)), 3)
    y = 3 * x - 5990 + 0.1 * random.normal(size=(500, 1))
    write_csv("far.csv", ["x", "y"], np.hstack([x, y]))
    for settings in (
        {"train__optimizer": "exact"},
        {"train__lr": 0.3, "train__epochs": 100},
    ):
        run(own("far.csv", model__standardize=True, **settings))
        found = answers(x)
        (row, bias) = csv_cells.read_csv(files.COEFFICIENTS)
        line = float(row["reference"]) * x.astype(np.float32) + float(bias["reference"])
        assert np.abs(found - line).max() < 1e-5 * np.abs(line).max()
        state = weights.load(files.MODEL, own("far.csv", model__standardize=True).model, 1, 1)
        assert state.state_dict()["mean"].item() == np.float32(x.mean())
        metrics = json.loads(files.METRICS.read_text())
        assert metrics["reference"]["gap"] <= 1e-6 * metrics["reference"]["loss"]


def test_a_column_that_does_not_vary_cannot_be_scaled(workspace: Path) -> None:
    write_csv("flat.csv", ["a", "b", "y"], np.array([[1.0, 7, 1], [2, 7, 2], [3, 7, 3]]))
    params = own("flat.csv", model__standardize=True)
    generate.main(params)
    with pytest.raises(UserError, match=r"model.standardize: b is 7 in every training row"):
        train.main(params)


@pytest.mark.slow
def test_dependent_columns_are_named_and_refused_by_exact(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x = np.random.default_rng(0).integers(0, 100, (30, 2)).astype(float)
    y = x @ [1, 2] + np.arange(30) % 3
    columns = np.column_stack([x, x[:, 0], 2 * x[:, 0] - x[:, 1] + 5, y])
    write_csv("same.csv", ["a", "b", "copy", "mix", "y"], columns)
    params = own("same.csv", train__optimizer="exact")
    generate.main(params)
    with pytest.raises(UserError) as caught:
        train.main(params)
    told = str(caught.value)
    assert "copy is a copy of a" in told
    assert "mix = 2·a − b + 5" in told
    assert "set train.allow_dependent to true" in told
    run(own("same.csv", train__optimizer="exact", train__allow_dependent=True))
    assert "warning: copy is a copy of a: the reference leaves it out" in capsys.readouterr().err
    rows = {row["term"]: row for row in csv_cells.read_csv(files.COEFFICIENTS)}
    assert rows["copy"]["reference"] == rows["copy"]["std_error"] == ""
    assert float(rows["copy"]["value"]) == 0

    shares = np.round(np.random.default_rng(0).dirichlet([1, 1, 1], 50) * 100, 2)
    shares[:, 2] = np.round(100 - shares[:, 0] - shares[:, 1], 2)
    write_csv("shares.csv", ["p", "q", "r", "y"], np.column_stack([shares, shares[:, 0] % 7]))
    params = own("shares.csv", train__optimizer="exact")
    generate.main(params)
    with pytest.raises(UserError, match="p, q, r say the same, to within the rounding"):
        train.main(params)


def test_fewer_rows_than_numbers_to_fit(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_csv("few.csv", ["a", "b", "c", "y"], np.random.default_rng(0).normal(size=(3, 4)))
    params = own("few.csv", train__optimizer="exact")
    generate.main(params)
    with pytest.raises(UserError, match=r"exact fits 4 numbers .* needs as many rows, but found 3"):
        train.main(params)
    run(own("few.csv"))
    assert "warning: 3 rows for 4 numbers" in capsys.readouterr().err
    assert {row["std_error"] for row in csv_cells.read_csv(files.COEFFICIENTS)} == {""}


def test_queries_of_another_width_than_the_file(workspace: Path) -> None:
    write_csv("two.csv", ["a", "b", "y"], np.random.default_rng(0).normal(size=(9, 3)))
    params = own("two.csv", evaluate__queries=[[1.0, 2.0], [4.0]])
    generate.main(params)
    train.main(params)
    told = r"evaluate.queries\[1\]: found 1 number; must be 2, one for each feature \(a, b\), or"
    for stage in (evaluate, export):
        with pytest.raises(UserError, match=told):
            stage.main(params)


def test_a_column_called_bias_in_a_file(workspace: Path) -> None:
    write_csv("bias.csv", ["bias", "y"], np.array([[1.0, 2.0], [2.0, 4.0]]))
    params = own("bias.csv")
    generate.main(params)
    with pytest.raises(UserError, match="found a feature called bias"):
        train.main(params)
    train.main(own("bias.csv", model__bias=False))


def test_numbers_beyond_what_ships(workspace: Path) -> None:
    write_csv("huge.csv", ["x", "y"], np.array([[1.0, 2.0], [1e39, 4.0]]))
    params = own("huge.csv", train__dtype="float64", train__optimizer="exact")
    generate.main(params)
    told = "data/train.parquet: row 2 has x = 1e.39, beyond what float32 holds; set model.dtype to"
    with pytest.raises(UserError, match=told):
        train.main(params)


@pytest.mark.slow
def test_a_fit_through_the_origin(workspace: Path) -> None:
    """NIST's NoInt1: x = 60 to 70, y = 130 to 140."""
    x = np.arange(60.0, 71.0)
    write_csv("noint1.csv", ["x", "y"], np.column_stack([x, x + 70]))
    run(own("noint1.csv", model__bias=False, model__dtype="float64", train__optimizer="exact"))
    (row,) = csv_cells.read_csv(files.COEFFICIENTS)
    assert row["reference"] == row["value"]
    assert f"{float(row['value']):.15g}" == "2.07438016528926"
    assert f"{float(row['std_error']):.15g}" == "0.0165289256198347"
    for settings in ({"train__optimizer": "exact"}, {"train__lr": 0.3}):
        run(own("noint1.csv", model__bias=False, model__standardize=True, **settings))
        assert answers(np.array([[0.0]])).item() == 0
        assert answers(np.array([[1.0]])).item() == pytest.approx(2.07438016528926, rel=1e-6)


def test_a_held_out_loss_is_in_history_and_run(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    params = job(data__generate__x=None, data__generate__rows=100, data__generate__noise=1.0,
                 data__test_fraction=0.3, train__patience=3, train__lr=0.001,
                 train__epochs=500)  # fmt: skip
    run_stages(params)
    assert "no smaller loss on the rows held out for 3 epochs" in capsys.readouterr().out
    history = csv_cells.read_csv(files.HISTORY)
    assert list(history[0]) == ["epoch", "loss", "test_loss"]
    (run_,) = tracked_runs(workspace)
    logged = run_.client.get_metric_history(run_.id, "test_loss")
    assert [(m.step, m.value) for m in logged] == [
        (int(row["epoch"]), float(row["test_loss"])) for row in history
    ]
    assert "Training mean squared error" in (files.PLOTS / "loss.svg").read_text()


class Perceptron(nn.Module):
    """A module that is not linear."""

    def __init__(self, features: int, targets: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(features, 8), nn.Tanh(), nn.Linear(8, targets))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y: torch.Tensor = self.layers(x)
        return y


@pytest.mark.slow
@pytest.mark.parametrize("standardize", [False, True])
def test_another_module_runs_all_five_stages(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, standardize: bool
) -> None:
    monkeypatch.setattr("pipeline.learning.module.build", lambda _, *sizes: Perceptron(*sizes))
    x = np.linspace(-3, 3, 200)
    write_csv("bent.csv", ["x", "y"], np.column_stack([x + 10, x**2]))
    params = own(
        "bent.csv",
        model__standardize=standardize,
        data__test_fraction=0.2,
        train__optimizer="adam",
        train__lr=0.02,
        train__epochs=800,
        evaluate__queries=[[10.0], [12.0]],
    )
    run_stages(params)
    assert files.COEFFICIENTS.read_text().count("\n") == 1, "a header and no coefficients"
    assert not (files.PLOTS / "coefficients.svg").exists()
    metrics = json.loads(files.METRICS.read_text())
    first, second = csv_cells.read_csv(files.PREDICTIONS)
    np.testing.assert_allclose(
        answers(np.array([[10.0], [12.0]])).ravel(),
        [float(first["y"]), float(second["y"])],
        rtol=1e-5,
        atol=1e-5,
    )
    if standardize:
        assert metrics["test"]["r2"] > 0.99
        assert metrics["reference"]["r2"] < 0.1, "no line fits a parabola"
        assert metrics["reference"]["gap"] < 0
    lines = summary.lines(params)
    assert not [line for line in lines if line.startswith(("w ", "b ", "optimum"))]
    assert [line for line in lines if line.startswith("best line ")]
    with pytest.raises(UserError, match="exact, which is for linear models, but module.build ret"):
        train.main(own("bent.csv", train__optimizer="exact"))
