"""Plot of the fit over the one feature of a job."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from pipeline.learning.line import Line
from pipeline.measures.model_errors import Predictor
from pipeline.measures.split import Split
from pipeline.pictures import plot_numbers, point_labels
from pipeline.pictures.figure import BLUE, MOST_TARGETS, ORANGE, add_legend, label, panels_of
from pipeline.pictures.lettering import short
from pipeline.pictures.plot_numbers import number
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
    is_date: bool = False,
    own_unit: Predictor = lambda fitted: fitted,
) -> None:
    """Draw training rows, the fitted curve and the predictions for the queries.

    queries: [queries, 1]. truth: the function that made the table, if it is known; it is drawn as
    well, with its values at the queries. is_date: the feature is a number of days since 1970.
    own_unit: the way from the fitted scale to the targets' own units, in which all is drawn.
    """
    ends = [train.part.smallest[0], train.part.largest[0], *queries[:, 0].tolist()]
    grid = np.linspace(min(ends), max(ends), 200)[:, None]
    curves, predicted = own_unit(predict(grid)), own_unit(predict(queries))
    title = f"{', '.join(map(short, targets[:MOST_TARGETS]))} over {short(feature)}"
    with panels_of(path, title, targets) as panels:
        for index, (axes, target) in enumerate(zip(panels, targets, strict=False)):
            rows = train.points(index)
            actual = np.zeros((len(rows.actual), len(targets)))
            actual[:, index] = rows.actual
            axes.plot(
                *(rows.x, own_unit(actual)[:, index], "o"),
                color=BLUE,
                label="training rows",
                alpha=0.7,
                mew=0,
            )
            axes.plot(grid, curves[:, index], color=BLUE, label="fit", zorder=1)
            if truth:
                equation = _equation(truth, feature, targets)
                axes.plot(
                    *(grid, truth(grid)[:, index], "--"), color=ORANGE, zorder=1, label=equation
                )
                axes.plot(queries, truth(queries)[:, index], "x", color=ORANGE, mew=1.5)
            if len(queries):
                axes.plot(
                    *(queries, predicted[:, index], "D"),
                    color=BLUE,
                    markerfacecolor="white",
                    label="answers to the queries",
                )
            if is_date:
                plot_numbers.dates(axes.xaxis)
            axes.margins(0.1, 0.12)  # room for the numbers beside the queries
            label(axes, feature, target)
        add_legend(panels)  # the places of points are final then
        for index, axes in enumerate(panels):
            _label_queries(axes, index, train, queries, predicted, truth)


def _label_queries(
    axes: Axes,
    target: int,
    train: Split,
    queries: NDArray[np.float64],
    predicted: NDArray[np.float64],
    truth: Predictor | None,
) -> None:
    """Write the answers to the first five queries beside their points, and what is true there."""
    labelled = []
    for values in (predicted, *([truth(queries)] if truth else [])):
        for query, value in zip(queries[:5, 0], values[:5, target], strict=True):
            labelled.append((float(query), float(value), number(float(value))))
    rows = train.points(target)
    others = [*zip(rows.x[:, 0], rows.actual, strict=True)]
    point_labels.draw(axes, labelled, others, over_others=True)


def _equation(truth: Predictor, feature: str, targets: Sequence[str]) -> str:
    """Return the legend of the line that made the table: "truth: y = 2·x + 1"."""
    if len(targets) > 1:
        return "truth"
    intercept, at_one = truth(np.array([[0.0], [1.0]]))[:, 0]
    tail = f" {'+' if intercept > 0 else '−'} {abs(intercept):g}" if intercept else ""
    return f"truth: {short(targets[0])} = {at_one - intercept:g}·{short(feature)}{tail}"
