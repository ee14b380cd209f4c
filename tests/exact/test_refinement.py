"""The error of a refined solution is certainly no larger than what is said."""

from fractions import Fraction

import numpy as np
import pytest
from flint import arb_mat

from pipeline.exact.correlations import Floats
from pipeline.exact.refinement import Refined, smallest_eigenvalue
from pipeline.exact.rounding import exactly, precision

MATRIX = np.array([[1.0, 0.5], [0.5, 1.0]])
"""Its smallest eigenvalue is 1/2."""


def refined(step: Floats) -> Refined:
    """Solve M b = (1, 1), which is b = (2/3, 2/3), with a matrix as correction."""
    with precision(128):
        matrix, right = arb_mat(2, 2, MATRIX.ravel().tolist()), arb_mat(2, 1, [1, 1])
    return Refined(matrix, right, [0.0], lambda residuals: step @ residuals)


def test_the_bound_holds_however_good_the_corrections_are() -> None:
    with precision(128):
        for share in (1.0, 1 - 1e-12):
            solution = refined(np.linalg.inv(MATRIX) * share)
            error = solution.error(0, [0, 1], 0.5)
            assert error is not None
            away = abs(exactly(solution.b[0, 0].mid()) - Fraction(2, 3))
            assert away <= exactly(error) < Fraction(1, 2**80)
        # Corrections that lead nowhere have no bound that is small enough; nor has no eigenvalue.
        assert refined(-np.eye(2)).error(0, [0, 1], 0.5) is None
        assert refined(np.full((2, 2), np.nan)).error(0, [0, 1], 0.5) is None
        assert refined(np.linalg.inv(MATRIX)).error(0, [0, 1], 0.0) is None


def test_eigenvalues_are_bounded_from_below() -> None:
    assert 0 < smallest_eigenvalue(MATRIX) < 0.5
    assert smallest_eigenvalue(np.ones((3, 3))) == 0
    assert smallest_eigenvalue(np.diag([1.0, 2.0**-31])) == 0
    nearly = 1 - 2.0**-28
    assert 0 < smallest_eigenvalue(np.array([[1, nearly], [nearly, 1]])) < 2.0**-28
    assert smallest_eigenvalue(MATRIX * 1e20) == pytest.approx(0)
