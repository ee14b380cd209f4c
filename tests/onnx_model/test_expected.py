"""The differences that are allowed between the file's answers and torch's."""

import numpy as np
import torch
from onnx_files import linear, wanted
from torch import nn

from pipeline.exact.interval import Interval
from pipeline.onnx_model.expected import Expected
from pipeline.onnx_model.outputs import Answers

X = np.array([[1.0, 2.0, 3.0], [-4.0, 0.5, 0.0]])


def test_a_linear_model_is_allowed_its_rounding_and_no_tolerance() -> None:
    module = linear()
    expected = Expected(module, "abc", "uv", 20, rtol=1.0, atol=1.0)
    y = module(torch.from_numpy(X).float()).double().detach().numpy()
    (allowed,) = expected.allowed(X, y)
    assert allowed.shape == (2, 2)
    assert (allowed > 0).all()
    assert (allowed < 1e-5).all()


def test_another_module_is_allowed_its_tolerances_and_anything_where_it_may_overflow() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)).eval()
    x = np.vstack([X, [3e38, 0.0, 0.0]])
    y = np.array([[1.0, -10.0]] * 3)
    (without,) = wanted(module).allowed(x, y)
    (allowed,) = Expected(module, "abc", "uv", 20, rtol=0.5, atol=0.25).allowed(x, y)
    np.testing.assert_allclose(allowed[:2] - without[:2], [[0.75, 5.25]] * 2)
    assert np.isinf(allowed[2]).all()


def test_every_output_has_its_bounds() -> None:
    interval = Interval(np.zeros(3), np.eye(3), 1.0, np.array([2.0, 3.0]))
    module = Answers(linear(), interval, np.array([[-5.0] * 3, [5.0] * 3]))
    expected = wanted(module)
    assert [output.name for output in expected.outputs] == ["y", "low", "high", "in_range"]
    y, low, high, in_range = expected.allowed(X, np.zeros((2, 2)))
    assert (low > y).all(), "an end has the rounding of y and its own"
    assert np.array_equal(low, high)
    assert in_range.tolist() == [[0.0], [0.0]], "true and false are exact"
    assert expected.interval is interval
    assert expected.precision == "float32"
