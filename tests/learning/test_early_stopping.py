"""With patience, the module with the smallest held-out loss is the one that is saved."""

import numpy as np
import pytest
import torch
from noisy_line import held_out_job
from own_modules import (
    asked,
    normed,
    rows,
    use,
)
from torch import nn

from pipeline.learning import prediction, tensors, training


def test_the_module_with_the_smallest_held_out_loss_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, normed)
    params = asked(data__test_fraction=0.2, train__patience=100, train__dtype="float64")
    held_out = rows(10, 1)
    module, history = training.train(params, rows(), held_out)
    answers = prediction.predict(module, held_out.columns(("a", "b")))
    best = min(loss for _, loss in history if loss is not None)
    loss = np.mean((answers - held_out.columns(("y",))) ** 2)
    assert loss <= best * (1 + 1e-12), "patience keeps the best one"


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_early_stopping_keeps_the_best_weights(optimizer: str) -> None:
    params, rows, held_out = held_out_job(train__patience=7, train__optimizer=optimizer)
    module, history = training.train(params, rows, held_out)
    losses = [test_loss for _, test_loss in history if test_loss is not None]
    best = int(np.argmin(losses))
    assert len(history) == best + 1 + 7 < params.train.epochs
    x, y = tensors.of_table(params, held_out)
    with torch.inference_mode():
        assert nn.MSELoss()(module(x), y).item() == losses[best]
    without, _, _ = held_out_job(train__optimizer=optimizer)
    longer = training.train(without, rows, held_out)[1]
    assert len(longer) == params.train.epochs
    assert longer[: len(history)] == history, "early stopping changed the fit"
