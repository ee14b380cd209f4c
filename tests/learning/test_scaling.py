"""With model.standardize any module learns targets of any size, in the table's units."""

import numpy as np
import pytest
import torch
from own_modules import (
    asked,
    plain,
    refused,
    rows,
    use,
)

from pipeline.learning import prediction, training
from pipeline.learning.module import Standardized


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("size", [1e-6, 1.0, 1e3, 1e7])
def test_a_network_learns_targets_of_any_size_alike(
    monkeypatch: pytest.MonkeyPatch, optimizer: str, size: float
) -> None:
    use(monkeypatch, plain)
    params = asked(
        model__standardize=True,
        train__optimizer=optimizer,
        train__lr=0.2 if optimizer == "sgd" else 0.02,
        train__epochs=120,
    )
    table = rows(size=size)
    module, history = training.train(params, table)
    answers = prediction.predict(module, table.columns(("a", "b")))
    y = table.columns(("y",))
    assert 1 - np.mean((answers - y) ** 2) / np.var(y) > 0.98
    # The losses are in the table's units, as the metrics are.
    assert history[0][0] == pytest.approx(np.var(y), rel=1)
    assert history[-1][0] == pytest.approx(np.mean((answers - y) ** 2), rel=0.3)


def test_what_is_scaled_is_in_the_shipped_module(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, plain)
    table = rows(size=1e3)
    module, _ = training.train(asked(model__standardize=True), table)
    assert isinstance(module, Standardized)
    shipped = module.state_dict()
    y = table.columns(("y",))
    assert shipped["target_mean"].item() == np.float32(y.mean())
    assert shipped["target_deviation"].item() == pytest.approx(y.std(), rel=1e-6)
    x = torch.tensor(table.columns(("a", "b")), dtype=torch.float32)
    with torch.no_grad():
        inner = module.module((x - shipped["mean"]) / shipped["deviation"])
        again = shipped["target_mean"] + shipped["target_deviation"] * inner
        assert torch.equal(module(x), again)


def test_a_target_that_does_not_vary_is_not_divided_by_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, plain)
    table = rows()
    table.values[:, 2] = 5.3
    module, _ = training.train(asked(model__standardize=True, train__epochs=300), table)
    answers = prediction.predict(module, table.columns(("a", "b")))
    np.testing.assert_allclose(answers, 5.3, atol=0.2)
    table.values[:, 2] = np.linspace(0, 1e-40, 40)
    assert "model.standardize: y has a deviation of " in refused(
        asked(model__standardize=True), table
    )


def test_a_linear_model_has_no_scaled_targets() -> None:
    module, _ = training.train(asked(model__standardize=True), rows())
    assert set(module.state_dict()) == {"module.linear.weight", "module.linear.bias", "mean",
                                        "deviation"}  # fmt: skip
