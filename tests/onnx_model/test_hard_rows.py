"""Hard rows: a model that is a little off answers them outside of the bounds."""

import numpy as np
import pytest
import torch

from pipeline.learning import rounding_bound
from pipeline.learning.line import Line
from pipeline.learning.module import LinearModel
from pipeline.onnx_model import golden
from pipeline.onnx_model.hard_rows import hard_rows

LINE = Line(np.array([[1.5, -2.0]]), np.array([0.25]), np.zeros(2))
LOW, HIGH, NO_QUERIES = np.zeros(2), np.ones(2), np.empty((0, 2))


def test_a_wrong_answer_is_outside_of_the_bounds() -> None:
    """Each vector notices weights that are off by more than their rounding."""
    random = np.random.default_rng(0)
    x = hard_rows(golden.VECTOR_COUNT, LOW, HIGH, NO_QUERIES, LINE, None, "float32", random)
    module = LinearModel(2, 1)
    with torch.no_grad():
        module.linear.weight.copy_(torch.tensor([[1.5, -2.0]]))
        module.linear.bias.copy_(torch.tensor([0.25]))
    bound = rounding_bound.analytic(module, x)
    assert bound is not None
    y = golden.predictions(LINE, x, "float32")
    off = golden.predictions(
        Line(LINE.weight * (1 + 1e-5), LINE.bias * (1 + 1e-5), LINE.centre), x, "float32"
    )
    seen = np.abs(off - y) > bound
    assert seen.sum() >= 20, "all except rows that cancel or are tiny"


@pytest.mark.parametrize("gain", [1e-3, 1.0, 1e30])
def test_the_largest_rows_have_finite_answers(gain: float) -> None:
    line = Line(LINE.weight * gain, LINE.bias, LINE.centre)
    random = np.random.default_rng(0)
    x = hard_rows(32, LOW, HIGH, NO_QUERIES, line, None, "float32", random)
    largest = np.finfo(np.float32).max
    answers = np.abs(line.predict(x))
    assert (answers < largest).all()
    assert max(answers.max(), x.max()) > largest / 100, "near to the largest number"


def test_the_first_rows_are_queries_and_the_corners_of_the_training_range() -> None:
    queries = np.array([[4.0, 0.1]])
    random = np.random.default_rng(0)
    x = hard_rows(32, LOW, HIGH, queries, LINE, None, "float32", random)
    assert x[0].tolist() == [4.0, float(np.float32(0.1))], "rounded to the input's precision"
    assert x[1:6].tolist() == [[0, 0], [1, 1], [0.5, 0.5], [0, 1], [1, 0]]
    assert np.isfinite(x).all()
