"""The squared error of any line is exact: the gap to the optimum is the difference of two."""

from fractions import Fraction

import numpy as np
from exact_reference import Rows, dot, tables
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.squared_error import squared_error


@given(tables(st.floats(-1e5, 1e5), 3, 6))
@settings(deadline=None, max_examples=50)
def test_the_squared_error_of_any_line_is_exact(rows: Rows) -> None:
    table = np.array(rows)
    weight, bias = np.array([[0.1, -2.5]], np.float32), np.array([1e-3])
    for centre in (None, np.array([0.3, 7.0])):
        (error,) = squared_error(gram_matrix(table), weight, bias, centre)
        middle = [Fraction(c) for c in ([0, 0] if centre is None else centre.tolist())]
        slopes = [Fraction(w) for w in weight[0].tolist()]
        expected = Fraction(0)
        for *x, y in [[Fraction(value) for value in row] for row in rows]:
            line = dot(slopes, [a - c for a, c in zip(x, middle, strict=True)])
            expected += (line + Fraction(bias[0]) - y) ** 2
        assert error == expected
