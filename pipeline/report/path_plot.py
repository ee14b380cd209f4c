"""Plot of a path of penalties: the error of the folds and the weights, by the penalty."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from pipeline.learning.path_file import PenaltyPath
from pipeline.report.figure import BLUE, COLOURS, GREY, WIDTH, figure_of, plain, short

MOST_NAMED = 8
"""Weights with a colour and a name: more could not be told apart."""
MOST_DRAWN = 40
"""Weights that are drawn; of more, those with the largest effects."""


def draw(path: Path, paths: Sequence[PenaltyPath], deviations: NDArray[np.float64]) -> None:
    """Draw the path of each target: above the error of the folds, below the weights.

    The error is the mean of the folds' mean squared errors, with one standard error to either side.
    A weight is drawn as the effect of one standard deviation of its column, because weights in
    different units cannot be compared.
    deviations: of each column, [features].
    """
    drawn = paths[: len(COLOURS)]
    with figure_of(path, 6.4, WIDTH * (0.4 + 0.6 * len(drawn))) as figure:
        columns = np.array(figure.subplots(2, len(drawn), sharex="col", squeeze=False))
        for (above, below), each in zip(columns.T, drawn, strict=True):
            _draw_errors(plain(above), each)
            _draw_weights(plain(below), each, deviations)
            for axes in (above, below):
                axes.set_xscale("log")
                axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
                axes.xaxis.set_minor_formatter(NullFormatter())
            if below.get_legend_handles_labels()[0]:
                below.legend(fontsize="small", ncols=2)
            _mark((above, below), each)
            above.legend(fontsize="small")
            if len(paths) > 1:
                above.set_title(short(each.target))
            below.set_xlabel(f"train.{each.penalty} (more penalty to the right)")


def _draw_errors(axes: Axes, path: PenaltyPath) -> None:
    axes.fill_between(
        path.values,
        path.error - path.std_error,
        path.error + path.std_error,
        color=BLUE,
        alpha=0.2,
        linewidth=0,
        label="one standard error",
    )
    axes.plot(path.values, path.error, color=BLUE, label="mean of the folds")
    axes.set_ylabel("mean squared error on rows left out")


def _draw_weights(axes: Axes, path: PenaltyPath, deviations: NDArray[np.float64]) -> None:
    effects = path.weight * deviations
    sizes = np.abs(effects).max(axis=0, initial=0)
    order = np.argsort(-sizes, kind="stable")[:MOST_DRAWN].tolist()
    # From the smallest to the largest: the named ones are on top.
    for place, feature in reversed(list(enumerate(order))):
        if place >= MOST_NAMED or not sizes[feature]:
            axes.plot(path.values, effects[:, feature], color=GREY, linewidth=0.6)
    for place, feature in enumerate(order[:MOST_NAMED]):
        if sizes[feature]:
            axes.plot(
                path.values,
                effects[:, feature],
                color=COLOURS[place % len(COLOURS)],
                linestyle="-" if place < len(COLOURS) else "--",
                label=short(path.features[feature], 16),
            )
    axes.axhline(0, color=GREY, linewidth=1, zorder=1)
    largest = f" (the {MOST_DRAWN} largest)" * (len(sizes) > MOST_DRAWN)
    axes.set_ylabel(f"change in {short(path.target, 20)}\nby one standard deviation{largest}")


def _mark(both: Sequence[Axes], path: PenaltyPath) -> None:
    """Mark the penalty with the smallest error, the one-standard-error penalty and the choice."""
    for name, place, style in (
        ("smallest error", path.best, ":"),
        ("one standard error", path.one_standard_error, "--"),
    ):
        chosen = ", chosen" if place == path.chosen else ""
        for axes in both:
            axes.axvline(
                path.values[place],
                color="black" if chosen else GREY,
                linestyle=style,
                linewidth=1,
                label=f"{name}{chosen}: {path.values[place]:.3g}",
            )
