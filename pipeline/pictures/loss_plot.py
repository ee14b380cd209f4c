"""Plot of the loss by epoch."""

import math
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogFormatter

from pipeline.pictures import plot_numbers
from pipeline.pictures.figure import BLUE, DASHES, ORANGE, axes_of, label
from pipeline.pictures.plot_numbers import number


def draw(
    path: Path,
    losses: Sequence[float],
    test_losses: Sequence[float] | None,
    name: str,
) -> None:
    """Draw the loss of each epoch on a log scale, also of the rows held out if there are any.

    name: of the losses, such as "mean squared error".
    """
    first, last = number(losses[0], 3), number(losses[-1], 3)
    title = f"Training {name}: {first} in epoch 1, {last} in epoch {len(losses):,}"
    with axes_of(path, title) as axes:
        epochs = range(1, len(losses) + 1)
        both = test_losses is not None
        axes.plot(epochs, losses, color=BLUE, label="training rows" if both else None)
        if test_losses is not None:
            axes.plot(epochs, test_losses, color=ORANGE, ls=DASHES[1], label="rows held out")
        # A loss of zero has no place on a log scale.
        positive = [value for value in (*losses, *(test_losses or ())) if value > 0]
        if positive:
            _set_log_scale(axes, min(positive), max(positive))
        plot_numbers.plain(axes.xaxis, integer=True)
        label(axes, "epoch", f"{name} before the epoch's update")


def _set_log_scale(axes: Axes, low: float, high: float) -> None:
    axes.set_yscale("log")
    if high >= 10 * low:  # from a power of ten to a power of ten: both ends have a tick
        axes.set_ylim(10.0 ** math.floor(math.log10(low)), 10.0 ** math.ceil(math.log10(high)))
    # Plain numbers; between the powers of ten only if there are few powers.
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: number(value)))
    axes.yaxis.set_minor_formatter(_Between(minor_thresholds=(1, 0.5)))


class _Between(LogFormatter):
    """Numbers between the powers of ten, those that matplotlib finds room for."""

    def __call__(self, value: float, pos: int | None = None) -> str:
        return number(value) if super().__call__(value, pos) else ""
