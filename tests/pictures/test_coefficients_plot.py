"""The plot of the coefficients: the largest effects, each beside its feature's name."""

from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from mixed_tables import number_plan

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit
from pipeline.pictures import coefficients_plot


def test_the_largest_effects_are_drawn_beside_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    count = coefficients_plot.MOST_FEATURES_DRAWN + 3
    names = [f"x{index}" for index in range(count)]
    slopes = np.arange(1.0, count + 1)
    scales = np.where(slopes == count, 1e-6, 1.0)  # a large coefficient with a small effect
    x = np.random.default_rng(0).normal(size=(4 * count, count)) * scales
    y = x @ slopes[:, None]
    reference = fit(gram_matrix(np.hstack([x, y])), names, ["y"])
    titles: list[str] = []
    figure = Figure()

    def figure_of(path: Path, title: str, height: float) -> nullcontext[Figure]:
        titles.append(title)
        return nullcontext(figure)

    monkeypatch.setattr(coefficients_plot, "figure_of", figure_of)
    plan = number_plan(names)
    coefficients_plot.draw(Path("coefficients.svg"), reference, slopes[None] + 0.5, scales, plan)
    drawn = names[2:-1]  # without the two smallest coefficients, and the smallest effect
    (axes,) = figure.axes
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == drawn[::-1], "the first feature is at the top"
    best, model, _ = axes.get_lines()
    assert best.get_xdata() == pytest.approx(slopes[2:-1][::-1])
    assert model.get_xdata() == pytest.approx(slopes[2:-1][::-1] + 0.5)
    assert np.round(np.asarray(model.get_ydata())).tolist() == list(axes.get_yticks())
    assert titles[0].endswith(f", the {count - 3} largest of {count}")
