"""The figures in the reports are right, to the last digit that is shown."""

import re
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import pytest
import torch
from conftest import WIDE, job
from numpy.typing import NDArray
from torch import nn

from pipeline import evaluate, generate, train
from pipeline.exact.gram import gram_matrix
from pipeline.exact.least_squares import fit
from pipeline.learning import divergence, inference, weights
from pipeline.learning.line import Line, load_line
from pipeline.learning.module import LinearModel
from pipeline.report import plots
from pipeline.settings import files, ids
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.generated import generated_table
from pipeline.tables.table import Table


def predicts(module: nn.Module) -> evaluate.Predict:
    return lambda x: inference.predict(module, x)


def measured(
    actual: NDArray[np.float64], predicted: NDArray[np.float64], reduction: str
) -> dict[str, float | None]:
    """The metrics of a module that is not linear, which predicted this."""
    table_ = gram_matrix(np.hstack([np.zeros((len(actual), 1)), actual]))
    part = evaluate.Part(np.zeros((len(actual), 1)), actual, predicted, table_)
    return evaluate.metrics(part, None, reduction)


def fitted(params: Params, weight: list[list[float]], bias: list[float]) -> LinearModel:
    module = LinearModel(len(params.data.features), len(params.data.targets))
    module.load_state_dict(
        {"linear.weight": torch.tensor(weight), "linear.bias": torch.tensor(bias)}
    )
    return module


def test_metrics_against_exact_fractions() -> None:
    random = np.random.default_rng(0)
    actual = random.normal(size=(50, 2)) * [1, 1000]
    predicted = actual + random.normal(size=(50, 2))
    found = measured(actual, predicted, "sum")
    errors = [Fraction(float(e)) for e in (actual - predicted).ravel()]
    total = sum(error**2 for error in errors)
    centred = 0.0
    for column in actual.T:
        mean = sum(map(Fraction, column.tolist())) / len(column)
        centred += float(sum((Fraction(value) - mean) ** 2 for value in column.tolist()))
    assert found["loss"] == pytest.approx(float(total), rel=1e-15)
    assert found["mse"] == pytest.approx(float(total / 100), rel=1e-15)
    assert found["rmse"] == pytest.approx(float(total / 100) ** 0.5, rel=1e-15)
    assert found["mae"] == pytest.approx(float(sum(map(abs, errors)) / 100), rel=1e-15)
    assert found["r2"] == pytest.approx(1 - float(total) / centred, rel=1e-14)
    assert measured(actual, predicted, "mean")["loss"] == found["mse"]


def test_metrics_where_there_is_little_to_measure() -> None:
    one = np.array([[3.0]])
    assert measured(one, one, "sum") == {
        "loss": 0, "mse": 0, "rmse": 0, "mae": 0, "r2": None
    }  # fmt: skip
    with pytest.raises(UserError, match=r"beyond what float64 holds; scale the targets"):
        measured(np.array([[1e200]]), np.array([[0.0]]), "sum")
    line = Line(np.zeros((1, 1)), np.zeros(1), np.zeros(1))
    part = evaluate.Part.of(Table(("x", "y"), np.array([[1.0, 1e200]])), ["y"], line.predict)
    with pytest.raises(UserError, match=r"beyond what float64 holds; scale the targets"):
        evaluate.metrics(part, line, "sum")


def test_predictions_are_the_shipped_lines() -> None:
    params = job(data__features=["a", "b"], data__generate__x=[[1.0, 2.0]],
                 data__generate__weight=[[1.0], [1.0]], evaluate__queries=[])  # fmt: skip
    module = fitted(params, [[0.1, -3.0]], [7.0])
    x = np.array([[1.0, 2.0], [1e8, 0.5]])
    tenth = float(np.float32(0.1))
    assert inference.predict(module, x).ravel().tolist() == [7 + tenth - 6, 7 + tenth * 1e8 - 1.5]
    with pytest.raises(UserError, match=r"evaluate.queries\[1\]: the answer is beyond"):
        evaluate.answer(predicts(module), np.array([[0.0, 0.0], [0.0, 1e39]]), "float32")


def test_another_module_is_measured_too() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1))
    x = np.linspace(-1, 1, 5)[:, None]
    with torch.inference_mode():
        expected = module(torch.tensor(x, dtype=torch.float32)).numpy()
    np.testing.assert_allclose(inference.predict(module, x), expected, rtol=1e-5)
    assert next(module.parameters()).dtype == torch.float32, "measuring must not change the model"
    assert inference.line_of(module) is None
    reference = fit(gram_matrix(np.hstack([x, x])), ["x"], ["y"])
    assert list(evaluate.coefficient_rows(None, reference, "float32")) == []
    assert divergence.largest_lr(module, x, 1, 0, "sum") is None


def test_floats_are_written_as_short_as_they_can_be() -> None:
    assert files.shortest(np.array([0.1, 1 / 3], dtype=np.float32)) == [0.1, 0.33333334]


def test_models_come_back_rounded_once(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    params = job()
    exact = fitted(params, [[2.0]], [0.0]).double()
    with torch.no_grad():
        exact.linear.weight += 1e-12
    weights.save(path, exact, torch.float32, "a" * 32)
    loaded = weights.load(path, params.model, 1, 1)
    assert ids.trained_by(path) == "a" * 32
    assert next(loaded.parameters()).dtype == torch.float32
    assert inference.predict(loaded, np.array([[4.0]])).item() == 8
    first = path.read_bytes()
    weights.save(path, exact, torch.float32, "a" * 32)
    assert path.read_bytes() == first
    for spoil in (lambda: path.write_bytes(first[:20]), lambda: weights.save(
        path, LinearModel(2, 1), torch.float32, "other")):  # fmt: skip
        spoil()
        with pytest.raises(UserError, match=r"not this job's model"):
            weights.load(path, params.model, 1, 1)
        with pytest.raises(UserError, match=r"not this job's model"):
            load_line(path, params.model, 1, 1)
    with torch.no_grad():
        exact.linear.weight += 1e39
    with pytest.raises(UserError, match=r"model.dtype: linear.weight has values beyond"):
        weights.save(path, exact, torch.float32, "a" * 32)


def test_what_is_read_without_torch_is_what_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for bias in (True, False):
        torch.manual_seed(0)
        module = LinearModel(3, 2, bias)
        weights.save(path, module, torch.float32, "a" * 32)
        line = load_line(path, job(model__bias=bias).model, 3, 2)
        with pytest.raises(UserError, match=r"not this job's model \(found .* must be "):
            load_line(path, job(model__bias=not bias).model, 3, 2)
        known = inference.line_of(module)
        assert line is not None
        assert known is not None
        np.testing.assert_array_equal(line.weight, known.weight)
        np.testing.assert_array_equal(line.bias, known.bias)
        assert (line.bias != 0).any() == bias


def test_a_module_is_not_taken_for_linear_by_the_names_of_its_tensors(tmp_path: Path) -> None:
    class Bent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(1, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tanh(self.linear(x))

    weights.save(tmp_path / "model.safetensors", Bent(), torch.float32, "a" * 32)
    assert load_line(tmp_path / "model.safetensors", job().model, 1, 1) is None


def texts(path: Path) -> list[str]:
    """What is written in a picture: matplotlib notes each text beside its outlines."""
    return re.findall(r"<!-- (.*?) -->", path.read_text())


def test_the_pictures_hold_what_they_should(tmp_path: Path) -> None:
    params = job()
    rows = generated_table(params.data, 0)
    module = fitted(params, [[2.0]], [0.5])
    x, y = rows.columns(["x"]), rows.columns(["y"])
    known = evaluate.truth(params.data)
    queries = np.array([[4.0]])
    plots.fit(tmp_path / "fit.svg", x, y, "x", ["y"], queries, predicts(module), known)
    plots.loss(tmp_path / "loss.svg", [44.4, 1.0, 0.145], None, per_error=False)
    told = texts(tmp_path / "fit.svg")
    assert {"8.5", "8", "truth: y = 2·x", "y over x", "training rows", "queries"} <= set(told)
    assert "stroke-dasharray" in (tmp_path / "fit.svg").read_text()
    told = texts(tmp_path / "loss.svg")
    assert "Training loss: 44.4 in epoch 1, 0.145 in epoch 3" in told
    assert {"100", "10", "1", "0.1"} <= set(told), "a logarithmic axis, named at both ends"
    plots.loss(tmp_path / "flat.svg", [3.2, 3.1, 3.0], [3.3, 3.2, 3.1], per_error=False)
    assert "10" not in texts(tmp_path / "flat.svg"), "a curve that hardly falls fills its picture"
    plots.loss(tmp_path / "long.svg", [2.0 - n / 100 for n in range(100)], None, per_error=False)
    assert "100" in texts(tmp_path / "long.svg"), "the axis of the epochs ends at a tick"
    assert "mathdefault" not in (tmp_path / "loss.svg").read_text()


def test_the_truth_is_drawn_where_it_is_known(tmp_path: Path) -> None:
    data = job(data__generate__bias=[-1.5], data__generate__noise=3.0).data
    known = evaluate.truth(data)
    assert known is not None
    assert known(np.array([[4.0]])).tolist() == [[6.5]]
    x = np.array([[1.0], [2.0]])
    plots.fit(tmp_path / "fit.svg", x, x, "x", ["y"], np.empty((0, 1)), known, known)
    assert "truth: y = 2·x − 1.5" in texts(tmp_path / "fit.svg")
    two = job(data__targets=["a", "b"], data__generate__weight=[[2.0, 3.0]],
              data__generate__bias=[0.0, 1.0]).data  # fmt: skip
    known = evaluate.truth(two)
    assert known is not None
    assert known(np.array([[4.0]])).tolist() == [[8.0, 13.0]]
    assert evaluate.truth(job(data__generate__weight=None).data) is None
    assert evaluate.truth(job(data__source="data/raw/t.csv").data) is None
    plots.fit(tmp_path / "fit.svg", x, x, "x", ["y"], np.array([[4.0]]), lambda x: x)
    assert not [text for text in texts(tmp_path / "fit.svg") if "truth" in text]


@pytest.mark.parametrize(
    ("changes", "drawn"),
    [
        ({}, {"fit", "loss"}),
        ({"train__epochs": 1}, {"fit"}),
        ({"train__optimizer": "exact"}, {"fit"}),
        (WIDE, {"coefficients", "loss", "predicted", "quantiles", "residuals"}),
        (
            {"data__generate__x": None, "data__generate__rows": 30, "data__test_fraction": 0.3,
             "train__lr": 0.001},
            {"fit", "loss", "predicted", "quantiles", "residuals"},
        ),
        (
            {"data__features": ["a", "b"], "data__generate__x": [[1.0, 0.0], [0.0, 1.0]],
             "data__generate__weight": [[1.0], [1.0]], "evaluate__queries": [],
             "model__bias": False, "train__optimizer": "exact"},
            {"coefficients"},
        ),
    ],
)  # fmt: skip
def test_a_picture_that_would_show_nothing_is_not_drawn(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], drawn: set[str]
) -> None:
    monkeypatch.setattr(train, "live_run", MagicMock())
    files.PLOTS.mkdir(parents=True)
    (files.PLOTS / "old.svg").touch()
    for each in (generate, train, evaluate):
        each.main(job(**changes))
    assert {path.stem for path in files.PLOTS.iterdir()} == drawn


def test_pictures_of_odd_jobs(tmp_path: Path) -> None:
    """A loss of zero, no query, dollar signs: each draws, and draws the same twice."""
    module = fitted(job(), [[2.0]], [0.0])
    x, y = np.array([[1.0]]), np.array([[2.0]])
    for name in ("once", "twice"):
        plots.loss(tmp_path / f"{name}.svg", [0.0, 0.0], None, per_error=False)
        plots.fit(
            tmp_path / f"{name}2.svg",
            x,
            y,
            "x",
            ["price_$ of_$"],
            np.empty((0, 1)),
            predicts(module),
        )
    assert (tmp_path / "once.svg").read_bytes() == (tmp_path / "twice.svg").read_bytes()
    assert (tmp_path / "once2.svg").read_bytes() == (tmp_path / "twice2.svg").read_bytes()
