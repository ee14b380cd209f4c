"""Plot of a path of penalties: the error of the folds and the weights, by the penalty."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from numpy.typing import NDArray

from pipeline.learning.path_file import PenaltyPath
from pipeline.report.figure import BLUE, COLOURS, GREY, WIDTH, figure_of, plain, short

MOST_NAMED = 8
"""Weights with a colour and a name: more could not be told apart."""
TIMES_THE_SMALLEST = 5
"""An error that is larger than so many times the smallest makes the axis logarithmic."""
MOST_DRAWN = 40
"""Weights that are drawn; of more, those with the largest effects."""


def draw(path: Path, paths: Sequence[PenaltyPath], deviations: NDArray[np.float64]) -> None:
    """Draw the path of each target, at most four: above the error of the folds, below the weights.

    The error is the mean of the folds' mean squared errors, with one standard error to either side.
    A weight is drawn as the effect of one standard deviation of its column, because weights in
    different units cannot be compared.
    deviations: of each column, [features].
    """
    drawn = paths[: len(COLOURS)]
    with figure_of(path, 7.2, WIDTH * (0.4 + 0.6 * len(drawn))) as figure:
        if len(drawn) < len(paths):
            figure.suptitle(f"the first {len(drawn)} of {len(paths)} targets", fontsize="medium")
        # A part of the figure for each target: its legends stand outside the axes, over no line.
        for part, each in zip(
            figure.subfigures(1, len(drawn), squeeze=False)[0], drawn, strict=True
        ):
            above, below = part.subplots(2, 1, sharex=True)
            _draw_errors(plain(above), each)
            _draw_weights(plain(below), each, deviations)
            for axes in (above, below):
                axes.set_xscale("log")
                _plain_numbers(axes.xaxis)
            weights = below.get_legend_handles_labels()
            _mark((above, below), each)
            columns = 4 if len(drawn) == 1 else 2
            part.legend(
                *above.get_legend_handles_labels(),
                loc="outside upper center",
                ncols=2,
                fontsize="small",
            )
            if weights[0]:
                part.legend(*weights, loc="outside lower center", ncols=columns, fontsize="small")
            if len(paths) > 1:
                above.set_title(short(each.target))
            other = f", with train.l2 {each.other:.3g}" if each.other_pairs else ""
            below.set_xlabel(f"train.{each.penalty}{other} (more penalty to the right)")


def _plain_numbers(axis: Axis) -> None:
    """Label a logarithmic axis with 0.01, not with a formula, which is not drawn as one."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def _draw_errors(axes: Axes, path: PenaltyPath) -> None:
    smallest, largest = path.error.min(), path.error.max()
    if 0 < TIMES_THE_SMALLEST * smallest < largest < np.inf:
        axes.set_yscale("log")  # else the smallest errors would look alike
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        _plain_numbers(axes.yaxis)
    axes.fill_between(
        path.values,
        np.maximum(path.error - path.std_error, smallest / 2),
        path.error + path.std_error,
        color=BLUE,
        alpha=0.2,
        linewidth=0,
        label="one standard error",
    )
    axes.plot(path.values, path.error, color=BLUE, label="mean of the folds")
    axes.set_ylabel("mean squared error\non rows left out")


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
