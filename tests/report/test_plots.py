"""Plots: what they show, which are drawn, and that their bytes depend on nothing else."""

import re
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import matplotlib as mpl
import numpy as np
import pytest
from conftest import WIDE, job

from pipeline import evaluate, generate, train
from pipeline.exact.gram import gram_matrix
from pipeline.learning.line import Line
from pipeline.report import fit_plot, loss_plot
from pipeline.report.metrics import Split
from pipeline.settings import files


def line(weight: float, bias: float) -> Line:
    return Line(np.array([[weight]]), np.array([bias]), np.zeros(1))


def split(x: list[float], y: list[float]) -> Split:
    """Rows whose predictions do not matter."""
    values = np.column_stack([x, y])
    return Split(values[:, :1], values[:, 1:], values[:, 1:], gram_matrix(values))


def texts(path: Path) -> list[str]:
    """The texts of a plot: matplotlib writes each one beside its outlines."""
    return re.findall(r"<!-- (.*?) -->", path.read_text())


def test_the_plot_of_the_fit_shows_the_answers_and_the_truth(tmp_path: Path) -> None:
    path = tmp_path / "fit.svg"
    truth = fit_plot.true_function(job().data)
    rows = split([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    fit_plot.draw(path, rows, "x", ["y"], np.array([[4.0]]), line(2.0, 0.5).predict, truth)
    shown = {"8.5", "8", "truth: y = 2·x", "y over x", "training rows", "queries"}
    assert shown <= set(texts(path))
    assert "stroke-dasharray" in path.read_text()
    assert "mathdefault" not in path.read_text()


def test_the_axes_of_the_plot_of_the_loss_end_at_ticks(tmp_path: Path) -> None:
    def shown(losses: list[float], test_losses: list[float] | None = None) -> set[str]:
        loss_plot.draw(tmp_path / "loss.svg", losses, test_losses, per_error=False)
        return set(texts(tmp_path / "loss.svg"))

    falling = shown([44.4, 1.0, 0.145])
    assert "Training loss: 44.4 in epoch 1, 0.145 in epoch 3" in falling
    assert {"100", "10", "1", "0.1"} <= falling, "a logarithmic axis, named at both ends"
    assert "mathdefault" not in (tmp_path / "loss.svg").read_text()
    flat = shown([3.2, 3.1, 3.0], [3.3, 3.2, 3.1])
    assert "10" not in flat, "a curve that hardly falls fills its plot"
    long = shown([2.0 - n / 100 for n in range(100)])
    assert "100" in long, "the axis of the epochs ends at a tick"


def test_the_truth_is_drawn_if_it_is_known(tmp_path: Path) -> None:
    path = tmp_path / "fit.svg"
    rows = split([1.0, 2.0], [1.0, 2.0])
    data = job(data__generate__bias=[-1.5], data__generate__noise=3.0).data
    truth = fit_plot.true_function(data)
    assert truth is not None
    assert truth(np.array([[4.0]])).tolist() == [[6.5]]
    fit_plot.draw(path, rows, "x", ["y"], np.empty((0, 1)), truth, truth)
    assert "truth: y = 2·x − 1.5" in texts(path)
    two = job(data__targets=["a", "b"], data__generate__weight=[[2.0, 3.0]],
              data__generate__bias=[0.0, 1.0]).data  # fmt: skip
    truth = fit_plot.true_function(two)
    assert truth is not None
    assert truth(np.array([[4.0]])).tolist() == [[8.0, 13.0]]
    assert fit_plot.true_function(job(data__generate__weight=None).data) is None
    assert fit_plot.true_function(job(data__source="data/raw/t.csv").data) is None
    fit_plot.draw(path, rows, "x", ["y"], np.array([[4.0]]), lambda x: x)
    assert not [text for text in texts(path) if "truth" in text]


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
def test_a_plot_that_would_show_nothing_is_not_drawn(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], drawn: set[str]
) -> None:
    monkeypatch.setattr(train, "live_run", MagicMock())
    files.PLOTS.mkdir(parents=True)
    (files.PLOTS / "old.svg").touch()
    for each in (generate, train, evaluate):
        each.main(job(**changes))
    assert {path.stem for path in files.PLOTS.iterdir()} == drawn


def test_names_with_dollar_signs_are_not_formulas(tmp_path: Path) -> None:
    rows = split([1.0], [2.0])
    path = tmp_path / "fit.svg"
    fit_plot.draw(path, rows, "x", ["price_$ of_$"], np.empty((0, 1)), line(2.0, 0.0).predict)
    assert "price_$ of_$ over x" in texts(path)


def test_a_loss_of_zero_is_drawn_on_a_linear_axis(tmp_path: Path) -> None:
    loss_plot.draw(tmp_path / "loss.svg", [0.0, 0.0], None, per_error=False)
    assert {"0.00", "1", "2"} <= set(texts(tmp_path / "loss.svg"))


def test_a_users_style_does_not_change_the_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def drawn() -> bytes:
        path = tmp_path / "loss.svg"
        loss_plot.draw(path, [2.0, 1.0], None, per_error=False)
        return path.read_bytes()

    first = drawn()
    monkeypatch.setitem(mpl.rcParams, "font.size", 20.0)
    monkeypatch.setitem(mpl.rcParams, "svg.hashsalt", None)
    assert drawn() == first
