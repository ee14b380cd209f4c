"""The picture of the influential rows: at their places, the first ones named."""

from pathlib import Path

import numpy as np
import pytest
from plotted import drawn_texts
from statsmodels.regression.linear_model import OLS
from statsmodels.tools import add_constant

from pipeline.pictures import influence_plot
from pipeline.pictures.influence_plot import InfluentialRow

ROWS, TERMS = 60, 3


@pytest.fixture(scope="module")
def rows() -> list[InfluentialRow]:
    """Return the 20 most influential rows of a fit, as statsmodels has them; row 8 is far out."""
    random = np.random.default_rng(0)
    x = random.normal(size=(ROWS, TERMS - 1))
    y = x @ [1.0, -2.0] + random.normal(size=ROWS)
    x[7] = [6.0, 5.0]
    measured = OLS(y, add_constant(x)).fit().get_influence()
    figures = zip(
        *(
            measured.hat_matrix_diag,
            measured.resid_studentized_external,
            measured.cooks_distance[0],
        ),
        strict=True,
    )
    every = [
        InfluentialRow(number, float(leverage), float(residual), float(cooks))
        for number, (leverage, residual, cooks) in enumerate(figures, 1)
    ]
    return sorted(every, key=lambda row: -row.cooks_distance)[:20]


def test_a_curve_goes_through_the_rows_with_its_distance(rows: list[InfluentialRow]) -> None:
    for row in rows:
        curve = influence_plot.studentized(
            row.cooks_distance, np.array([row.leverage]), ROWS, TERMS
        )
        assert curve[0] == pytest.approx(abs(row.residual), rel=1e-9)
    # Beyond the largest possible residual no row has the distance.
    assert influence_plot.studentized(50.0, np.array([0.01]), ROWS, TERMS)[0] == np.inf


def test_the_most_influential_rows_are_named(rows: list[InfluentialRow], tmp_path: Path) -> None:
    with drawn_texts() as drawn:
        influence_plot.draw(tmp_path / "influence.svg", {"price": rows}, ROWS, TERMS)
    assert rows[0].number == 8
    assert "row 8" in drawn.shown
    assert "Cook's distance 1" in drawn.shown
    assert {"leverage", "studentized residual of price"} <= {*drawn.shown}
    assert not drawn.overlaps()
    assert not drawn.outside()


def test_rows_of_many_targets_and_rows_that_fit_exactly(tmp_path: Path) -> None:
    exact = [InfluentialRow(10**9 + place, 0.1, 0.0, 0.0) for place in range(20)]
    by_target = {f"目标 {number}": exact for number in range(6)}
    with drawn_texts() as drawn:
        influence_plot.draw(tmp_path / "influence.svg", by_target, 10**9, 2)
    assert not drawn.overlaps()
    assert "(the first 4 of 6 targets)" in " ".join(drawn.shown).replace("\n", " ")


def test_the_file_of_the_rows_is_read_by_target(tmp_path: Path) -> None:
    path = tmp_path / "influence.csv"
    path.write_text(
        "target,file,row,leverage,cooks_distance,studentized_residual\n"
        "a,t.csv,12,0.25,0.75,-1.5\na,t.csv,7,1.0,,\nb,,3,0.5,0.125,1.0\n"
    )
    assert influence_plot.read(path) == {
        "a": [InfluentialRow(12, 0.25, -1.5, 0.75, "t.csv")],
        "b": [InfluentialRow(3, 0.5, 1.0, 0.125)],
    }


def test_rows_of_several_files_are_named_with_theirs(tmp_path: Path) -> None:
    rows = [
        InfluentialRow(12, 0.2, 3.0, 0.5, "data/raw/flats-1.csv"),
        InfluentialRow(12, 0.6, -1.0, 0.25, "data/raw/flats-2.csv"),
    ]
    with drawn_texts() as drawn:
        influence_plot.draw(tmp_path / "influence.svg", {"price": rows}, 60, 3)
    assert {"flats-1: row 12", "flats-2: row 12"} <= {*drawn.shown}
