"""A linear model read without torch is the model that was saved."""

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import job
from torch import nn

from pipeline.learning import prediction, weights
from pipeline.learning.line import Line, load_line
from pipeline.learning.module import LinearModel
from pipeline.settings.errors import UserError
from pipeline.settings.ids import Training


def test_what_is_read_without_torch_is_what_was_saved(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    for bias in (True, False):
        torch.manual_seed(0)
        module = LinearModel(3, 2, bias)
        weights.save(path, module, torch.float32, Training("a" * 32, {}))
        line = load_line(path, job(model__bias=bias).model, 3, 2)
        with pytest.raises(UserError, match=r"not this job's model \(found .* must be "):
            load_line(path, job(model__bias=not bias).model, 3, 2)
        known = prediction.line_of(module)
        assert line is not None
        assert known is not None
        np.testing.assert_array_equal(line.weight, known.weight)
        np.testing.assert_array_equal(line.bias, known.bias)
        assert (line.bias != 0).any() == bias


def test_a_module_is_not_taken_for_linear_by_the_names_of_its_tensors(tmp_path: Path) -> None:
    class Bent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(1, 1)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.tanh(self.linear(x))

    weights.save(tmp_path / "model.safetensors", Bent(), torch.float32, Training("a" * 32, {}))
    assert load_line(tmp_path / "model.safetensors", job().model, 1, 1) is None


def test_an_intercept_is_the_prediction_at_zero_rounded_once() -> None:
    """In float64 the sum of 1e16 and 1 would lose the 1 before 1e16 is taken away again."""
    line = Line(np.array([[1.0, 1.0, -1.0]]), np.zeros(1), np.array([-1e16, -1.0, -1e16]))
    assert line.intercepts().tolist() == [1.0]
