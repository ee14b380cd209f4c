"""The largest eigenvalue is right to 12 digits, and never too small."""

import numpy as np
import pytest
from exact_tables import noisy

from pipeline.exact.curvature import largest_eigenvalue
from pipeline.exact.gram_sums import gram_matrix


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("scaled", [True, False])
def test_largest_eigenvalue_of_columns(bias: bool, scaled: bool) -> None:
    table = noisy(500, 4) + 3
    centre = table.mean(axis=0) if scaled else np.zeros(4)
    scale = table.std(axis=0) if scaled else np.ones(4)
    design = np.column_stack([np.ones(500), (table - centre) / scale])[:, 0 if bias else 1 :]
    expected = np.linalg.eigvalsh(design.T @ design)[-1]
    columns = range(0 if bias else 1, 5)
    given = (centre, scale) if scaled else ()
    value = largest_eigenvalue(gram_matrix(table), columns, *given)
    assert value == pytest.approx(expected, rel=1e-11)
    assert value == float(f"{value:.12g}")


def test_known_eigenvalues_are_exact() -> None:
    """1 of three rows; of orthogonal columns the longest one, whatever its size."""
    table = np.array([[1.0, 0, 3e-200], [0, 2e150, 0], [0, 0, -3e-200]])
    gram = gram_matrix(table)
    assert largest_eigenvalue(gram, [0]) == 3
    assert largest_eigenvalue(gram, [1, 2, 3]) == 4e300
    assert largest_eigenvalue(gram, [3]) == 0.0 or largest_eigenvalue(gram, [3]) > 0
    assert largest_eigenvalue(gram, []) == 0
    assert largest_eigenvalue(gram_matrix(np.zeros((3, 1))), [1]) == 0
    assert largest_eigenvalue(gram_matrix(np.array([[1e200]])), [1]) == np.inf


def test_the_eigenvalue_is_rounded_up() -> None:
    """2 / λ is the largest learning rate that can converge: λ must not be too small."""
    gram = gram_matrix(np.array([[1 / 3], [0]]))
    value = largest_eigenvalue(gram, [1])
    assert gram.inner_product(1, 1) < value < gram.inner_product(1, 1) * (1 + 1e-11)
