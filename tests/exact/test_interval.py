"""The interval as numbers is the interval of the fit, to within its stated rounding error."""

import numpy as np
import pytest
from exact_tables import noisy

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit


@pytest.mark.parametrize("intercept", [True, False])
def test_half_the_width_is_that_of_the_fit(intercept: bool) -> None:
    table = noisy(300)
    solution = fit(gram_matrix(table), list("abcd"), ["y"], intercept)
    queries = table[:40, :4] * 1.5
    _, low, high = solution.predict(queries)
    half_width, bound = solution.interval().half_width(queries)
    np.testing.assert_allclose(half_width, (high - low) / 2, rtol=1e-9)
    assert (bound > 0).all()
    assert (bound < 1e-9 * half_width).all()


def test_another_order_of_the_sums_stays_within_the_bound() -> None:
    table = np.random.default_rng(0).normal(size=(300, 5))
    table[:, 1] = table[:, 0] * (1 + 1e-8 * table[:, 3])  # so that large terms cancel
    interval = fit(gram_matrix(table), list("abcd"), ["y"]).interval()
    half_width, bound = interval.half_width(table[:, :4])
    z = (table[:, 3::-1] - interval.centre[::-1]) @ interval.factor[::-1]
    assert not np.array_equal(z, (table[:, :4] - interval.centre) @ interval.factor)
    other = np.sqrt((z**2)[:, ::-1].sum(axis=1) + interval.constant)[:, None] * interval.scale
    assert (np.abs(other - half_width) <= bound).all()


def test_where_a_square_overflows_nothing_is_promised() -> None:
    table = noisy(300)
    interval = fit(gram_matrix(table), list("abcd"), ["y"]).interval()
    _, bound = interval.half_width(np.array([[1e200, 0, 0, 0], [0.0, 0, 0, 0]]))
    assert np.isinf(bound[0, 0])
    assert np.isfinite(bound[1, 0])


def test_there_is_no_interval_without_degrees_of_freedom_or_of_dependent_columns() -> None:
    with pytest.raises(ValueError, match="2 rows for 2 numbers leave no degree of freedom"):
        fit(gram_matrix(np.array([[1.0, 2], [2, 5]])), ["x"], ["y"]).interval()
    copies = np.column_stack([np.arange(9.0), np.arange(9.0), np.arange(9.0) ** 2])
    with pytest.raises(ValueError, match="columns depend on each other"):
        fit(gram_matrix(copies), ["a", "b"], ["y"]).interval()
