"""The plots of the residuals show each row of each split at its place."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from plotted import split

from pipeline.pictures import residual_plots
from pipeline.pictures.figure import BLUE, ORANGE


@pytest.fixture
def axes(monkeypatch: pytest.MonkeyPatch) -> Axes:
    """Return the axes that a plot will draw on."""
    axes = Figure().add_subplot()
    monkeypatch.setattr(residual_plots, "panels_of", lambda *_: nullcontext([axes]))
    return axes


def test_residuals_are_actual_minus_predicted_of_each_split(axes: Axes) -> None:
    splits = {
        "training rows": split([1.5, 2.0, 4.0], [1.0, 2.0, 5.0]),
        "rows held out": split([7.0], [3.0]),
    }
    residual_plots.residuals(Path("residuals.svg"), splits, ["y"])
    training, held_out, zero = axes.get_lines()
    assert np.array_equal(training.get_xydata(), [[1.5, -0.5], [2.0, 0.0], [4.0, 1.0]])
    assert np.array_equal(held_out.get_xydata(), [[7.0, -4.0]])
    assert [each.get_color() for each in (training, held_out)] == [BLUE, ORANGE]
    assert [each.get_label() for each in (training, held_out)] == list(splits)
    assert not np.any(zero.get_ydata())


def test_normal_residuals_lie_along_the_diagonal(axes: Axes) -> None:
    errors = 50 * np.random.default_rng(0).normal(size=2000)
    rows = split([0.0] * 2000, errors.tolist())
    residual_plots.quantiles(Path("quantiles.svg"), {"training rows": rows}, ["y"])
    normal, residual = np.asarray(axes.get_lines()[0].get_xydata()).T
    inner = np.abs(normal) < 2
    assert np.abs(normal - residual)[inner].max() < 0.15


def test_a_perfect_fit_has_quantiles(axes: Axes) -> None:
    rows = split([1.0, 2.0], [1.0, 2.0])
    residual_plots.quantiles(Path("quantiles.svg"), {"training rows": rows}, ["y"])
    assert np.asarray(axes.get_lines()[0].get_ydata()).tolist() == [0.0, 0.0]
