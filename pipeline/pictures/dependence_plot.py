"""Picture of the partial dependence: a panel for each of the most important columns."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from pipeline.measures.partial_dependence import Dependence
from pipeline.pictures.figure import BLUE, COLOURS, GREY, figure_of, plain
from pipeline.pictures.lettering import short

MOST_ROWS_DRAWN = 25
"""Rows with a curve of their own."""
PANELS_BESIDE = 2
LEVEL_POINTS = 60.0
"""Length of a level's name under an axis."""
TITLE = "Mean prediction as one column changes, the others as they are"


def draw(path: Path, curves: Sequence[Dependence], targets: Sequence[str]) -> None:
    """Draw the mean prediction over the values of each column; all panels have the same scale.

    With one target some rows' own curves lie behind it. Ticks at the bottom are rows.
    """
    lines = -(-len(curves) // PANELS_BESIDE)
    with figure_of(path, TITLE, height=2.4 * lines + 0.7) as figure:
        beside = min(PANELS_BESIDE, len(curves))
        panels = figure.subplots(lines, beside, sharey=True, squeeze=False).ravel()
        for axes, curve in zip(panels, curves, strict=False):
            _draw_panel(plain(axes), curve, targets)
        for axes in panels[len(curves) :]:
            axes.set_axis_off()
        for axes in panels[::beside]:
            axes.set_ylabel(short(", ".join(targets), 130.0))
        if len(targets) > 1:
            panels[0].legend()


def _draw_panel(axes: Axes, curve: Dependence, targets: Sequence[str]) -> None:
    is_text = curve.kind == "category"
    x = np.arange(len(curve.values)) if is_text else curve.values
    style = "o" if is_text else "-"
    if len(targets) == 1:
        places = np.linspace(0, curve.rows.shape[1] - 1, MOST_ROWS_DRAWN).round().astype(int)
        for row in np.unique(places):
            axes.plot(x, curve.rows[:, row], color=GREY, linewidth=0.6, alpha=0.35)
    for index, (target, colour) in enumerate(zip(targets, COLOURS, strict=False)):
        axes.plot(*(x, curve.mean[:, index], style), color=colour, linewidth=2, label=short(target))
    if is_text:
        names = [short(str(level) or "(missing)", LEVEL_POINTS) for level in curve.values]
        axes.set_xticks(x, names, rotation=30, ha="right", fontsize="small")
        axes.set_xlim(-0.5, len(x) - 0.5)
    else:
        at_bottom = np.zeros(len(curve.rows_at))
        bottom = axes.get_xaxis_transform()
        axes.plot(
            *(curve.rows_at, at_bottom, "|"), transform=bottom, color=BLUE, alpha=0.3, markersize=8
        )
    if curve.kind == "date":
        locator = AutoDateLocator(maxticks=6)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_locator(locator)
        form = ConciseDateFormatter(locator)  # type: ignore[no-untyped-call]
        axes.xaxis.set_major_formatter(form)
    axes.set_xlabel(short(curve.name))
    sign = "−" if curve.importance < 0 else "+"
    axes.set_title(f"shuffled: error {sign}{abs(curve.importance):.3g}", fontsize="small")
