"""Plot of the coefficients beside the reference's 95 % intervals."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from pipeline.columns.plan import Plan
from pipeline.exact.least_squares import Fit
from pipeline.report import effects
from pipeline.report.effects import Group
from pipeline.report.figure import COLOURS, GREY, WIDTH, axes_of, short

MOST_FEATURES_DRAWN = 40
"""More names could not be read. Of more features, the largest effects are drawn."""


def draw(
    path: Path,
    reference: Fit,
    weight: NDArray[np.float64],
    deviations: NDArray[np.float64],
    plan: Plan,
    penalized: bool = False,
) -> None:
    """Draw the effect on the target of a change of one standard deviation in each feature.

    Coefficients of features in different units cannot be compared; these effects can. Of a level
    the effect is its difference from the reference level, which is drawn at 0. The least-squares
    solution is drawn with its 95 % interval, and the model beside it.
    weight: of the model, [targets, features]; deviations: [features]. penalized: True if the model
    is not meant to be the least-squares solution.
    """
    targets = reference.targets[: len(COLOURS)]
    groups = effects.groups(plan, deviations)
    change = np.ones(len(deviations))
    for effect in (effect for group in groups for effect in group):
        if effect.term is not None:
            change[effect.term] = effect.change
    drawn_weights = [reference.weight, *[weight] * penalized]  # the reference leaves columns out
    sizes = np.max([np.abs(each * change).max(axis=0) for each in drawn_weights], axis=0)
    groups = effects.largest(groups, sizes, MOST_FEATURES_DRAWN)
    # From the bottom to the top: the first feature is at the top.
    lines = [effect for group in reversed(groups) for effect in reversed(group)]
    heights = np.array([height for height, line in enumerate(lines) if line.term is not None])
    chosen = np.array([line.term for line in lines if line.term is not None], np.int64)
    scale = change[chosen]
    has_levels = any(len(group) > 1 for group in groups)
    height = max(4.0, 0.22 * len(lines) * len(targets) + 1.2)
    with axes_of(path, height, WIDTH * 1.25 if has_levels else WIDTH) as axes:
        for index, (target, colour) in enumerate(zip(targets, COLOURS, strict=False)):
            name = f"{short(target)}: " if len(targets) > 1 else ""
            places = heights + (index + 1) / (len(targets) + 1) - 0.5
            low = reference.ci_low[index, chosen] * scale
            high = reference.ci_high[index, chosen] * scale
            axes.hlines(places, low, high, color=colour, linewidth=3, alpha=0.4)
            axes.plot(
                *(reference.weight[index, chosen] * scale, places, "|"),
                color=colour,
                markersize=10,
                label=f"{name}least squares,\n95 % interval",
            )
            axes.plot(
                *(weight[index, chosen] * scale, places, "D"),
                color=colour,
                markerfacecolor="white",
                markersize=4,
                label=f"{name}model" + ",\nshrunk by its penalty" * penalized,
            )
        axes.axvline(0, color=GREY, linewidth=1, zorder=1)
        if has_levels:
            _mark_groups(axes, groups, len(lines))
        axes.set_yticks(range(len(lines)), [line.label for line in lines])
        _set_title(axes, has_levels, len(chosen), len(sizes))
        axes.set_xlabel(f"change in {short(', '.join(targets))}")
        axes.legend()


def _set_title(axes: Axes, has_levels: bool, drawn: int, terms: int) -> None:
    largest = f", the {drawn} largest of {terms}" * (drawn < terms)
    if not has_levels:
        axes.set_title(f"Effect of one standard deviation of each feature{largest}")
        return
    title = (
        "Effect of one standard deviation of each number,\nof each level instead of its reference"
    )
    # At the right: long names leave little room above the axes.
    axes.set_title(title + largest, loc="right")


def _mark_groups(axes: Axes, groups: Sequence[Group], lines: int) -> None:
    """Shade every other group, and draw each reference level at 0."""
    axes.set_ylim(-0.6, lines - 0.4)
    top = lines - 0.5
    for index, group in enumerate(groups):
        bottom = top - len(group)
        if index % 2:
            axes.axhspan(bottom, top, color=GREY, alpha=0.1, linewidth=0, zorder=0)
        if group[0].term is None:
            axes.plot(0, top - 0.5, "o", color=GREY, markerfacecolor="white", markersize=5)
        top = bottom
