"""The columns of a spline are those of the natural spline through its knots, on any scale."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from pipeline.exact.natural_spline import basis

KNOTS = (-3.0, -1.0, 0.25, 4.0, 10.5)


@pytest.mark.parametrize("knots", [KNOTS, (0.0, 1.0, 5.0), tuple(17_000 + 9.7 * np.arange(31.0))])
def test_each_column_is_the_curve_that_is_one_at_its_knot(knots: tuple[float, ...]) -> None:
    x = np.linspace(knots[0], knots[-1], 1001)
    columns = basis(x, knots)
    assert columns.shape == (1001, len(knots) - 1)
    for place in range(1, len(knots)):
        y = np.eye(len(knots))[place]
        peer = CubicSpline(knots, y, bc_type="natural")
        np.testing.assert_allclose(columns[:, place - 1], peer(x), atol=1e-12)
    np.testing.assert_array_equal(basis(np.array(knots), knots), np.eye(len(knots))[:, 1:])


def test_beyond_the_knots_it_goes_on_as_a_straight_line() -> None:
    for end, step in ((KNOTS[0], -1.0), (KNOTS[-1], 1.0)):
        near, first, second, far = basis(end + step * np.array([0, 1, 2, 1000.0]), KNOTS)
        np.testing.assert_allclose(second - first, first - near, atol=1e-12)
        np.testing.assert_allclose(far - near, 1000 * (first - near), rtol=1e-12)
        inside = basis(np.array([end - step * 1e-6]), KNOTS)[0]
        np.testing.assert_allclose((near - inside) / 1e-6, first - near, rtol=1e-4)


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1e12, 1e300])
def test_the_unit_of_the_column_changes_nothing(scale: float) -> None:
    x = np.linspace(-5, 12, 300)
    scaled = tuple(knot * scale for knot in KNOTS)
    np.testing.assert_allclose(basis(x * scale, scaled), basis(x, KNOTS), atol=1e-12)


def test_a_gap_stays_a_gap_and_blocks_do_not_show() -> None:
    assert np.isnan(basis(np.array([np.nan]), KNOTS)).all()
    x = np.random.default_rng(0).uniform(-5, 12, 10_000)
    np.testing.assert_array_equal(basis(x, KNOTS)[9_000:], basis(x[9_000:], KNOTS))
    assert basis(np.array([]), KNOTS).shape == (0, 4)
