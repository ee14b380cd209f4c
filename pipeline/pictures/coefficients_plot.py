"""Plot of the coefficients beside the reference's 95 % intervals."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from pipeline.columns.plan import Plan
from pipeline.exact.least_squares import Fit
from pipeline.pictures import effects
from pipeline.pictures.effects import Group
from pipeline.pictures.figure import (
    BLUE,
    GREY,
    MOST_TARGETS,
    ORANGE,
    add_legend,
    figure_of,
    first_of,
    label,
    plain,
)

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
    targets = reference.targets[:MOST_TARGETS]
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
    has_levels = any(len(group) > 1 for group in groups)
    title = _title(has_levels, len(chosen), len(sizes)) + first_of(reference.targets)
    with figure_of(path, title, max(2.6, 0.23 * len(lines) + 1.7)) as figure:
        panels = figure.subplots(1, len(targets), sharey=True, squeeze=False)[0]
        for index, (axes, target) in enumerate(
            zip(panels, plan.on_fitted_scale(targets), strict=True)
        ):
            _draw_effects(plain(axes), heights, reference, weight, index, chosen, change, penalized)
            axes.axvline(0, color=GREY, linewidth=1, zorder=1)
            if has_levels:
                _mark_groups(axes, groups, len(lines))
            label(axes, f"change in {target}" if len(targets) < 3 else target)
        panels[0].set_ylim(-0.6, len(lines) - 0.4)
        panels[0].set_yticks(range(len(lines)), [line.label for line in lines])
        add_legend(panels)


def _draw_effects(
    axes: Axes,
    heights: NDArray[np.int64],
    reference: Fit,
    weight: NDArray[np.float64],
    target: int,
    chosen: NDArray[np.int64],
    change: NDArray[np.float64],
    penalized: bool,
) -> None:
    """Draw the effects on one target: of the least-squares solution, and of the model."""
    scale = change[chosen]
    low = reference.ci_low[target, chosen] * scale
    high = reference.ci_high[target, chosen] * scale
    axes.hlines(heights, low, high, color=BLUE, linewidth=3, alpha=0.4)
    axes.plot(
        *(reference.weight[target, chosen] * scale, heights, "|"),
        color=BLUE,
        markersize=9,
        label="least squares, 95 % interval",
    )
    axes.plot(
        *(weight[target, chosen] * scale, heights, "D"),
        color=ORANGE,
        markerfacecolor="white",
        markersize=3.5,
        label="model" + ", shrunk by its penalty" * penalized,
    )


def _title(has_levels: bool, drawn: int, terms: int) -> str:
    largest = f", the {drawn} largest of {terms}" * (drawn < terms)
    each = "number, of each level instead of its reference" if has_levels else "feature"
    return f"Effect of one standard deviation of each {each}{largest}"


def _mark_groups(axes: Axes, groups: Sequence[Group], lines: int) -> None:
    """Shade every other group, and draw each reference level at 0."""
    top = lines - 0.5
    for index, group in enumerate(groups):
        bottom = top - len(group)
        if index % 2:
            axes.axhspan(bottom, top, color=GREY, alpha=0.1, linewidth=0, zorder=0)
        if group[0].term is None:
            axes.plot(0, top - 0.5, "o", color=GREY, markerfacecolor="white", markersize=5)
        top = bottom
