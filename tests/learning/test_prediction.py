"""Predictions are computed in float64, and leave the module as it was."""

import numpy as np
import torch
from own_modules import dropping, linear, normed
from torch import nn

from pipeline.learning import prediction


def test_predictions_are_the_shipped_lines() -> None:
    module = linear([[0.1, -3.0]], [7.0])
    x = np.array([[1.0, 2.0], [1e8, 0.5]])
    tenth = float(np.float32(0.1))
    assert prediction.predict(module, x).ravel().tolist() == [7 + tenth - 6, 7 + tenth * 1e8 - 1.5]


def test_another_module_is_measured_too() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Linear(4, 1))
    x = np.linspace(-1, 1, 5)[:, None]
    with torch.inference_mode():
        expected = module(torch.tensor(x, dtype=torch.float32)).numpy()
    np.testing.assert_allclose(prediction.predict(module, x), expected, rtol=1e-5)
    assert next(module.parameters()).dtype == torch.float32, "measuring must not change the model"
    assert prediction.line_of(module) is None


def test_eval_mode_puts_each_part_back_into_its_own_mode() -> None:
    module = nn.Sequential(normed(2, 2), dropping(2, 1))
    module[0].eval()
    modes = [part.training for part in module.modules()]
    assert True in modes
    assert False in modes
    statistics = module[0][1].running_mean.clone()  # type: ignore[index]
    with prediction.eval_mode(module):
        assert not any(part.training for part in module.modules())
        assert not module(torch.ones(3, 2)).requires_grad
    assert [part.training for part in module.modules()] == modes
    assert torch.equal(module[0][1].running_mean, statistics)  # type: ignore[index]
