"""Models come back from their files, and predict the same with torch and without."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import job
from own_modules import (
    Build,
    asked,
    linear,
    rows,
    state,
    use,
)
from torch import nn

from pipeline.learning import prediction, training, weights
from pipeline.learning.checkpoint import Checkpoint
from pipeline.learning.line import load_line
from pipeline.learning.module import LinearModel
from pipeline.settings import files, ids
from pipeline.settings.errors import UserError

TRAINING = ids.Training("a" * 32, {str(files.TRAIN): "b" * 32})


def test_models_come_back_rounded_once(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    params = job()
    exact = linear([[2.0]], [0.0]).double()
    with torch.no_grad():
        exact.linear.weight += 1e-12
    weights.save(path, exact, torch.float32, TRAINING)
    loaded = weights.load(path, params.model, 1, 1)
    assert ids.trained_by(path) == TRAINING
    assert next(loaded.parameters()).dtype == torch.float32
    assert prediction.predict(loaded, np.array([[4.0]])).item() == 8
    first = path.read_bytes()
    weights.save(path, exact, torch.float32, TRAINING)
    assert path.read_bytes() == first
    for spoil in (lambda: path.write_bytes(first[:20]), lambda: weights.save(
        path, LinearModel(2, 1), torch.float32, TRAINING)):  # fmt: skip
        spoil()
        with pytest.raises(UserError, match=r"not this job's model"):
            weights.load(path, params.model, 1, 1)
        with pytest.raises(UserError, match=r"not this job's model"):
            load_line(path, params.model, 1, 1)
    with torch.no_grad():
        exact.linear.weight += 1e39
    with pytest.raises(UserError, match=r"model.dtype: linear.weight has values beyond"):
        weights.save(path, exact, torch.float32, TRAINING)


class Tied(nn.Module):
    """A layer used twice, and one whose weights are another's."""

    def __init__(self, features: int, targets: int) -> None:
        super().__init__()
        twice = nn.Linear(features, features)
        self.layers = nn.Sequential(twice, nn.Tanh(), twice, nn.Tanh())
        self.mirror = nn.Linear(features, features)
        self.mirror.weight = twice.weight
        self.last = nn.Linear(features, targets)

    def forward(self, x: torch.Tensor) -> Any:
        return self.last(self.mirror(self.layers(x)))


class Growing(nn.Module):
    """Makes its layers in its first forward: torch's lazy one, and one of its own."""

    def __init__(self, _: int, targets: int) -> None:
        super().__init__()
        self.lazy = nn.LazyLinear(6)
        self.last: nn.Module | None = None
        self.targets = targets

    def forward(self, x: torch.Tensor) -> Any:
        h = torch.tanh(self.lazy(x))
        if self.last is None:
            self.last = nn.Linear(h.shape[1], self.targets)
        return self.last(h)


@pytest.mark.parametrize("build", [Tied, Growing])
@pytest.mark.parametrize("optimizer", ["adam", pytest.param("lbfgs", marks=pytest.mark.slow)])
def test_tied_and_lazy_layers_are_trained_saved_and_loaded(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, build: Build, optimizer: str
) -> None:
    use(monkeypatch, build)
    batch = None if optimizer == "lbfgs" else 16
    params = asked(train__optimizer=optimizer, train__batch_size=batch, train__lr=0.1)
    table = rows()
    checkpoint = Checkpoint("id", 0)
    module, history = training.train(params, table, checkpoint=checkpoint)
    assert checkpoint.path.exists(), "its state can be kept"
    assert history[-1][0] < history[0][0] / 3
    weights.save(files.MODEL, module, torch.float32, TRAINING)
    loaded = weights.load(files.MODEL, params.model, 2, 1)
    assert state(loaded) == state(module)
    x = table.columns(("a", "b"))
    np.testing.assert_array_equal(prediction.predict(loaded, x), prediction.predict(module, x))
