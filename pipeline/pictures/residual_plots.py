"""Plots of the residual of each row: predicted against actual, residuals, normal quantiles."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes

from pipeline.measures.split import Points, Split
from pipeline.pictures.figure import BLUE, GREY, ORANGE, label, panels_of

LEAST_ROWS_DRAWN = 10
"""With fewer rows these plots show almost nothing."""

MANY = 400
"""So many rows lie over each other: then they are small and pale."""


class Markers(NamedTuple):
    """Rows of one split and one target, as one set of markers."""

    points: Points
    marker: str
    style: Mapping[str, Any]
    """Colour, label and size: arguments of `Axes.plot`."""


def _markers(splits: Mapping[str, Split], target: int) -> Iterator[Markers]:
    """Return the rows to draw of each split. splits: by label. target: its index."""
    for (name, split), marker in zip(splits.items(), ("o", "x"), strict=False):
        points = split.points(target)
        many = len(points.x) >= MANY
        style = {
            "label": name,
            "color": BLUE if marker == "o" else ORANGE,
            "markersize": 3 if many else 5,
            "alpha": 0.3 if many else 0.5 if marker == "o" else 0.8,
            "markeredgewidth": 0 if marker == "o" else 0.7 if many else 1.2,
        }
        yield Markers(points, marker, style)


def predicted_and_actual(path: Path, splits: Mapping[str, Split], targets: Sequence[str]) -> None:
    """Draw the predicted over the actual values: a good fit lies along the diagonal."""
    title = "Predicted against actual: the closer to the line, the better"
    with panels_of(path, title, targets) as panels:
        for index, (axes, target) in enumerate(zip(panels, targets, strict=False)):
            for points, marker, style in _markers(splits, index):
                axes.plot(points.actual, points.predicted, marker, **style)
            low = min(axes.get_xlim()[0], axes.get_ylim()[0])
            high = max(axes.get_xlim()[1], axes.get_ylim()[1])
            _diagonal(axes, low, high)
            axes.set_xlim(low, high)
            axes.set_ylim(low, high)
            label(axes, f"actual {target}", f"predicted {target}")


def residuals(path: Path, splits: Mapping[str, Split], targets: Sequence[str]) -> None:
    """Draw the residuals over the predictions: a curve or a funnel is a misfit."""
    title = "Residuals against predicted: a bend or a funnel is what the model has missed"
    with panels_of(path, title, targets) as panels:
        for index, (axes, target) in enumerate(zip(panels, targets, strict=False)):
            for points, marker, style in _markers(splits, index):
                axes.plot(points.predicted, points.residual, marker, **style)
            axes.axhline(0, color=GREY, linewidth=1, zorder=1)
            residual = _times_root(f"actual − predicted {target}", splits)
            label(axes, f"predicted {target}", residual)


def quantiles(path: Path, splits: Mapping[str, Split], targets: Sequence[str]) -> None:
    """Draw the quantiles of the residuals over the quantiles of a normal distribution.

    The residuals of each split and target are divided by their root mean square. Normal residuals
    lie along the diagonal; t, p and the intervals in coefficients.csv assume that they are normal.
    """
    title = "Quantiles of the residuals: along the line if the errors are normal"
    with panels_of(path, title, targets) as panels:
        for index, (axes, target) in enumerate(zip(panels, targets, strict=False)):
            ends = [0.0]
            for points, marker, style in _markers(splits, index):
                normal, residual = _quantiles(points)
                axes.plot(normal, residual, marker, **style)
                ends += [normal[0], normal[-1]]
            _diagonal(axes, min(ends), max(ends))
            name = f"residual of {target}" if len(targets) > 1 else "residual"
            name = _times_root(name, splits)
            label(axes, "normal quantile", f"{name}\n/ root mean square")


def _quantiles(points: Points) -> tuple[list[float], list[float]]:
    """Return the normal quantile of each residual, and the residuals in units of their size."""
    residual = points.residual
    order = np.argsort(residual, kind="stable")
    residual, weight = residual[order], points.weight[order]
    scale = np.sqrt((weight * residual**2).sum() / weight.sum())
    residual = residual / scale if scale > 0 else residual
    # Plotting positions of Hazen: (k − 1/2) / n; a point that stands for several rows is in the
    # middle of theirs.
    places = (np.cumsum(weight) - weight / 2) / weight.sum()
    return [NormalDist().inv_cdf(place) for place in places.tolist()], residual.tolist()


def _diagonal(axes: Axes, low: float, high: float) -> None:
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, zorder=1)


def _times_root(text: str, splits: Mapping[str, Split]) -> str:
    """Return the name of what is drawn, times the root of the weight if rows have precisions."""
    if not any(split.has_precisions for split in splits.values()):
        return text
    return f"({text}) · √weight" if " " in text else f"{text} · √weight"
