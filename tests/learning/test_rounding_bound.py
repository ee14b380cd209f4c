"""The bounds of rounding errors hold, and are not much wider than they must be."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from onnx_files import TRAINING, network
from torch import nn

from pipeline.learning import prediction, rounding_bound
from pipeline.learning.module import LinearModel, Standardized


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("features", [1, 2, 30, 1000])
def test_the_bound_holds_for_torch_against_exact_arithmetic(
    dtype: torch.dtype, features: int
) -> None:
    """Half of the bound is each evaluation's own: torch is within it of the true answer."""
    torch.manual_seed(features)
    module = LinearModel(features, 1).to(dtype)
    x = torch.randn(20, features, dtype=torch.float64) * 10.0 ** torch.randint(-6, 6, (1, features))
    x = x.to(dtype)
    bound = rounding_bound.analytic(module, x.double().numpy())
    answers = module(x).detach().double().numpy()
    line = prediction.line_of(module)
    assert bound is not None
    assert line is not None
    weight, bias = [Fraction(value) for value in line.weight[0]], Fraction(line.bias[0])
    for row, answer, allowed in zip(x.tolist(), answers, bound, strict=True):
        exact = sum((Fraction(v) * w for v, w in zip(row, weight, strict=True)), bias)
        assert abs(Fraction(float(answer[0])) - exact) <= Fraction(float(allowed[0])) / 2


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e9])
def test_the_bound_of_a_network_grows_with_its_answers_and_shrinks_with_its_precision(
    size: float,
) -> None:
    module = network("tanh")
    assert isinstance(module, Standardized)
    x = TRAINING.astype(np.float32).astype(np.float64)
    plain = rounding_bound.monte_carlo(module, x)
    with torch.no_grad():
        for part in module.module[-1].parameters():  # type: ignore[index]
            part.mul_(size)
    scaled = rounding_bound.monte_carlo(module, x)
    np.testing.assert_allclose(scaled, plain * size, rtol=0.02)
    exact = rounding_bound.monte_carlo(module.double(), x)
    # The float64 of the evaluation itself rounds as much as is simulated here.
    np.testing.assert_allclose(exact, scaled * 2.0**-29, rtol=1)


def test_the_bound_of_a_network_is_about_that_of_the_terms_it_adds_up() -> None:
    """The bound is known for a linear model in disguise: the other one is near it."""

    class Disguised(nn.Module):
        def __init__(self, line: LinearModel) -> None:
            super().__init__()
            self.line = line

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.line(x)  # type: ignore[no-any-return]

    for features in (1, 10, 1000):
        torch.manual_seed(0)
        line = LinearModel(features, 1)
        random = np.random.default_rng(0)
        x = random.normal(size=(50, features)).astype(np.float32).astype(np.float64)
        right = rounding_bound.analytic(line, x)
        assert right is not None
        share = rounding_bound.monte_carlo(Disguised(line), x) / right
        assert share.min() > 0.05
        assert share.max() < 8


def test_no_answer_is_held_to_a_bound_where_it_may_overflow() -> None:
    module = network("relu")
    x = np.array([[1.0, 5e3, 1.0], [1e37, 5e3, 1.0]])
    assert np.isfinite(rounding_bound.monte_carlo(module, x)).all(axis=1).tolist() == [True, False]
