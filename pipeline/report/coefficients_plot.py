"""Plot of the coefficients beside the reference's 95 % intervals."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.least_squares import Fit
from pipeline.report.figure import COLOURS, GREY, axes_of, short

MOST_FEATURES_DRAWN = 40
"""More names could not be read. Of more features, the largest effects are drawn."""


def draw(
    path: Path, reference: Fit, weight: NDArray[np.float64], deviations: NDArray[np.float64]
) -> None:
    """Draw the effect on the target of a change of one standard deviation in each feature.

    Coefficients of features in different units cannot be compared; these effects can. The
    reference is drawn with its 95 % interval, and the model beside it.
    weight: of the model, [targets, features]; deviations: [features].
    """
    targets = reference.targets[: len(COLOURS)]
    effect = np.abs(reference.weight * deviations).max(axis=0)
    chosen = np.sort(np.argsort(-effect, kind="stable")[:MOST_FEATURES_DRAWN])[::-1]
    height = max(4.0, 0.22 * len(chosen) * len(targets) + 1.2)
    scale = deviations[chosen]
    with axes_of(path, height) as axes:
        for index, (target, colour) in enumerate(zip(targets, COLOURS, strict=False)):
            name = f"{short(target)}: " if len(targets) > 1 else ""
            heights = np.arange(len(chosen)) + (index + 1) / (len(targets) + 1) - 0.5
            low = reference.ci_low[index, chosen] * scale
            high = reference.ci_high[index, chosen] * scale
            axes.hlines(heights, low, high, color=colour, linewidth=3, alpha=0.4)
            axes.plot(
                *(reference.weight[index, chosen] * scale, heights, "|"),
                color=colour,
                markersize=10,
                label=f"{name}least squares,\n95 % interval",
            )
            axes.plot(
                *(weight[index, chosen] * scale, heights, "D"),
                color=colour,
                markerfacecolor="white",
                markersize=4,
                label=f"{name}model",
            )
        axes.axvline(0, color=GREY, linewidth=1, zorder=1)
        axes.set_yticks(range(len(chosen)), [short(reference.features[place]) for place in chosen])
        left_out = f", the {len(chosen)} largest of {len(effect)}"
        axes.set_title(
            "Effect of one standard deviation of each feature"
            + left_out * (len(chosen) < len(effect))
        )
        axes.set_xlabel(f"change in {short(', '.join(targets))}")
        axes.legend()
