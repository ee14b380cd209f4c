"""Each option of an optimizer reaches torch."""

from typing import Any

import pytest
import torch
from conftest import job
from own_modules import (
    parameters,
    tensors_of,
    trained,
)
from torch import nn


@pytest.mark.parametrize(
    "options",
    [
        {"momentum": 0.5},
        {"momentum": 0.5, "dampening": 0.3},
        {"momentum": 0.5, "nesterov": True},
        {"weight_decay": 0.1},
    ],
    ids=str,
)
def test_each_option_of_sgd_reaches_torch(options: dict[str, Any]) -> None:
    params = job(**{f"train__{key}": value for key, value in options.items()})
    x, y = tensors_of(params)
    torch.manual_seed(0)
    layer = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.01, **options)
    for _ in range(100):
        optimizer.zero_grad()
        ((layer(x) - y) ** 2).sum().backward()
        optimizer.step()
    ours = parameters(trained(params)[1])
    assert ours == pytest.approx(parameters(layer), rel=1e-5)
    assert ours != pytest.approx(parameters(trained(job())[1]), rel=1e-5)
