"""Ridge, lasso and elastic net come to what glmnet published: R results that statsmodels ships."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.regression.tests.results import glmnet_r_results

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.penalties import Penalty, fit

TABLE = np.loadtxt(Path(glmnet_r_results.__file__).with_name("lasso_data.csv"), delimiter=",")
RESULTS = [getattr(glmnet_r_results, f"rslt_{number}") for number in range(81)]
"""Each: rows, columns, alpha, lambda, then the weights. Numbers of seven digits."""


def ours(rows: int, columns: int, alpha: float, lambda_: float) -> tuple[NDArray[np.float64], bool]:
    """Return the weights in glmnet's units, and True if they are proven.

    R's script standardized columns and target with the standard deviation of rows − 1, and called
    glmnet without an intercept and without standardizing. Here the table itself is fitted, in
    integers, so the penalties take on the difference between the two standard deviations.
    """
    x, y = TABLE[:rows, 1 : 1 + columns], TABLE[:rows, :1]
    deviation, shrunk = y.std(ddof=1), np.sqrt(1 - 1 / rows)
    # glmnet divides the target by its standard deviation, and lambda with it.
    penalty = Penalty(alpha * lambda_ * deviation / shrunk, (1 - alpha) * lambda_ / shrunk**3)
    solution = fit(gram_matrix(x, y), [*"abcde"[:columns]], ["y"], True, [penalty])
    return solution.weight[0] * x.std(axis=0, ddof=1) / deviation, solution.certificates[0].proven


@pytest.mark.parametrize("alpha", [0, 0.5, 1], ids=["ridge", "elastic net", "lasso"])
def test_the_weights_are_glmnets_to_the_digits_it_has(alpha: float) -> None:
    """Zeros are the same; others differ by the last digit, or by where glmnet stopped."""
    differences = []
    for rows, columns, of_ridge, lambda_, *published in (each.tolist() for each in RESULTS):
        if of_ridge != alpha:
            continue
        weights, is_proven = ours(int(rows), int(columns), alpha, lambda_)
        assert is_proven
        assert [*(weights != 0)] == [each != 0 for each in published]
        differences.append(np.abs(weights - published).max() / np.abs(published).max())
    assert len(differences) == 27
    assert np.median(differences) < 1.5e-7
    assert max(differences) < 5e-6
