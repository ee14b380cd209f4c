"""Numbers on the plots are written as people write them, and never run into each other."""

from pathlib import Path

import pytest
from plotted import drawn_texts, texts

from pipeline.pictures import figure, plot_numbers
from pipeline.pictures.plot_numbers import even, number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1_200_000.0, "1,200,000"), (7.5619025, "7.562"), (8.0, "8"), (0.0, "0"), (-0.5, "−0.5"),
        (123_456.789, "123,457"), (0.00012345, "0.0001234"), (3e-7, "3×10⁻⁷"), (1e-6, "10⁻⁶"),
        (-2.5e12, "−2.5×10¹²"), (999_999.96, "1,000,000"), (1e-4, "0.0001"), (100.0, "100"),
        (float("nan"), "nan"),
    ],
)  # fmt: skip
def test_a_number(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([0.0, 0.5, 1.0], ["0.0", "0.5", "1.0"]),
        ([0.0, 0.25, 0.5], ["0.00", "0.25", "0.50"]),
        ([-2.5, 0.0, 2.5], ["−2.5", "0.0", "2.5"]),
        ([800_000.0, 1_000_000.0], ["800,000", "1,000,000"]),
        ([1_000_000.25, 1_000_000.5], ["1,000,000.25", "1,000,000.50"]),
        ([0.0, 2e-7, 4e-7], ["0", "2×10⁻⁷", "4×10⁻⁷"]),
        ([1e12, 1.5e12, 2e12], ["10¹²", "1.5×10¹²", "2×10¹²"]),
        ([3.0], ["3"]),
        ([], []),
    ],
)
def test_the_numbers_of_an_axis_tell_each_other_apart(
    values: list[float], shown: list[str]
) -> None:
    assert even(values) == shown


@pytest.mark.parametrize(
    ("low", "span", "targets"),
    [
        (0.0, 1e-7, ["a", "b"]),
        (1e6, 1e-3, ["a", "b", "c"]),
        (-1e8, 1e7, ["a", "b", "c"]),
        (-1e8, 1e7, ["a"]),
        (1e12, 1.0, ["a"]),
        (-1e15, 3e15, ["a", "b", "c", "d", "e"]),
    ],
)
def test_numbers_of_any_size_have_room(
    low: float, span: float, targets: list[str], tmp_path: Path
) -> None:
    with drawn_texts() as drawn, figure.panels_of(tmp_path / "plot.svg", "t", targets) as panels:
        for axes in panels:
            axes.plot([low, low + span], [low, low + span])
    assert not drawn.overlaps()
    assert not drawn.outside()
    assert len(drawn.shown) >= 3 * min(4, len(targets))


def test_days_are_dates(tmp_path: Path) -> None:
    assert plot_numbers.date(18_262.0) == "2020-01-01"
    assert plot_numbers.date(1e9) == "10⁹"
    with figure.axes_of(tmp_path / "plot.svg") as axes:
        axes.plot([18_262.0, 18_962.0], [0.0, 1.0])
        plot_numbers.dates(axes.xaxis)
    assert {"2020-01-01", "2021-01-01"} <= {*texts(tmp_path / "plot.svg")}
