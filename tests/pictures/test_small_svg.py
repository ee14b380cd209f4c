"""A picture in the page shows each point and curve of matplotlib's, in far fewer bytes."""

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from pipeline.pictures import small_svg
from pipeline.pictures.figure import axes_of


def test_every_point_of_a_plot_stays(tmp_path: Path) -> None:
    path = tmp_path / "points.svg"
    x = np.random.default_rng(0).normal(size=500)
    with axes_of(path) as axes:
        axes.plot(x, x**2, "o", alpha=0.6)
        axes.set_title("a < b & c")
    before = path.read_bytes()
    after = small_svg.smaller(before)
    ElementTree.fromstring(after)
    pattern = rb'<path d="M([^"]+)" fill="none" marker-start'
    (wanted,) = re.findall(pattern, before)
    (found,) = re.findall(rb'<path d="M([^"]+)" transform="scale\(.1\)" fill="none" marker', after)
    drawn = numbers(found).cumsum(axis=0) / 10
    assert len(drawn) == 500
    assert sorted(map(tuple, drawn.round(1))) == sorted(map(tuple, numbers(wanted).round(1)))
    assert len(after) < len(before)
    assert small_svg.smaller(before) == after


def numbers(data: bytes) -> NDArray[np.float64]:
    """Return the pairs of numbers in the data of a path: [pairs, 2]."""
    return np.array(re.findall(rb"-?\d*\.?\d+", data), float).reshape(-1, 2)


def test_what_is_not_drawn_goes() -> None:
    svg = b"""<?xml version="1.0"?><!DOCTYPE svg PUBLIC "x">
<svg xmlns:xlink="x"><metadata><a>M</a></metadata><!-- name -->
<path d="M 1.23456 2
L -3.00001 4
z
" style="fill: none; stroke: #000"/>
<use xlink:href="#m" x="1.5" y="2" style="a: b"/></svg>"""
    assert small_svg.smaller(svg) == (
        b'<svg><path d="M1.23 2L-3 4z" style="fill:none;stroke:#000"/>'
        b'<use href="#a" x="1.5" y="2" style="a:b"/></svg>'
    )


def test_a_curve_keeps_its_shape() -> None:
    x = np.linspace(0, 100, 500)
    y = 50 + 8 * np.sin(x / 10)
    data = " ".join(
        f"{'ML'[place > 0]} {a:.6f} {b:.6f}" for place, (a, b) in enumerate(zip(x, y, strict=True))
    )
    after = small_svg.smaller(f'<svg><path d="{data}"/></svg>'.encode())
    corners = numbers(after).cumsum(axis=0)
    assert 15 < len(corners) < 200
    assert np.abs(np.interp(x, corners[:, 0], corners[:, 1]) - y).max() < 0.25
    assert np.allclose(corners[[0, -1]], [[0, 50], [100, y[-1]]], atol=0.06)


def test_straight_lines_that_turn_back_stay() -> None:
    there_and_back = "M 0 0 " + " ".join(f"L {x} 0" for x in (10, 20, 30, 20, 10, 0, -5, 3))
    after = small_svg.smaller(f'<path d="{there_and_back} z"/>'.encode())
    assert after == b'<path d="M0 0l30 0-35 0 8 0z"/>'


def test_a_long_path_with_a_curve_takes_no_time() -> None:
    """A pattern that tried every way to divide its numbers would never end here."""
    data = "M 1.123456 2 " + "L 123.456789 123.456789 " * 2000 + "Q 1 2 3 4"
    assert small_svg.smaller(f'<path d="{data}"/>'.encode()).endswith(b'Q1 2 3 4"/>')


def test_a_letter_keeps_its_outline_in_larger_units() -> None:
    # Lines without a letter at each point, a curve, and a second outline after the first.
    outline = "M 104 96 500 96 500 704 z M 200 200 Q 300 200 300 300 L 200 304 z"
    svg = f'<svg><path id="D1" d="{outline}" transform="scale(0.015625)"/><use href="#D1"/></svg>'
    made = small_svg.smaller(svg.encode()).decode()
    assert 'd="m8 8 31 0 0 47zm8 8q7 0 7 7l-7 1z"' in made
    assert 'transform="scale(.2)"' in made


def test_a_blank_is_no_letter_and_the_others_stay_in_their_places() -> None:
    svg = """<svg><path id="D20" transform="scale(0.015625)"/><g style="fill: #222222">
<use xlink:href="#D1"/><use xlink:href="#D20" x="63.625"/><use xlink:href="#D1" x="95.40625"/></g>
</svg>"""
    made = small_svg.smaller(svg.encode())
    assert made == b'<svg><g style="fill:#222"><use href="#a"/><use href="#a" x="95"/></g></svg>'
