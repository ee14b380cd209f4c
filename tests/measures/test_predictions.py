"""Predictions for the queries: in the model file's precision, beside the reference's."""

import numpy as np
import pytest

from pipeline.exact.gram_sums import gram_matrix
from pipeline.exact.least_squares import fit
from pipeline.measures import predictions
from pipeline.settings.errors import UserError


def test_a_prediction_beyond_the_files_precision_names_its_query() -> None:
    queries = np.array([[0.0], [1e39]])
    with pytest.raises(
        UserError, match=r"evaluate.queries\[1\]: the answer is beyond what float32"
    ):
        predictions.rounded(lambda x: x, queries, "float32")
    assert predictions.rounded(lambda x: x, queries, "float64").tolist() == queries.tolist()


def test_an_interval_is_called_the_models_only_if_it_is() -> None:
    """Beside a quantile, a ridge or a trained model stands the interval of least squares."""
    beside = ["y reference low 95%", "y reference high 95%"]
    assert predictions.header(["x"], ["y"]) == ["x", "y", "y reference", *beside]
    own = predictions.header(["x"], ["y"], is_reference=True)
    assert own == ["x", "y", "y reference", "y low 95%", "y high 95%"]
    calibrated = predictions.header(["x"], ["y"], has_interval=True)
    assert calibrated[3:] == [*beside, "y model low 95%", "y model high 95%"]


def test_without_degrees_of_freedom_there_is_no_interval() -> None:
    reference = fit(gram_matrix(np.array([[1.0, 2.0], [2.0, 4.0]])), ("x",), ("y",))
    rows = list(predictions.rows([[4.0]], np.array([[4.0]]), [[7.5]], reference))
    assert rows == [[4.0, 7.5, 8.0, None, None]]
    assert list(predictions.rows([], np.empty((0, 1)), [], reference)) == []
