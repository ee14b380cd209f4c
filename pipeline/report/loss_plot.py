"""Plot of the loss by epoch."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogFormatter, MaxNLocator

from pipeline.report.figure import BLUE, ORANGE, axes_of


def draw(
    path: Path,
    losses: Sequence[float],
    test_losses: Sequence[float] | None,
    name: str,
) -> None:
    """Draw the loss of each epoch on a log scale, also of the rows held out if there are any.

    name: of the losses, such as "mean squared error".
    """
    with axes_of(path) as axes:
        epochs = range(1, len(losses) + 1)
        axes.plot(epochs, losses, color=BLUE, label="training rows")
        if test_losses is not None:
            axes.plot(epochs, test_losses, color=ORANGE, label="rows held out")
            axes.legend()
        # A loss of zero has no place on a log scale.
        positive = [value for value in (*losses, *(test_losses or ())) if value > 0]
        if positive:
            _set_log_scale(axes, min(positive), max(positive))
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.set_title(
            f"Training {name}: {losses[0]:.3g} in epoch 1, {losses[-1]:.3g} in epoch {len(losses)}"
        )
        axes.set_xlabel("epoch")
        axes.set_ylabel(f"{name} before the epoch's update")


def _set_log_scale(axes: Axes, low: float, high: float) -> None:
    axes.set_yscale("log")
    if high >= 10 * low:  # from a power of ten to a power of ten: both ends have a tick
        axes.set_ylim(10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high)))
    # Plain numbers; between the powers of ten only if there are few powers.
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_formatter(LogFormatter(minor_thresholds=(1, 0.5)))
