"""No text of a plot covers another one, whatever the names, the numbers and their number."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mixed_tables import number_plan
from numpy.typing import NDArray
from plotted import drawn_texts, measured

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit
from pipeline.learning.path_file import PenaltyPath
from pipeline.pictures import (
    coefficients_plot,
    fit_plot,
    lettering,
    loss_plot,
    path_plot,
    residual_plots,
)

LONG = "the average household income of the census district, thousands of dollars"
CHINESE = "家庭平均年收入（万元人民币，含各种补贴和奖金，不含税）"
NAMES = [f"{name}{index}" for index in range(10) for name in (LONG, CHINESE, "W" * 60)]
TARGETS = [CHINESE, LONG, "price_$", "目标", "y"]
SMALLEST_LETTERS = 9.0
"""Points: 12 pixels where the plot is 600 pixels wide."""


def rows(count: int, targets: int, scale: float = 1e6) -> NDArray[np.float64]:
    random = np.random.default_rng(0)
    return np.hstack(
        [random.normal(size=(count, 30)), scale * random.normal(size=(count, targets))]
    )


def coefficients(path: Path, targets: int) -> None:
    table = rows(120, targets)
    reference = fit(gram_matrix(table), NAMES, TARGETS[:targets])
    weight = reference.weight + 1.0
    coefficients_plot.draw(path, reference, weight, np.ones(30), number_plan(NAMES), True)


def penalties(path: Path, targets: int) -> None:
    values = np.geomspace(1e-4, 1e4, 30)
    weight = 1e9 * np.outer(1 / (1 + values), np.arange(30.0) - 15)
    each = [
        PenaltyPath(
            *(name, "l2", values, 0.0, values + 1, np.ones(30), weight, np.zeros(30), (*NAMES,)),
            best=7, one_standard_error=5, chosen=5,
        )
        for name in TARGETS[:targets]
    ]  # fmt: skip
    path_plot.draw(path, each, np.ones(30))


def residuals(
    draw: Callable[..., None],
) -> Callable[[Path, int], None]:
    def drawn(path: Path, targets: int) -> None:
        table = rows(300, targets, 10.0 ** (3 * targets))
        split = measured(table, targets, lambda x: 1e6 * x[:, :targets])
        draw(path, {"training rows": split, "rows held out": split}, TARGETS[:targets])

    return drawn


def curve(path: Path, targets: int) -> None:
    table = np.delete(rows(50, targets), range(1, 30), axis=1)
    split = measured(table, targets, lambda x: np.repeat(x, targets, axis=1))
    queries = np.array([[1.0], [1.0001], [1e6], [2.0], [-1e6]])

    def predict(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.repeat(x, targets, axis=1)

    fit_plot.draw(
        *(path, split, CHINESE, TARGETS[:targets], queries, predict),
        truth=lambda x: 2 * predict(x),
    )


def losses(path: Path, targets: int) -> None:
    falling = np.geomspace(1e12, 10.0**-targets, 1_200_000 if targets == 1 else 1200).tolist()
    loss_plot.draw(path, falling, falling, "mean squared error")


PLOTS = {
    "coefficients": coefficients,
    "path": penalties,
    "predicted": residuals(residual_plots.predicted_and_actual),
    "residuals": residuals(residual_plots.residuals),
    "quantiles": residuals(residual_plots.quantiles),
    "fit": curve,
    "loss": losses,
}


@pytest.mark.parametrize(
    "targets", [*(pytest.param(targets, marks=pytest.mark.slow) for targets in (1, 3)), 5]
)
@pytest.mark.parametrize("name", PLOTS)
def test_no_text_covers_another_and_all_can_be_read(
    name: str, targets: int, tmp_path: Path
) -> None:
    path = tmp_path / "plot.svg"
    with drawn_texts() as drawn:
        PLOTS[name](path, targets)
    assert drawn.overlaps() == []
    assert drawn.outside() == []
    assert min(size for _, _, size in drawn.boxes) >= SMALLEST_LETTERS
    assert lettering.undrawn("".join(drawn.shown).replace("\n", "")) == "", "every glyph is drawn"
    said = " ".join(drawn.shown).replace("\n", " ")
    assert ("(the first 4 of 5 targets)" in said) is (targets == 5 and name != "loss")
    assert path.stat().st_size < 200_000 * min(targets, 4)
