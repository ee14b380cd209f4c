"""Picture of a sweep: the metric by the key with most numbers, a colour for the other values."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from pipeline.learning.outcomes import Outcome, best_first
from pipeline.pictures import plot_numbers
from pipeline.pictures.figure import COLOURS, DASHES, GREY, axes_of, label
from pipeline.pictures.lettering import short
from pipeline.settings.yaml_values import flow

LARGEST_RATIO_SHOWN_LINEAR = 50
"""Of the largest to the smallest number of an axis; above it the scale is logarithmic."""

SHARE_SHOWN = 0.8
"""Of the configurations: the worst ones would press the others together."""


def draw(path: Path, outcomes: Sequence[Outcome], metric: str) -> None:
    """Draw the metric of each configuration that has it; the best one has a ring."""
    ranked = best_first(outcomes, metric)
    key = _key(ranked)
    title = f"{len(ranked):,} of {len(outcomes):,} configurations; the best has a ring"
    with axes_of(path, title) as axes:
        groups = _groups(ranked, key)
        are_coloured = len(groups) <= len(COLOURS)
        for colour, dash, (name, members) in zip(COLOURS, DASHES, groups.items(), strict=False):
            if are_coloured:
                axes.plot(
                    *_points(members, key, metric),
                    marker=".",
                    linestyle=dash if key else "",
                    color=colour,
                    linewidth=1.0,
                    label=name,
                )
        if not are_coloured:
            axes.plot(*_points(ranked, key, metric), ".", color=GREY)
        if ranked:
            _set_scales(axes, ranked, key, metric)
            best = _points(ranked[:1], key, metric)
            axes.plot(*best, "o", markersize=10, markerfacecolor="none", color="black")
        label(axes, key or "number of the configuration", metric)


def _key(outcomes: Sequence[Outcome]) -> str | None:
    """Return the key with the most different numbers; None if no key has two."""
    counts = {
        key: len({value for each in outcomes if _is_number(value := each.settings[key])})
        for key in (outcomes[0].settings if outcomes else ())
        if all(_is_number(each.settings[key]) for each in outcomes)
    }
    best = max(counts, key=lambda key: counts[key], default=None)
    return best if best is not None and counts[best] > 1 else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _groups(outcomes: Sequence[Outcome], key: str | None) -> dict[str, list[Outcome]]:
    """Return the outcomes by the values of the other keys that vary."""
    groups: dict[str, list[Outcome]] = {}
    varying = {
        name
        for name in (outcomes[0].settings if outcomes else ())
        if name != key and len({flow(each.settings[name]) for each in outcomes}) > 1
    }
    for each in sorted(outcomes, key=lambda each: each.number):
        shown = {name: value for name, value in each.settings.items() if name in varying}
        text = ", ".join(f"{n.rpartition('.')[2]} {flow(value)}" for n, value in shown.items())
        groups.setdefault(short(text, 380), []).append(each)
    return groups


def _points(
    outcomes: Sequence[Outcome], key: str | None, metric: str
) -> tuple[list[float], list[float]]:
    """Return x and y of the points, from left to right."""
    points = sorted((_x(each, key), each.figures[metric]) for each in outcomes)
    return [x for x, _ in points], [y for _, y in points]


def _x(outcome: Outcome, key: str | None) -> float:
    return float(outcome.settings[key]) if key else outcome.number


def _set_scales(axes: Axes, ranked: Sequence[Outcome], key: str | None, metric: str) -> None:
    """Make an axis logarithmic if its numbers are far apart, and show the better ones closely."""
    xs, _ = _points(ranked, key, metric)
    ys = [each.figures[metric] for each in ranked[: max(2, int(SHARE_SHOWN * len(ranked)))]]
    low, high = min(ys), max(ys)
    margin = 0.05 * (high - low) or 0.1 * abs(high) or 1.0
    axes.set_ylim(low - margin, high + margin)
    for numbers, axis, set_scale in (
        (xs, axes.xaxis, axes.set_xscale),
        (ys, axes.yaxis, axes.set_yscale),
    ):
        if min(numbers) > 0 and max(numbers) > LARGEST_RATIO_SHOWN_LINEAR * min(numbers):
            set_scale("log")
            plot_numbers.logarithmic(axis)
            if numbers is ys:
                axes.set_ylim(low / 1.1, high * 1.1)
