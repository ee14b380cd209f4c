"""Reduced rows have the loss and the gradient of all rows, for every linear model."""

from collections.abc import Callable

import numpy as np
import pytest
from exact_tables import noisy
from numpy.typing import NDArray

from pipeline.exact.gram_sums import GramSums, gram_matrix
from pipeline.exact.reduced_rows import reduced_rows

Floats = NDArray[np.float64]


def dependent(rows: int) -> Floats:
    """Return columns of which some are constant, zero, sums of others or copies."""
    table = noisy(rows, 4) + 1
    sums = table[:, 0] + table[:, 2]
    columns: Floats = np.column_stack(
        [np.full(rows, 1 / 3), np.zeros(rows), table, table[:, 1], sums]
    )
    return columns


def scaled(rows: int) -> Floats:
    """Return columns far from zero beside their spread, and of very different sizes."""
    random = np.random.default_rng(1)
    table: Floats = random.normal(size=(rows, 4)) + np.array([1e3, -1e5, 0, 10])
    return np.asarray(table * np.array([1e-9, 1, 1e9, 1e12]), np.float64)


@pytest.mark.parametrize("make", [noisy, dependent, scaled])
@pytest.mark.parametrize("rows", [1, 7, 2_000])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("targets", [1, 2])
def test_loss_and_gradient_equal_those_of_all_rows(
    make: Callable[[int], Floats], rows: int, bias: bool, targets: int
) -> None:
    table = make(rows)
    reduced = reduced_rows(gram_matrix(table))
    assert reduced.shape == (table.shape[1] + 1, table.shape[1])
    random = np.random.default_rng(2)
    features = table.shape[1] - targets
    # Weights with which every column has its part in the loss.
    sizes = np.sqrt((table**2).mean(axis=0))
    sizes[sizes == 0] = 1
    for _ in range(3):
        weight = random.normal(size=(features, targets)) * sizes[features:] / sizes[:features, None]
        offset = random.normal(size=targets) * sizes[features:] * bias
        whole = loss_and_gradient(table, weight, offset)
        few = loss_and_gradient(reduced, weight, offset)
        for own, other in zip(few, whole, strict=True):
            scale = np.abs(other).max(axis=-1, keepdims=True)
            np.testing.assert_allclose(own / scale, other / scale, rtol=0, atol=1e-12)


def loss_and_gradient(table: Floats, weight: Floats, offset: Floats) -> tuple[Floats, ...]:
    """Return the mean squared error and its gradient in units in which all are of one size."""
    x, y = table[:, : len(weight)], table[:, len(weight) :]
    errors = x @ weight + offset - y
    sizes = np.sqrt((x**2).mean(axis=0))
    gradient = (x / np.where(sizes, sizes, 1)).T @ errors / len(table)
    lengths = np.sqrt((errors**2).mean(axis=0))
    return (errors**2).mean(axis=0), gradient.T / lengths[:, None], errors.mean(axis=0) / lengths


def test_reduced_rows_depend_on_inner_products_alone() -> None:
    """In whatever parts and order the rows were multiplied."""
    table = noisy(300)
    whole = gram_matrix(table)
    sums = GramSums(table.shape[1])
    sums.add(table, ends=[300])
    (sliced,) = sums.taken()
    assert sliced != whole
    parts = gram_matrix(table[200:]) + gram_matrix(table[:200][::-1])
    for gram in (sliced, parts):
        assert reduced_rows(gram).tobytes() == reduced_rows(whole).tobytes()


def test_every_number_is_correctly_rounded() -> None:
    """Four columns: the factor 1/(k − √k) of the reflection is 1/2, and ties are possible."""
    table = np.array([[1.0, 0, 1], [1, 0, -1], [1, 0, 1], [1, 0, -1]]) * [3, 1, 7]
    # R has the columns (2, 0, 0, 0), (6, 0, 0, 0), 0 and (0, 0, 0, 14).
    assert reduced_rows(gram_matrix(table)).tolist() == [
        [3, 0, 7.0],
        [3, 0, -7.0],
        [3, 0, -7.0],
        [3, 0, 7.0],
    ]
    # The column has the length 5t in R, and 5t/2 lies between two floats.
    t = 2.0**51 + 1
    column = np.repeat([3 * t, -3 * t, 4 * t, -4 * t, 0], [2, 2, 2, 2, 8])
    tied = reduced_rows(gram_matrix(np.column_stack([column, np.zeros((16, 2))])))
    assert tied[:, 0].tolist() == [(5 * int(t) - 1) / 2 * sign for sign in (1, 1, -1, -1)]


def test_of_many_columns_and_of_extreme_numbers() -> None:
    """Products of matrices instead of ball by ball; the sizes of columns do not matter."""
    random = np.random.default_rng(3)
    table = random.normal(size=(60, 40))
    reduced = np.column_stack([np.ones(41), reduced_rows(gram_matrix(table))])
    design = np.column_stack([np.ones(60), table])
    np.testing.assert_allclose(reduced.T @ reduced / 41, design.T @ design / 60, atol=1e-14)
    extreme = noisy(60, 4)[:, [0, 2, 3]]
    scales = np.array([2.0**-900, 2.0**900, 1])
    expected = reduced_rows(gram_matrix(extreme)) * scales
    np.testing.assert_array_equal(reduced_rows(gram_matrix(extreme * scales)), expected)
