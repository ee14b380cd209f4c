"""Guesses of the active set of a lasso whose columns depend on each other."""

import numpy as np
import pytest
from numpy.typing import NDArray
from penalized_reference import gram_of

from pipeline.exact.active_set import feature_sign_search
from pipeline.exact.correlations import Correlations


def dummies(levels: tuple[int, int], seed: int) -> NDArray[np.float64]:
    """Return complete sets of dummies of two categories: two columns too many, [200, levels]."""
    random = np.random.default_rng(seed)
    return np.hstack([np.eye(count)[random.integers(0, count, 200)] for count in levels])


@pytest.mark.parametrize("levels", [(5, 5), (4, 6), (3, 7), (2, 8)])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_the_search_ends_at_the_solution_where_columns_depend_on_each_other(
    levels: tuple[int, int], noise: float
) -> None:
    for seed in range(12):
        x = dummies(levels, seed)
        random = np.random.default_rng(seed)
        y = x @ random.integers(-2, 3, x.shape[1]) + noise * random.normal(size=len(x))
        correlations = Correlations(gram_of(x, y), 10, (11,), intercept=True)
        matrix, vector = correlations.floats, correlations.target_floats(11)
        b = np.zeros(10)
        for threshold in np.geomspace(np.abs(vector).max(), 1e-4, 40):
            b = feature_sign_search(matrix, vector, threshold, b)
            rest = vector - matrix @ b
            assert np.abs(rest).max() < threshold + 1e-9, (seed, threshold)
            active = b != 0
            assert (rest * np.sign(b))[active] == pytest.approx(threshold, abs=1e-9)
