"""With patience, the module with the smallest held-out loss is the one that is saved."""

import numpy as np
import pytest
from own_modules import (
    asked,
    normed,
    rows,
    use,
)

from pipeline.learning import prediction, training


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
