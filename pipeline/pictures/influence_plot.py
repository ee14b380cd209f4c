"""Plot of the rows that pull the model most: leverage against studentized residual."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from pipeline.pictures import point_labels
from pipeline.pictures.figure import BLUE, DASHES, GREY, add_legend, label, panels_of
from pipeline.pictures.lettering import short
from pipeline.settings import csv_cells

COOKS_DISTANCES = (0.5, 1.0)
"""Cook and Weisberg (1982): a row beyond 0.5 is worth a look, one beyond 1 changes the result."""

MOST_NAMED = 8
"""Rows with their number, for each target; the names of more would lie over the points."""

SMALLEST_AREA, LARGEST_AREA = 12.0, 220.0
"""Square points of a bubble."""


class InfluentialRow(NamedTuple):
    """A row of reports/influence.csv. number: of the row in its file."""

    number: int
    leverage: float
    residual: float
    """Studentized, without the row itself in the estimate of the variance."""
    cooks_distance: float
    file: str = ""
    """Of the source; empty if the rows were made."""


def draw(
    path: Path,
    rows: Mapping[str, Sequence[InfluentialRow]],
    training_rows: int,
    terms: int,
) -> None:
    """Draw the most influential rows of each target as bubbles, whose areas are Cook's distances.

    rows: by target. terms: coefficients of the fit, the intercept included.
    """
    targets = list(rows)
    title = f"Rows that pull the least-squares fit most, of {training_rows:,}: the bigger, the more"
    files = {row.file for each in rows.values() for row in each}
    with panels_of(path, title, targets) as panels:
        for axes, target in zip(panels, targets, strict=False):
            _draw_rows(axes, rows[target], training_rows, terms)
            label(axes, "leverage", f"studentized residual of {target}")
        add_legend(panels)  # the places of points are final then
        for axes, target in zip(panels, targets, strict=False):
            ranked = sorted(rows[target], key=lambda row: -row.cooks_distance)
            point_labels.draw(
                axes,
                [
                    (row.leverage, row.residual, _name(row, in_files=len(files) > 1))
                    for row in ranked[:MOST_NAMED]
                ],
                [(row.leverage, row.residual) for row in ranked[MOST_NAMED:]],
            )


def _draw_rows(axes: Axes, rows: Sequence[InfluentialRow], training_rows: int, terms: int) -> None:
    leverage = np.array([row.leverage for row in rows])
    residual = np.array([row.residual for row in rows])
    cooks = np.array([row.cooks_distance for row in rows])
    largest = max(float(cooks.max(initial=0)), 1e-300)
    area = np.maximum(SMALLEST_AREA, LARGEST_AREA * cooks / largest)
    axes.scatter(leverage, residual, area, color=BLUE, alpha=0.5, linewidth=0)
    axes.axhline(0, color=GREY, linewidth=1, zorder=1)
    # Room for bubbles and names; the curves below do not widen the axes.
    width = float(np.ptp(leverage)) or float(leverage.max(initial=0)) or 1.0
    low, high = max(0.0, leverage.min() - 0.15 * width), min(1.0, leverage.max() + 0.25 * width)
    axes.set_xlim(low, high)
    top = 1.25 * max(2.0, float(np.abs(residual).max(initial=0)))
    axes.set_ylim(-top, top)
    grid = np.linspace(max(low, 1e-6 * high), min(high, 1 - 1e-9), 200)
    for distance, dashes in zip(COOKS_DISTANCES, (DASHES[2], DASHES[1]), strict=True):
        curve = studentized(distance, grid, training_rows, terms)
        if not (curve < top).any():
            continue
        name = f"Cook's distance {distance:g}"
        for side in (curve, -curve):
            line = Line2D(
                *(grid, side), linewidth=1.2, linestyle=dashes, color=GREY, zorder=1, label=name
            )
            axes.add_line(line)


def _name(row: InfluentialRow, *, in_files: bool) -> str:
    """Return "row 12", or with its file if there are several: "flats-2: row 12"."""
    file = f"{short(Path(row.file).stem, 60)}: " if in_files else ""
    return f"{file}row {row.number:,}"


def studentized(
    distance: float, leverage: NDArray[np.float64], rows: int, terms: int
) -> NDArray[np.float64]:
    """Return the studentized residual that has this Cook's distance; infinite where none has.

    With r the residual studentized with all rows, Cook's distance is r²·h / (p·(1 − h)), and that
    without the row is r·√((n − p − 1) / (n − p − r²)).
    """
    squared = distance * terms * (1 - leverage) / leverage
    left = rows - terms - squared
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.sqrt(squared * (rows - terms - 1) / left)
    return np.where(left > 0, value, np.inf)


def read(path: Path) -> dict[str, list[InfluentialRow]]:
    """Return the rows of reports/influence.csv by target, except those without Cook's distance.

    A row whose leverage is 1 has none: the fit goes through it, whatever its target is.
    """
    rows: dict[str, list[InfluentialRow]] = {}
    for row in csv_cells.read_csv(path):
        figures = (row["leverage"], row["studentized_residual"], row["cooks_distance"])
        if all(figures) and all(math.isfinite(float(each)) for each in figures):
            leverage, residual, cooks = map(float, figures)
            named = InfluentialRow(int(row["row"]), leverage, residual, cooks, row["file"])
            rows.setdefault(row["target"], []).append(named)
    return rows
