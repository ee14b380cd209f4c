"""Plot of a path of penalties: the error of the folds and the weights, by the penalty."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from pipeline.learning.path_file import PenaltyPath
from pipeline.pictures import plot_numbers
from pipeline.pictures.figure import (
    BLUE,
    COLOURS,
    DASHES,
    GREY,
    MOST_TARGETS,
    add_legend,
    figure_of,
    first_of,
    label,
    plain,
)
from pipeline.pictures.lettering import short
from pipeline.pictures.plot_numbers import number

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
    drawn = paths[:MOST_TARGETS]
    title = "More penalty to the right: the error on rows left out, and the weights"
    title += first_of([each.target for each in paths])
    with figure_of(path, title, 6.4 * len(drawn) + 0.4) as figure:
        # A part of the figure for each target: its legends stand outside the axes, over no line.
        parts = figure.subfigures(len(drawn), 1, squeeze=False)[:, 0]
        for each, part in zip(drawn, parts, strict=True):
            above, below = map(plain, part.subplots(2, 1, sharex=True))
            _draw_errors(above, each)
            _draw_weights(below, each, deviations)
            above.set_xscale("log")
            plot_numbers.logarithmic(above.xaxis)
            above.set_xlim(each.values.min() / 1.1, each.values.max() * 1.1)
            other = f", with train.l2 {number(each.other, 3)}" if each.other_pairs else ""
            label(below, f"train.{each.penalty}{other}")
            _mark(below, each, named=False)
            _mark(above, each, named=True)
            add_legend([above], each.target if len(paths) > 1 else None, is_above=True)
            add_legend([below])


def _draw_errors(axes: Axes, path: PenaltyPath) -> None:
    smallest, largest = path.error.min(), path.error.max()
    if 0 < TIMES_THE_SMALLEST * smallest < largest < np.inf:
        axes.set_yscale("log")  # else the smallest errors would look alike
        plot_numbers.logarithmic(axes.yaxis, subs=(1, 2, 5))
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
    label(axes, y="mean squared error\non rows left out")


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
                linestyle=DASHES[place % len(DASHES)],
                linewidth=1.3 if place < len(COLOURS) else 2.4,
                label=short(path.features[feature], 130),
            )
    axes.axhline(0, color=GREY, linewidth=1, zorder=1)
    largest = f" (the {MOST_DRAWN} largest)" * (len(sizes) > MOST_DRAWN)
    label(axes, y=f"change in {path.target}\nby one standard deviation{largest}")


def _mark(axes: Axes, path: PenaltyPath, *, named: bool) -> None:
    """Mark the penalty with the smallest error, the one-standard-error penalty and the choice."""
    for name, place, style in (
        ("smallest error", path.best, ":"),
        ("one standard error", path.one_standard_error, "--"),
    ):
        chosen = ", chosen" if place == path.chosen else ""
        axes.axvline(
            path.values[place],
            color="black" if chosen else GREY,
            linestyle=style,
            linewidth=1.2,
            label=f"{name}{chosen}: {number(path.values[place], 3)}" if named else None,
        )
