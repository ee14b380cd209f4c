"""Style of the plots: colours, axes, and SVG files with the same bytes on every machine.

A figure is as wide as the reports that show it. Its title is above it and its legend below, outside
of the axes: they hide no row.
"""

import io
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import matplotlib as mpl
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from pipeline.pictures import lettering, plot_numbers, svg_file
from pipeline.settings import files

# Colours that colour-blind readers can tell apart (Okabe and Ito, 2008). In grey print two of them
# may look alike: lines differ in their dashes and points in their shapes, too.
BLUE, ORANGE, GREEN, PINK = COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
GREY, INK = "#888888", "#222222"

MOST_TARGETS = 4
"""Further targets are not drawn, and the title says so."""

WIDTH = 6.4
"""Of a figure, in inches."""
ROOM = WIDTH * 72 - 12
"""Points between the margins of a figure."""
BESIDE_A_NAME = 44.0
"""Points of a legend beside each name: its line, and the space to the next one."""


@contextmanager
def figure_of(path: Path, title: str = "", height: float = 4) -> Iterator[Figure]:
    """Yield a figure to draw on; save it as SVG at `path` when the block ends.

    title: what the plot shows, on as many lines as it needs. height: in inches.
    """
    # Built-in settings, not the user's matplotlibrc: a style sheet must not change the bytes.
    with lettering.readable(), warnings.catch_warnings():
        mpl.rcParams |= {
            "svg.hashsalt": "abline",
            "font.size": lettering.SIZE,
            "xtick.labelsize": lettering.SMALL,
            "ytick.labelsize": lettering.SMALL,
            "legend.fontsize": lettering.SMALL,
            "axes.titlesize": lettering.SIZE,
            "axes.edgecolor": GREY,
            "axes.labelcolor": INK,
            "text.color": INK,
        }
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        FigureCanvasSVG(figure)
        if title:
            above = lettering.lines(title, ROOM, lettering.TITLE)
            figure.suptitle(above, x=0.01, ha="left", fontsize=lettering.TITLE)
        yield figure
        settle(figure)
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None})
        files.write_bytes(path, svg_file.compact(svg.getvalue()).encode())


@contextmanager
def axes_of(path: Path, title: str = "", height: float = 4) -> Iterator[Axes]:
    """Yield the axes of a figure with one plot; save it as `figure_of` does, with a legend."""
    with figure_of(path, title, height) as figure:
        axes = plain(figure.add_subplot())
        yield axes
        add_legend([axes])


@contextmanager
def panels_of(path: Path, title: str, targets: Sequence[str]) -> Iterator[list[Axes]]:
    """Yield axes for each target, at most four: their units differ. Saved as by `axes_of`."""
    count = min(len(targets), MOST_TARGETS)
    rows = (count + 1) // 2
    height = 4 if count == 1 else 2.9 * rows + 0.8
    with figure_of(path, title + first_of(targets), height) as figure:
        panels = [plain(figure.add_subplot(rows, min(count, 2), n + 1)) for n in range(count)]
        yield panels
        add_legend(panels)


def first_of(targets: Sequence[str]) -> str:
    """Return the end of a title: how many targets are drawn, if not all are."""
    if len(targets) <= MOST_TARGETS:
        return ""
    return f" (the first {MOST_TARGETS} of {len(targets)} targets)"


def plain(axes: Axes) -> Axes:
    """Return the axes in the style of all plots: without a frame, with a pale grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    axes.tick_params(color=GREY, labelcolor=INK)
    for axis in (axes.xaxis, axes.yaxis):
        plot_numbers.plain(axis)
    return axes


def label(axes: Axes, x: str | None = None, y: str | None = None) -> None:
    """Name the axes; `settle` cuts a name that is longer than its axis in its middle.

    A line end in a name of the pipeline's own is one in the label.
    """
    if x is not None:
        axes.set_xlabel(x)
    if y is not None:
        axes.set_ylabel(y)


def settle(figure: Figure) -> None:
    """Give everything its final place, which nothing that is drawn later moves."""
    engine = figure.get_layout_engine()
    if engine is None:
        return
    axis_of = [axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)]
    names = [axis.label.get_text() for axis in axis_of]
    for name, axis in zip(names, axis_of, strict=True):
        # As high as the name; a wide one would make its axes narrow.
        axis.label.set_text("\n".join("x" for _ in name.split("\n")) if name else "")
    engine.execute(figure)
    figure.set_layout_engine("none")
    for name, axis in zip(names, axis_of, strict=True):
        box = axis.axes.bbox
        most = (box.width if axis is axis.axes.xaxis else box.height) * 72 / figure.dpi
        lines = [lettering.short(line, most, lettering.SIZE) for line in name.split("\n")]
        axis.label.set_text("\n".join(lines))


def add_legend(axes: Sequence[Axes], title: str | None = None, *, is_above: bool = False) -> None:
    """Draw one legend of all axes, unless their figure has one there, in as many columns as fit.

    It is below their figure, or above it.
    """
    figure = axes[0].get_figure()
    assert figure is not None
    entries: dict[str, Artist] = {}
    for each in axes:
        for handle, text in zip(*each.get_legend_handles_labels(), strict=True):
            entries.setdefault(lettering.short(text, ROOM - 40), handle)
    place: Literal["outside upper center", "outside lower center"]
    place = "outside upper center" if is_above else "outside lower center"
    if not entries or place in (each.get_label() for each in figure.legends):
        return
    beside = [lettering.width(text) + BESIDE_A_NAME for text in entries]
    columns = len(entries) if sum(beside) <= ROOM else max(1, int(ROOM / max(beside)))
    legend = figure.legend(
        list(entries.values()),
        list(entries),
        loc=place,
        ncols=columns,
        frameon=False,
        title=title and lettering.short(title, ROOM - 40, lettering.SIZE),
    )
    legend.set_label(place)
