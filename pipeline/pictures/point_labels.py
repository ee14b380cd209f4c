"""Labels beside points: each where it covers no other label and no other point, or left out."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pipeline.pictures.figure import settle
from pipeline.pictures.lettering import SMALL, width

DISTANCE = 5.0
"""Points between a label and its point."""
APART = 9.0
"""Points between a label and other labelled points: it shall not be taken for theirs."""
CLEAR = 3.0
"""Points between a label and points that have none."""
SIDES = ((1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1))
"""Directions from a point to its label, in the order in which they are tried."""

Box = tuple[float, float, float, float]
Labelled = tuple[float, float, str]


def draw(
    axes: Axes,
    labelled: Sequence[Labelled],
    others: Sequence[tuple[float, float]] = (),
    *,
    over_others: bool = False,
) -> None:
    """Draw texts beside their points, the first ones first. others: points without a text.

    over_others: where there is no free place, a text may cover such points. Called when everything
    else of the figure is drawn, its legend too: the places of points are final then.
    """
    figure = axes.get_figure(root=True)
    assert isinstance(figure, Figure)
    settle(figure)
    places = [_place(axes, x, y) for x, y, _ in labelled]
    rest = [_around(_place(axes, *each), CLEAR) for each in others]
    taken: list[Box] = []
    for (x, y, text), place in zip(labelled, places, strict=True):
        named = [_around(each, APART) for each in places if each != place]
        free = _free_side(axes, place, text, [*taken, *named, *rest])
        if free is None and over_others:
            free = _free_side(axes, place, text, [*taken, *named])
        if free is not None:
            side, box = free
            taken.append(box)
            _write(axes, text, (x, y), side)


def _free_side(
    axes: Axes, place: tuple[float, float], text: str, taken: Sequence[Box]
) -> tuple[tuple[int, int], Box] | None:
    """Return the first side of a point where its text covers nothing, and the text's box."""
    left, bottom, right, top = (side * _scale(axes) for side in axes.bbox.extents)
    for across, up in SIDES:
        box = _box(place[0] + across * DISTANCE, place[1] + up * DISTANCE, across, up, width(text))
        is_inside = box[0] >= left and box[1] >= bottom and box[2] <= right and box[3] <= top
        if is_inside and not any(_overlap(box, other) for other in taken):
            return (across, up), box
    return None


def _write(axes: Axes, text: str, point: tuple[float, float], side: tuple[int, int]) -> None:
    across, up = side
    axes.annotate(
        text,
        point,
        (across * DISTANCE, up * DISTANCE),
        textcoords="offset points",
        ha=("right", "center", "left")[across + 1],
        va=("top", "center", "bottom")[up + 1],
        fontsize=SMALL,
        bbox={"facecolor": "white", "alpha": 0.7, "linewidth": 0, "pad": 0.5},
    )


def _scale(axes: Axes) -> float:
    """Return the number of points in a pixel."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    return 72 / figure.dpi


def _place(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """Return where a point is in the figure, in points."""
    across, up = axes.transData.transform((x, y)) * _scale(axes)
    return float(across), float(up)


def _around(place: tuple[float, float], margin: float) -> Box:
    x, y = place
    return x - margin, y - margin, x + margin, y + margin


def _box(x: float, y: float, across: int, up: int, wide: float) -> Box:
    high = 1.25 * SMALL
    left = x - wide * (1 - across) / 2
    bottom = y - high * (1 - up) / 2
    return left, bottom, left + wide, bottom + high


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
