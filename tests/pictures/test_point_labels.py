"""Labels beside points cover no other label and no other point."""

from pathlib import Path

import numpy as np
from plotted import drawn_texts

from pipeline.pictures import figure, point_labels


def labels_of(
    path: Path,
    labelled: list[tuple[float, float, str]],
    others: list[tuple[float, float]],
    **how: bool,
) -> list[str]:
    with drawn_texts() as drawn, figure.axes_of(path) as axes:
        points = np.array([*[each[:2] for each in labelled], *others])
        axes.plot(*points.T, "o", label="rows")
        figure.add_legend([axes])
        point_labels.draw(axes, labelled, others, **how)
    assert not drawn.overlaps()
    assert not drawn.outside()
    return [text for text in drawn.shown if text.startswith("row ")]


def test_labels_of_near_points_stay_apart(tmp_path: Path) -> None:
    near = [(0.5, 0.5, "row 1"), (0.5, 0.6, "row 2"), (1.0, 1.0, "row 3"), (0.0, 0.0, "row 4")]
    assert sorted(labels_of(tmp_path / "plot.svg", near, [])) == [
        "row 1",
        "row 2",
        "row 3",
        "row 4",
    ]


def test_a_label_without_a_free_place_is_left_out_or_covers_rows(tmp_path: Path) -> None:
    grid = np.linspace(0, 1, 25)
    others = [(float(x), float(y)) for x in grid for y in grid]
    crowded = [(0.51, 0.51, "row 1")]
    assert labels_of(tmp_path / "plot.svg", crowded, others) == []
    assert labels_of(tmp_path / "plot.svg", crowded, others, over_others=True) == ["row 1"]


def test_the_rows_of_one_place_are_named_beside_it(tmp_path: Path) -> None:
    same = [(0.5, 0.5, f"row {number}") for number in range(3)]
    shown = labels_of(tmp_path / "plot.svg", [*same, (1.0, 1.0, "row 9")], [(0.0, 0.0)])
    assert sorted(shown) == ["row 0", "row 1", "row 2", "row 9"]
