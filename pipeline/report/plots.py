"""The pictures of a fit, as SVG with the same bytes on every machine."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogFormatter, MaxNLocator
from numpy.typing import NDArray

from pipeline.settings import files

if TYPE_CHECKING:
    from pipeline.exact.least_squares import Fit

# Colours that stay apart for colour-blind readers (Okabe and Ito, 2008).
BLUE, ORANGE, GREEN, PINK = COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7")

# More points than this are drawn as a sample, evenly spaced through the rows.
POINTS = 2_000

# Of fewer rows than this, a picture of the error of each is as good as empty.
ENOUGH = 10

# So many coefficients can be read; of more, the largest are drawn.
TERMS = 40

GREY = "#888888"

Function = Callable[[NDArray[np.float64]], NDArray[np.float64]]
"""From x [rows, features] to y [rows, targets]."""

_DOTS: dict[str, Any] = {"markersize": 4, "alpha": 0.6, "markeredgewidth": 1}


@dataclass(frozen=True)
class Points:
    """Rows of a table as the plots show them."""

    actual: NDArray[np.float64]
    """[rows, targets]"""
    predicted: NDArray[np.float64]
    """[rows, targets]"""

    def sample(self) -> "Points":
        """At most POINTS of the rows, evenly spaced."""
        rows = _sample(len(self.actual))
        return Points(self.actual[rows], self.predicted[rows])


def _sample(rows: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, rows - 1, min(rows, POINTS)).round().astype(int))


def loss(
    path: Path, losses: Sequence[float], held_out: Sequence[float] | None, per_error: bool
) -> None:
    """Draw the loss of each epoch on a log scale, and that of the rows held out.

    per_error: whether the losses are means, where the job's are sums.
    """
    name = "mean squared error" if per_error else "loss"
    with _figure(path) as axes:
        epochs = range(1, len(losses) + 1)
        axes.plot(epochs, losses, color=BLUE, label="training rows")
        if held_out is not None:
            axes.plot(epochs, held_out, color=ORANGE, label="rows held out")
            axes.legend()
        positive = [value for value in (*losses, *(held_out or ())) if value > 0]
        if positive:  # a loss of zero has no place on a log scale
            axes.set_yscale("log")
            low, high = min(positive), max(positive)
            if high >= 10 * low:  # from a power of ten to a power of ten, and both have a tick
                axes.set_ylim(
                    10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high))
                )
            # Plain numbers; between the powers of ten only where there are few of those.
            axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1, 0.5)))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.set_title(
            f"Training {name}: {losses[0]:.3g} in epoch 1, {losses[-1]:.3g} in epoch {len(losses)}"
        )
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"{name} before the epoch's update")


def predicted_and_actual(path: Path, points: Mapping[str, Points], targets: Sequence[str]) -> None:
    """Draw what was predicted over what is: a good fit lies along the diagonal."""
    with _figure(path) as axes:
        for label, colour, marker, rows, index in _clouds(points, targets):
            axes.plot(
                *(rows.actual[:, index], rows.predicted[:, index], marker),
                color=colour,
                label=label,
                **_DOTS,
            )
        low = min(axes.get_xlim()[0], axes.get_ylim()[0])
        high = max(axes.get_xlim()[1], axes.get_ylim()[1])
        axes.plot([low, high], [low, high], color=GREY, linewidth=1, zorder=1)
        axes.set_title("Predicted against actual")
        axes.set_xlabel(f"actual {_cut(', '.join(targets))}")
        axes.set_ylabel("predicted")
        axes.legend()


def residuals(path: Path, points: Mapping[str, Points], targets: Sequence[str]) -> None:
    """Draw the errors over the predictions: a curve or a funnel says what the line has missed."""
    with _figure(path) as axes:
        for label, colour, marker, rows, index in _clouds(points, targets):
            predicted = rows.predicted[:, index]
            axes.plot(
                *(predicted, rows.actual[:, index] - predicted, marker),
                color=colour,
                label=label,
                **_DOTS,
            )
        axes.axhline(0, color=GREY, linewidth=1, zorder=1)
        axes.set_title("Residuals against predicted")
        axes.set_xlabel(f"predicted {_cut(', '.join(targets))}")
        axes.set_ylabel("residual: actual − predicted")
        axes.legend()


def quantiles(path: Path, points: Mapping[str, Points], targets: Sequence[str]) -> None:
    """Draw the residuals' quantiles over those of a normal distribution.

    Each is divided by the root mean square of its kind. Normal errors lie along the diagonal; t, p
    and the intervals in coefficients.csv take them for such.
    """
    with _figure(path) as axes:
        ends = [0.0]
        for label, colour, marker, rows, index in _clouds(points, targets):
            errors = np.sort(rows.actual[:, index] - rows.predicted[:, index])
            scale = np.sqrt(np.mean(errors**2))
            errors = errors / scale if scale > 0 else errors
            # Plotting positions of Hazen: (k − 1/2) / n.
            normal = [NormalDist().inv_cdf((k + 0.5) / len(errors)) for k in range(len(errors))]
            axes.plot(normal, errors, marker, color=colour, label=label, **_DOTS)
            ends += [normal[0], normal[-1]]
        axes.plot(*[[min(ends), max(ends)]] * 2, color=GREY, linewidth=1, zorder=1)
        axes.set_title("Residuals' quantiles against a normal distribution's")
        axes.set_xlabel("normal quantile")
        axes.set_ylabel("residual / root mean square")
        axes.legend()


def coefficients(
    path: Path, reference: "Fit", weight: NDArray[np.float64], deviations: NDArray[np.float64]
) -> None:
    """Draw what a change of one standard deviation in each feature does to the target.

    The reference with its 95 % interval, and what ships. Per deviation, so that features in
    different units can stand side by side; of many, those with the largest effect.
    weight: [targets, features], what ships; deviations: [features].
    """
    targets = reference.targets[: len(COLOURS)]
    effect = np.abs(reference.weight * deviations).max(axis=0)
    chosen = np.sort(np.argsort(-effect, kind="stable")[:TERMS])[::-1]
    height = max(4.0, 0.22 * len(chosen) * len(targets) + 1.2)
    with _figure(path, height) as axes:
        for index, (target, colour) in enumerate(zip(targets, COLOURS, strict=False)):
            name = f"{_cut(target)}: " if len(targets) > 1 else ""
            places = np.arange(len(chosen)) + (index + 1) / (len(targets) + 1) - 0.5
            scale = deviations[chosen]
            low = reference.ci_low[index, chosen] * scale
            high = reference.ci_high[index, chosen] * scale
            axes.hlines(places, low, high, color=colour, linewidth=3, alpha=0.4)
            best = reference.weight[index, chosen] * scale
            axes.plot(
                *(best, places, "|"),
                color=colour,
                markersize=10,
                label=f"{name}least squares,\n95 % interval",
            )
            axes.plot(
                *(weight[index, chosen] * scale, places, "D"),
                color=colour,
                markerfacecolor="white",
                markersize=4,
                label=f"{name}what ships",
            )
        axes.axvline(0, color=GREY, linewidth=1, zorder=1)
        axes.set_yticks(range(len(chosen)), [_cut(reference.features[place]) for place in chosen])
        shown = f"the {len(chosen)} largest of {len(effect)}" if len(chosen) < len(effect) else ""
        axes.set_title(
            "Effect of one standard deviation of each feature" + (f", {shown}" if shown else "")
        )
        axes.set_xlabel(f"change in {_cut(', '.join(targets))}")
        axes.legend()


def _clouds(
    points: Mapping[str, Points], targets: Sequence[str]
) -> Iterator[tuple[str, str, str, Points, int]]:
    """Label, colour, marker, rows and index of the target of each cloud of points to draw."""
    for (name, part), marker in zip(points.items(), ("o", "x"), strict=False):
        rows = part.sample()
        # More targets than colours would say nothing.
        for index, (target, colour) in enumerate(zip(targets, COLOURS, strict=False)):
            one = len(targets) == 1
            label = name if one else f"{_cut(target)}: {name}"
            yield label, ORANGE if one and marker == "x" else colour, marker, rows, index


def fit(
    path: Path,
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    feature: str,
    targets: Sequence[str],
    queries: NDArray[np.float64],
    predict: Function,
    truth: Function | None = None,
) -> None:
    """Draw the training points, the fitted curve and the answers, over the one feature.

    x: [rows, 1]; y: [rows, targets]; queries: [queries, 1]. predict: the model's answers. truth:
    the line that made the table, where that is known; it and the right answers are drawn too.
    """
    sample = _sample(len(x))
    ends = np.vstack([x, queries])
    line = np.linspace(ends.min(), ends.max(), 200)[:, None]
    curves, answers = predict(line), predict(queries)
    with _figure(path) as axes:
        # More lines than colours would say nothing.
        for index, (target, colour) in enumerate(zip(targets, COLOURS, strict=False)):
            name = f"target {_cut(target)}: " if len(targets) > 1 else ""
            axes.plot(x[sample], y[sample, index], "o", color=colour, label=f"{name}training rows")
            axes.plot(line, curves[:, index], color=colour, label=f"{name}fit", zorder=1)
            if len(queries):
                axes.plot(
                    *(queries, answers[:, index], "D"),
                    color=colour,
                    markerfacecolor="white",
                    label=f"{name}queries",
                )
        if truth:
            right = truth(queries)[:, : len(COLOURS)]
            dashed = axes.plot(line, truth(line)[:, : len(COLOURS)], "--", color=GREY, zorder=1)
            dashed[0].set_label(_equation(truth, feature, targets))
            axes.plot(queries, right, "x", color=GREY)
            _annotate(axes, queries, right, (-8, 4), "right")
        place = ((8, -8), "left") if truth else ((-8, 4), "right")
        _annotate(axes, queries, answers, *place)
        drawn = _cut(", ".join(targets))
        axes.set_title(f"{drawn} over {_cut(feature)}")
        axes.set_xlabel(_cut(feature))
        axes.set_ylabel(drawn)
        axes.legend()


def _equation(truth: Function, feature: str, targets: Sequence[str]) -> str:
    """The line that made the table, in a legend: "truth: y = 2·x + 1"."""
    if len(targets) > 1:
        return "truth"
    offset, one = truth(np.array([[0.0], [1.0]]))[:, 0]
    tail = f" {'+' if offset > 0 else '−'} {abs(offset):g}" if offset else ""
    return f"truth: {_cut(targets[0])} = {one - offset:g}·{_cut(feature)}{tail}"


def _annotate(
    axes: Axes,
    queries: NDArray[np.float64],
    answers: NDArray[np.float64],
    offset: tuple[float, float],
    side: str,
) -> None:
    """Write the first target's answers beside their points, of a few queries only."""
    for query, answer in zip(queries[:5, 0], answers[:5, 0], strict=True):
        axes.annotate(f"{answer:.4g}", (query, answer), offset, textcoords="offset points", ha=side)


def _cut(text: str, longest: int = 30) -> str:
    return text if len(text) <= longest else f"{text[:longest]}…"


@contextmanager
def _figure(path: Path, height: float = 4) -> Iterator[Axes]:
    """Axes to draw on; saved as SVG at `path` when the block ends."""
    # Built-in settings, not the user's matplotlibrc: a style sheet must not change the bytes.
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["svg.hashsalt"] = "abline"
        mpl.rcParams["text.parse_math"] = False  # a column may be called price_$
        figure = Figure(figsize=(6.4, height), layout="constrained")
        FigureCanvasSVG(figure)
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(alpha=0.3)
        yield axes
        with files.whole(path) as partial:
            figure.savefig(partial, format="svg", metadata={"Date": None})
