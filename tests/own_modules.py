"""Modules to train, and trainings that take no file: for tests of pipeline/learning and beyond."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from conftest import job
from torch import nn

from pipeline.learning import training
from pipeline.learning.batches import InMemory
from pipeline.learning.loop import run_epochs
from pipeline.learning.module import LinearModel, build
from pipeline.learning.tensors import of_columns
from pipeline.learning.weights import DTYPES
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.settings.seeds import stream
from pipeline.tables.generated import generated_table
from pipeline.tables.table import Table

Build = Callable[[int, int], nn.Module]
"""Function from the number of features and of targets to a module."""


def normed(features: int, targets: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(features, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, targets)
    )


def dropping(features: int, targets: int) -> nn.Module:
    return nn.Sequential(nn.Linear(features, 8), nn.Tanh(), nn.Dropout(0.4), nn.Linear(8, targets))


def plain(features: int, targets: int) -> nn.Module:
    return nn.Sequential(nn.Linear(features, 8), nn.Tanh(), nn.Linear(8, targets))


class Network(nn.Module):
    """Three layers and an answer that each test changes a little."""

    def __init__(self, features: int, targets: int) -> None:
        super().__init__()
        self.first = nn.Linear(features, 8)
        self.last = nn.Linear(8, targets)

    def forward(self, x: torch.Tensor) -> Any:
        return self.last(torch.tanh(self.first(x)))


def linear(weight: list[list[float]], bias: list[float]) -> LinearModel:
    """Return the linear model with these parameters, in float32."""
    module = LinearModel(len(weight[0]), len(weight))
    module.load_state_dict(
        {"linear.weight": torch.tensor(weight), "linear.bias": torch.tensor(bias)}
    )
    return module


def use(monkeypatch: pytest.MonkeyPatch, build: Build) -> None:
    """Let `module.build` return another module than params.yaml says."""
    monkeypatch.setattr("pipeline.learning.module.build", lambda _, *sizes: build(*sizes))


def asked(**changes: Any) -> Params:
    return job(
        **{
            "data__features": ["a", "b"],
            "data__generate__x": None,
            "data__generate__rows": 40,
            "data__generate__weight": [[1.0], [-2.0]],
            "evaluate__queries": [],
            "train__optimizer": "adam",
            "train__epochs": 12,
            "train__batch_size": 16,
            "train__reduction": "mean",
        }
        | changes
    )


def rows(count: int = 40, seed: int = 0, size: float = 1.0) -> Table:
    x = np.random.default_rng(seed).normal(size=(count, 2))
    y = size * (np.sin(x[:, :1]) - 2 * x[:, 1:]) + 3 * size
    return Table(("a", "b", "y"), np.hstack([x, y]))


def state(module: nn.Module) -> dict[str, bytes]:
    return {name: value.numpy().tobytes() for name, value in module.state_dict().items()}


def refused(params: Params, table: Table | None = None) -> str:
    """Return the message of a training that does not start."""
    epochs: list[int] = []
    with pytest.raises(UserError) as caught:
        training.train(params, table or rows(), on_epoch=lambda epoch, *_: epochs.append(epoch))
    assert not epochs, "it was trained before it was refused"
    return str(caught.value)


def tensors_of(params: Params) -> tuple[torch.Tensor, torch.Tensor]:
    rows = generated_table(params.data, params.seed)
    dtype = DTYPES[params.train.dtype]
    # With NumPy's strides of a single column MKL takes routines that round differently on some.
    features, targets = tuple(params.data.columns), tuple(params.data.targets)
    return of_columns(rows, features, dtype), of_columns(rows, targets, dtype)


def trained(params: Params) -> tuple[list[float], nn.Module]:
    """Losses and model of a job, as the stages make them."""
    x, y = tensors_of(params)
    torch.manual_seed(params.seed)
    module = build(params.model, x.shape[1], y.shape[1]).to(x.dtype)
    shuffle = stream(params.seed, "shuffle")
    rows = InMemory(x, y)
    history = run_epochs(module, rows, params.train, shuffle, lambda *_: None)
    return [loss for loss, _ in history], module


def parameters(module: nn.Module) -> list[float]:
    return [value for tensor in module.parameters() for value in tensor.flatten().tolist()]
