"""Each option of an optimizer reaches torch."""

from typing import Any

import numpy as np
import pytest
import torch
from conftest import job
from noisy_line import held_out_job
from own_modules import (
    parameters,
    tensors_of,
    trained,
)
from torch import nn

from pipeline.learning import prediction, training


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


def test_lbfgs_arrives_where_the_closed_form_is() -> None:
    params, rows, held_out = held_out_job()
    params = params.model_copy(
        update={
            "train": params.train.model_copy(
                update={"optimizer": "lbfgs", "lr": 1.0, "epochs": 10, "dtype": "float64"}
            )
        }
    )
    module, history = training.train(params, rows, held_out)
    exact = params.model_copy(
        update={"train": params.train.model_copy(update={"optimizer": "exact"})}
    )
    solved, (losses,) = training.train(exact, rows, held_out)
    assert history[-1][0] == pytest.approx(losses[0], rel=1e-6)
    ours, theirs = prediction.line_of(module), prediction.line_of(solved)
    assert ours is not None
    assert theirs is not None
    np.testing.assert_allclose(ours.weight, theirs.weight, rtol=1e-3, atol=1e-4)
