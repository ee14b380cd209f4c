"""The plot of the fit shows the rows, the answers, and the function that made the table."""

from pathlib import Path

import numpy as np
from conftest import job
from plotted import line, split, texts

from pipeline.pictures import fit_plot


def test_the_plot_of_the_fit_shows_the_answers_and_the_truth(tmp_path: Path) -> None:
    path = tmp_path / "fit.svg"
    truth = fit_plot.true_function(job().data)
    rows = split([1.0, 2.0, 3.0], [2.0, 4.0, 6.0])
    fit_plot.draw(path, rows, "x", ["y"], np.array([[4.0]]), line(2.0, 0.5).predict, truth)
    shown = {"8.5", "8", "truth: y = 2·x", "y over x", "training rows", "answers to the queries"}
    assert shown <= set(texts(path))
    assert "stroke-dasharray" in path.read_text()
    assert "mathdefault" not in path.read_text()


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
