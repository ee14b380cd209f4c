"""The condition number is the one that users know."""

import numpy as np
from exact_tables import noisy

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit


def test_the_condition_number_is_that_of_columns_of_length_one() -> None:
    table = noisy(300)
    design = np.column_stack([np.ones(300), table[:, :4]])
    expected = np.linalg.cond(design / np.linalg.norm(design, axis=0))
    condition = fit(gram_matrix(table), list("abcd"), ["y"]).condition_number
    assert condition == float(f"{expected:.4g}")
