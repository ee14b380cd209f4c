"""Plot of the fit over the one feature of a job."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from pipeline.learning.line import Line
from pipeline.report.figure import COLOURS, GREY, axes_of, short
from pipeline.report.model_errors import Predictor
from pipeline.report.split import Split
from pipeline.settings.params import GENERATE, Data


def true_function(data: Data) -> Predictor | None:
    """Return the function that made the table, without its noise; None if it is not known."""
    weight, bias = data.generate.weight, data.generate.bias
    if data.source != GENERATE or weight is None:
        return None
    features, targets = len(weight), len(bias)
    line = Line(np.reshape(weight, (features, targets)).T, np.array(bias), np.zeros(features))
    return line.predict


def draw(
    path: Path,
    train: Split,
    feature: str,
    targets: Sequence[str],
    queries: NDArray[np.float64],
    predict: Predictor,
    truth: Predictor | None = None,
) -> None:
    """Draw training rows, the fitted curve and the predictions for the queries.

    queries: [queries, 1]. truth: the function that made the table, if it is known; it is drawn as
    well, with its values at the queries.
    """
    ends = [train.part.smallest[0], train.part.largest[0], *queries[:, 0].tolist()]
    grid = np.linspace(min(ends), max(ends), 200)[:, None]
    curves, predicted = predict(grid), predict(queries)
    with axes_of(path) as axes:
        for index, (target, colour) in enumerate(zip(targets, COLOURS, strict=False)):
            name = f"target {short(target)}: " if len(targets) > 1 else ""
            rows = train.points(index)
            axes.plot(rows.x, rows.actual, "o", color=colour, label=f"{name}training rows")
            axes.plot(grid, curves[:, index], color=colour, label=f"{name}fit", zorder=1)
            if len(queries):
                axes.plot(
                    *(queries, predicted[:, index], "D"),
                    color=colour,
                    markerfacecolor="white",
                    label=f"{name}queries",
                )
        if truth:
            true = truth(queries)[:, : len(COLOURS)]
            dashed = axes.plot(grid, truth(grid)[:, : len(COLOURS)], "--", color=GREY, zorder=1)
            dashed[0].set_label(_equation(truth, feature, targets))
            axes.plot(queries, true, "x", color=GREY)
            _annotate(axes, queries, true, (-8, 4), "right")
        offset, side = ((8, -8), "left") if truth else ((-8, 4), "right")
        _annotate(axes, queries, predicted, offset, side)
        drawn = short(", ".join(targets))
        axes.set_title(f"{drawn} over {short(feature)}")
        axes.set_xlabel(short(feature))
        axes.set_ylabel(drawn)
        axes.legend()


def _equation(truth: Predictor, feature: str, targets: Sequence[str]) -> str:
    """Return the legend of the line that made the table: "truth: y = 2·x + 1"."""
    if len(targets) > 1:
        return "truth"
    intercept, at_one = truth(np.array([[0.0], [1.0]]))[:, 0]
    tail = f" {'+' if intercept > 0 else '−'} {abs(intercept):g}" if intercept else ""
    return f"truth: {short(targets[0])} = {at_one - intercept:g}·{short(feature)}{tail}"


def _annotate(
    axes: Axes,
    queries: NDArray[np.float64],
    values: NDArray[np.float64],
    offset: tuple[float, float],
    side: str,
) -> None:
    """Write the first target's values beside their points, for the first five queries."""
    for query, value in zip(queries[:5, 0], values[:5, 0], strict=True):
        axes.annotate(f"{value:.4g}", (query, value), offset, textcoords="offset points", ha=side)
