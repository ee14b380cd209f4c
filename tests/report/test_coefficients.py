"""Coefficients beside the reference's, and the warnings about doubtful ones."""

import numpy as np

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit
from pipeline.learning.line import Line
from pipeline.report import coefficients

LINE = Line(np.array([[0.1, 2.0]]), np.array([7.0]), np.zeros(2))


def test_a_column_that_the_reference_leaves_out_has_no_reference() -> None:
    x = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0]])
    y = np.array([[1.0], [3.0], [2.0], [4.0]])
    reference = fit(gram_matrix(np.hstack([x, y])), ("a", "b"), ("y",))
    rows = list(coefficients.rows(LINE, reference, "float32", {}))
    assert [row[:3] for row in rows] == [["y", "a", 0.1], ["y", "b", 2.0], ["y", "bias", 7.0]]
    by_term = {row[1]: row[3:] for row in rows}
    assert by_term["b"] == [*[None] * 6, "b = 2·a; the reference leaves it out"]
    assert None not in by_term["a"]
    dropped = Line(np.array([[0.1, 0.0]]), np.array([7.0]), np.zeros(2))
    rows = list(coefficients.rows(dropped, reference, "float32", {"y": "y = a in every row"}))
    assert [row[-1] for row in rows] == ["", "b = 2·a; weight 0", "y = a in every row"]
    assert len(rows[0]) == len(coefficients.HEADER)
    without_bias = fit(gram_matrix(np.hstack([x, y])), ("a", "b"), ("y",), False)
    rows = list(coefficients.rows(dropped, without_bias, "float32", {"y": "y = a in every row"}))
    assert [row[-1] for row in rows] == ["y = a in every row", "b = 2·a; weight 0"]
    (warning,) = coefficients.warnings(reference)
    assert warning.endswith(": the reference leaves it out")
    assert warning.startswith("b ")
    assert list(coefficients.rows(None, reference, "float32", {})) == [], "it is not linear"


def test_fewer_rows_than_coefficients_are_one_warning() -> None:
    reference = fit(gram_matrix(np.array([[1.0, 2.0, 3.0]])), ("a", "b"), ("y",))
    (warning,) = coefficients.warnings(reference)
    assert warning == "1 rows for 3 numbers: the reference leaves 2 features out"
