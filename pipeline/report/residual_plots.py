"""Plots of the residual of each row: predicted against actual, residuals, normal quantiles."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np

from pipeline.report.figure import COLOURS, GREY, ORANGE, axes_of, short
from pipeline.report.split import Points, Split

LEAST_ROWS_DRAWN = 10
"""With fewer rows these plots show almost nothing."""


class Markers(NamedTuple):
    """Rows of one split and one target, as one set of markers."""

    points: Points
    marker: str
    style: Mapping[str, Any]
    """Colour, label and size: arguments of `Axes.plot`."""


def _markers(splits: Mapping[str, Split], targets: Sequence[str]) -> Iterator[Markers]:
    """Return the rows to draw of each split, for each target that has a colour.

    splits: by label.
    """
    for (name, split), marker in zip(splits.items(), ("o", "x"), strict=False):
        for index, (target, colour) in enumerate(zip(targets, COLOURS, strict=False)):
            one = len(targets) == 1
            style = {
                "label": name if one else f"{short(target)}: {name}",
                "color": ORANGE if one and marker == "x" else colour,
                "markersize": 4,
                "alpha": 0.6,
                "markeredgewidth": 1,
            }
            yield Markers(split.points(index), marker, style)


def predicted_and_actual(path: Path, splits: Mapping[str, Split], targets: Sequence[str]) -> None:
    """Draw the predicted over the actual values: a good fit lies along the diagonal."""
    with axes_of(path) as axes:
        for points, marker, style in _markers(splits, targets):
            axes.plot(points.actual, points.predicted, marker, **style)
        low = min(axes.get_xlim()[0], axes.get_ylim()[0])
        high = max(axes.get_xlim()[1], axes.get_ylim()[1])
        axes.plot([low, high], [low, high], color=GREY, linewidth=1, zorder=1)
        axes.set_title("Predicted against actual")
        axes.set_xlabel(f"actual {short(', '.join(targets))}")
        axes.set_ylabel("predicted")
        axes.legend()


def residuals(path: Path, splits: Mapping[str, Split], targets: Sequence[str]) -> None:
    """Draw the residuals over the predictions: a curve or a funnel is a misfit."""
    with axes_of(path) as axes:
        for points, marker, style in _markers(splits, targets):
            axes.plot(points.predicted, points.residual, marker, **style)
        axes.axhline(0, color=GREY, linewidth=1, zorder=1)
        axes.set_title("Residuals against predicted")
        axes.set_xlabel(f"predicted {short(', '.join(targets))}")
        axes.set_ylabel(f"residual: {_times_root('actual − predicted', splits)}")
        axes.legend()


def quantiles(path: Path, splits: Mapping[str, Split], targets: Sequence[str]) -> None:
    """Draw the quantiles of the residuals over the quantiles of a normal distribution.

    The residuals of each split and target are divided by their root mean square. Normal residuals
    lie along the diagonal; t, p and the intervals in coefficients.csv assume that they are normal.
    """
    with axes_of(path) as axes:
        ends = [0.0]
        for points, marker, style in _markers(splits, targets):
            residual = points.residual
            order = np.argsort(residual, kind="stable")
            residual, weight = residual[order], points.weight[order]
            scale = np.sqrt((weight * residual**2).sum() / weight.sum())
            residual = residual / scale if scale > 0 else residual
            # Plotting positions of Hazen: (k − 1/2) / n; a point that stands for several rows is in
            # the middle of theirs.
            places = (np.cumsum(weight) - weight / 2) / weight.sum()
            normal = [NormalDist().inv_cdf(place) for place in places.tolist()]
            axes.plot(normal, residual, marker, **style)
            ends += [normal[0], normal[-1]]
        axes.plot(*[[min(ends), max(ends)]] * 2, color=GREY, linewidth=1, zorder=1)
        axes.set_title("Residuals' quantiles against a normal distribution's")
        axes.set_xlabel("normal quantile")
        axes.set_ylabel(f"{_times_root('residual', splits)} / root mean square")
        axes.legend()


def _times_root(text: str, splits: Mapping[str, Split]) -> str:
    """Return the name of what is drawn, times the root of the weight if rows have precisions."""
    if not any(split.has_precisions for split in splits.values()):
        return text
    return f"({text}) · √weight" if " " in text else f"{text} · √weight"
