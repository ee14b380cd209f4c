"""The pictures of a fit, as SVG with the same bytes on every machine."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatter, MaxNLocator
from numpy.typing import NDArray

from pipeline import files
from pipeline.table import Table

# Colours that stay apart for colour-blind readers (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN, PINK = COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")

# More points than this are drawn as a sample, evenly spaced through the rows.
POINTS = 2_000


def loss(path: Path, losses: Sequence[float]) -> None:
    """Draw the training loss of each epoch on a log scale."""
    with _figure(path) as axes:
        axes.plot(
            range(1, len(losses) + 1), losses, color=BLUE, marker="." if len(losses) < 3 else ""
        )
        if any(value > 0 for value in losses):  # a loss of zero has no place on a log scale
            axes.set_yscale("log")
            # Plain numbers; between the powers of ten only where there are few of those.
            axes.yaxis.set_major_formatter(LogFormatter())
            axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1, 0.5)))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_title(
            f"Training loss: {losses[0]:.3g} in epoch 1, {losses[-1]:.3g} in epoch {len(losses)}"
        )
        axes.set_xlabel("epoch")
        axes.set_ylabel("loss before the epoch's update")


def fit(
    path: Path,
    rows: Table,
    feature: str,
    targets: Sequence[str],
    queries: NDArray[np.float64],
    predict: Callable[[NDArray[np.float64]], NDArray[np.float64]],
) -> None:
    """Draw the training points, the fitted curve and the answers, over the one feature.

    queries: [queries, 1]. predict: the model's answers, x [rows, 1] to y [rows, targets].
    """
    x = rows.columns([feature])
    sample = np.unique(np.linspace(0, len(x) - 1, min(len(x), POINTS)).round().astype(int))
    ends = np.vstack([x, queries])
    line = np.linspace(ends.min(), ends.max(), 200)[:, None]
    curves, answers = predict(line), predict(queries)
    with _figure(path) as axes:
        # More lines than colours would say nothing.
        for index, (target, colour) in enumerate(zip(targets, COLOURS, strict=False)):
            name = f"target {_cut(target)}: " if len(targets) > 1 else ""
            y = rows.columns([target])
            axes.plot(x[sample], y[sample], "o", color=colour, label=f"{name}training rows")
            axes.plot(line, curves[:, index], color=colour, label=f"{name}fit", zorder=1)
            if len(queries):
                axes.plot(
                    *(queries, answers[:, index], "D"),
                    color=colour,
                    markerfacecolor="white",
                    label=f"{name}queries",
                )
        for query, answer in zip(queries[:5, 0], answers[:5, 0], strict=True):
            axes.annotate(
                f"{answer:.4g}", (query, answer), (-8, 4), textcoords="offset points", ha="right"
            )
        drawn = _cut(", ".join(targets))
        axes.set_title(f"{drawn} over {_cut(feature)}")
        axes.set_xlabel(_cut(feature))
        axes.set_ylabel(drawn)
        axes.legend()


def _cut(text: str, longest: int = 30) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


@contextmanager
def _figure(path: Path) -> Iterator[Axes]:
    """Axes to draw on; saved as SVG at `path` when the block ends."""
    # Built-in settings, not the user's matplotlibrc: a style sheet must not change the bytes.
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["svg.hashsalt"] = "abline"
        mpl.rcParams["text.parse_math"] = False  # a column may be called price_$
        figure = Figure(figsize=(6.4, 4), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
        yield axes
        with files.whole(path) as partial:
            figure.savefig(partial, format="svg", metadata={"Date": None})
