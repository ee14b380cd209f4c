"""Pictures in fewer bytes show the same points, lines and letters."""

import re
from pathlib import Path

import numpy as np
from plotted import texts

from pipeline.pictures import figure, svg_file


def test_a_picture_of_many_rows_is_small_and_shows_each(tmp_path: Path) -> None:
    path = tmp_path / "plot.svg"
    numbers = np.random.default_rng(0).normal(size=(2000, 2))
    with figure.axes_of(path, "Rows") as axes:
        axes.plot(*numbers.T, "o", color=figure.BLUE, markersize=4, label="rows")
    text = path.read_text()
    (points,) = re.findall(r'<path d="M([-\d. ]+)" fill="none" marker-start', text)
    places = np.array(points.split(), float).reshape(-1, 2)
    assert len(places) == len(numbers)
    for column, sign in ((0, 1), (1, -1)):  # up is less in SVG
        order = np.corrcoef(places[:, column], sign * numbers[:, column])[0, 1]
        assert order > 0.99999
    (marker,) = re.findall(r'marker-start="url\(#(\w+)\)"', text)
    assert f'<marker id="{marker}"' in text
    assert path.stat().st_size < 50_000
    assert "Rows" in texts(path)


def test_a_line_keeps_its_points_and_a_letter_its_curves() -> None:
    line = '<path d="M 1.23456 2 \nL 3 4.56789 \nM 5 6 \nL 7 8 \n" style="x"/>'
    assert svg_file.compact(line) == '<path d="M 1.23 2 3 4.57 \nM 5 6 7 8" style="x"/>'
    letter = '<path id="DejaVuSans-41" d="M 1 2 \nQ 3 4 5 6 \nL 7 8 \nz\n"/>'
    assert svg_file.compact(letter) == letter.replace("DejaVuSans-", "D")
    used = '<use xlink:href="#DejaVuSans-41" transform="translate(61.28 0)"/>\n'
    assert svg_file.compact(used) == '<use xlink:href="#D41" x="61.28"/>'
