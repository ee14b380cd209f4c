"""Style of the plots: colours, axes, and SVG files with the same bytes on every machine."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from numpy.typing import NDArray

from pipeline.settings import files

# Colours that colour-blind readers can tell apart (Okabe and Ito, 2008), one for each target.
# Further targets are not drawn: more colours could not be told apart.
BLUE, ORANGE, GREEN, PINK = COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")
GREY = "#888888"

WIDTH = 6.4
"""Of a figure, in inches."""
MOST_POINTS_DRAWN = 2_000
"""More rows are drawn as a sample."""


@contextmanager
def figure_of(path: Path, height: float = 4, width: float = WIDTH) -> Iterator[Figure]:
    """Yield a figure to draw on; save it as SVG at `path` when the block ends.

    height, width: in inches.
    """
    # Built-in settings, not the user's matplotlibrc: a style sheet must not change the bytes.
    with mpl.rc_context(), warnings.catch_warnings():
        # It says so when a legend took a second, as it does on any busy machine.
        warnings.filterwarnings("ignore", 'Creating legend with loc="best" can be slow')
        mpl.rcdefaults()
        mpl.rcParams["svg.hashsalt"] = "abline"
        mpl.rcParams["text.parse_math"] = False  # a column may be called price_$
        figure = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasSVG(figure)
        yield figure
        with files.whole(path) as partial:
            figure.savefig(partial, format="svg", metadata={"Date": None})


@contextmanager
def axes_of(path: Path, height: float = 4, width: float = WIDTH) -> Iterator[Axes]:
    """Yield the axes of a figure with one plot; save it as `figure_of` does."""
    with figure_of(path, height, width) as figure:
        yield plain(figure.add_subplot())


def plain(axes: Axes) -> Axes:
    """Return the axes in the style of all plots: without a frame, with a pale grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(alpha=0.3)
    return axes


def evenly_spaced(rows: int) -> NDArray[np.int64]:
    """Return the indices of the rows to draw. rows: number of rows to choose from."""
    count = min(rows, MOST_POINTS_DRAWN)
    return np.unique(np.linspace(0, rows - 1, count).round().astype(int))


def short(text: str, longest: int = 30) -> str:
    """Return `text`, cut to the length that a label has room for."""
    return text if len(text) <= longest else f"{text[:longest]}…"
