"""Coefficients beside the reference's, and the warnings about doubtful ones."""

import numpy as np

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import Fit, fit
from pipeline.learning.line import Line
from pipeline.measures import coefficients
from pipeline.measures.diagnosis import Asked
from pipeline.measures.diagnostics import Diagnostics, RobustErrors

LINE = Line(np.array([[0.1, 2.0]]), np.array([7.0]), np.zeros(2))


def without_rows(reference: Fit) -> RobustErrors:
    """Return the further errors of a reference whose rows are not asked."""
    return Diagnostics(reference, Asked({}, None, "rows_not_kept"), None).errors


def test_a_column_that_the_reference_leaves_out_has_no_reference() -> None:
    x = np.array([[1.0, 2.0], [2.0, 4.0], [3.0, 6.0], [4.0, 8.0]])
    y = np.array([[1.0], [3.0], [2.0], [4.0]])
    reference = fit(gram_matrix(np.hstack([x, y])), ("a", "b"), ("y",))
    robust = without_rows(reference)
    rows = list(coefficients.rows(LINE, reference, "float32", {}, robust))
    assert [row[:3] for row in rows] == [["y", "a", 0.1], ["y", "b", 2.0], ["y", "bias", 7.0]]
    by_term = {row[1]: row[3:] for row in rows}
    assert by_term["b"] == [*[None] * 9, "b = 2·a; the reference leaves it out"]
    assert None not in by_term["a"][:6]
    assert by_term["a"][6:] == [None, None, 1.0, ""], "errors of rows, and the inflation"
    dropped = Line(np.array([[0.1, 0.0]]), np.array([7.0]), np.zeros(2))
    rows = list(
        coefficients.rows(dropped, reference, "float32", {"y": "y = a in every row"}, robust)
    )
    assert [row[-1] for row in rows] == ["", "b = 2·a; weight 0", "y = a in every row"]
    assert len(rows[0]) == len(coefficients.header(robust))
    without_bias = fit(gram_matrix(np.hstack([x, y])), ("a", "b"), ("y",), False)
    robust = without_rows(without_bias)
    rows = list(
        coefficients.rows(dropped, without_bias, "float32", {"y": "y = a in every row"}, robust)
    )
    assert [row[-1] for row in rows] == ["y = a in every row", "b = 2·a; weight 0"]
    (warning,) = coefficients.warnings(reference)
    assert warning.endswith(": the reference leaves it out")
    assert warning.startswith("b ")
    assert list(coefficients.rows(None, reference, "float32", {}, without_rows(reference))) == [], (
        "it is not linear"
    )


def test_fewer_rows_than_coefficients_are_one_warning() -> None:
    reference = fit(gram_matrix(np.array([[1.0, 2.0, 3.0]])), ("a", "b"), ("y",))
    (warning,) = coefficients.warnings(reference)
    assert warning == "1 rows for 3 numbers: the reference leaves 2 features out"
