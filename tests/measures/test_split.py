"""Of many rows some are drawn, and those with the largest errors: each at its right quantile."""

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from plotted import measured
from sums import part_of

from pipeline.measures.model_errors import MOST_LARGEST, Errors
from pipeline.measures.split import MOST_POINTS_DRAWN, Split, evenly_spaced

Floats = NDArray[np.float64]
MANY = 50_000


def zero(x: Floats) -> Floats:
    """Return predictions for two targets."""
    return np.zeros((len(x), 2))


def rows_of(count: int) -> Floats:
    """Return a feature and two targets, whose largest values are in different rows."""
    return np.random.default_rng(1).normal(size=(count, 3))


def test_few_rows_are_drawn_as_they_are() -> None:
    rows = rows_of(MOST_POINTS_DRAWN)
    split = measured(rows, 2, zero)
    for target in (0, 1):
        points = split.points(target)
        assert np.array_equal(points.x, rows[:, :1])
        assert np.array_equal(points.actual, rows[:, 1 + target])
        assert points.weight.tolist() == [1] * MOST_POINTS_DRAWN


def test_the_largest_errors_of_many_rows_are_drawn_once() -> None:
    rows = rows_of(MANY)
    rows[0, 1:] = 9.0  # drawn because it is the first one, too
    split = measured(rows, 2, zero)
    for target in (0, 1):
        points = split.points(target)
        largest = np.sort(np.abs(rows[:, 1 + target]))[-MOST_LARGEST:]
        drawn = np.abs(points.actual)
        assert np.isin(largest, drawn).all()
        assert len(np.unique(drawn)) == len(drawn)
        assert MOST_POINTS_DRAWN <= len(drawn) < MOST_POINTS_DRAWN + MOST_LARGEST
        assert np.isclose(points.weight.sum(), MANY)
        assert set(points.weight[drawn >= largest[0]].tolist()) == {1}


def test_equal_rows_do_not_vanish() -> None:
    """Of categories alone many rows are equal, and so are their errors."""
    rows = np.tile([[0.0, 1.0], [1.0, -1.0]], (MANY // 2, 1))
    points = measured(rows, 1, lambda x: 0 * x).points(0)
    assert len(points.weight) == MOST_POINTS_DRAWN
    assert np.isclose(points.weight.sum(), MANY)


def test_points_lie_at_the_quantiles_of_all_rows() -> None:
    """Not at those of the points: among these, large errors are more frequent."""
    rows = rows_of(MANY)
    points = measured(rows, 2, zero).points(0)
    order = np.argsort(points.actual)
    places = np.cumsum(points.weight[order]) - points.weight[order] / 2
    true_places = np.searchsorted(np.sort(rows[:, 1]), points.actual[order]) + 0.5
    is_largest = points.weight[order] == 1
    assert np.allclose(places[is_largest], true_places[is_largest])
    assert np.abs(places - true_places).max() < 0.04 * MANY
    normal = np.array([NormalDist().inv_cdf(place / MANY) for place in places.tolist()])
    assert np.abs(normal - points.actual[order])[is_largest].max() < 0.5


def test_points_of_a_sample_stand_for_its_rows() -> None:
    """With data.keep_rows: false the errors of the sample's rows are known, and no others."""
    rows = rows_of(MANY)
    sample = rows[::10]
    errors = Errors.of_no_rows(3, 2, with_squares=False).with_later(sample, zero, 0)
    split = Split.of(part_of(rows), errors, sample, zero)
    assert (split.rows, int(split.size), split.errors.rows) == (MANY, 2 * MANY, MANY // 10)
    assert np.isclose(split.points(0).weight.sum(), MANY // 10)


def test_a_sample_has_the_first_and_the_last_row() -> None:
    assert evenly_spaced(3).tolist() == [0, 1, 2]
    sample = evenly_spaced(1_000_003)
    assert (sample[0], sample[-1]) == (0, 1_000_002)
    assert len(sample) == MOST_POINTS_DRAWN
    assert set(np.diff(sample)) <= {500, 501}
