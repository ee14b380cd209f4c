"""A training on reduced rows is the training on all rows."""

from typing import Any

import numpy as np
import pytest
from conftest import job

from pipeline.learning import training
from pipeline.settings.params import Params
from pipeline.tables.table import Table

Trajectory = list[list[float]]
"""Of each epoch the losses, and at the end the parameters."""

FEATURES = ("a", "b", "c")


def asked(targets: tuple[str, ...] = ("y",), **changes: Any) -> Params:
    """Return a job in float64 on columns a, b and c."""
    usual: dict[str, Any] = {
        "data__source": "data/raw/t.csv",
        "data__features": [*FEATURES],
        "data__targets": [*targets],
        "data__test_fraction": 0.3,
        "evaluate__queries": [],
        "train__dtype": "float64",
        "model__dtype": "float64",
        "train__epochs": 30,
        "train__lr": 0.02,
        "train__reduction": "mean",
    }
    return job(**(usual | changes))


def table(rows: int, seed: int, targets: int = 1) -> Table:
    """Return a noisy table with columns of other sizes and means."""
    draws = np.random.default_rng(seed)
    x = draws.normal(size=(rows, 3)) * [1, 0.3, 2] + [0.5, -1, 0]
    y = x @ draws.normal(size=(3, targets)) + draws.normal(size=(rows, targets)) + 4
    return Table((*FEATURES, "y", "z")[: 3 + targets], np.hstack([x, y]))


def trajectory(params: Params, reduce_rows: bool, rows: Table, held_out: Table) -> Trajectory:
    """Return the losses of each epoch and the weights after it."""
    train = params.train.model_copy(update={"reduce_rows": reduce_rows})
    params = params.model_copy(update={"train": train})
    module, losses = training.train(params, rows, held_out)
    numbers = [value for each in module.state_dict().values() for value in each.flatten().tolist()]
    return [*([value for value in pair if value is not None] for pair in losses), numbers]


def are_equal(params: Params, rows: Table, held_out: Table, tolerance: float = 1e-12) -> None:
    """Assert that both trajectories are equal, within `tolerance` of the size of their numbers."""
    reduced, whole = (trajectory(params, each, rows, held_out) for each in (True, False))
    assert len(reduced) == len(whole)
    for few, all_rows in zip(reduced, whole, strict=True):
        np.testing.assert_allclose(few, all_rows, rtol=tolerance, atol=tolerance)


OPTIMIZERS: list[dict[str, Any]] = [
    {},
    {"train__momentum": 0.9, "train__dampening": 0.5, "train__weight_decay": 0.1},
    {"train__momentum": 0.8, "train__nesterov": True},
    {"train__optimizer": "adam", "train__weight_decay": 0.01},
    {"train__optimizer": "adam", "train__portable": True},
    {"train__optimizer": "lbfgs", "train__lr": 1.0, "train__epochs": 4},
]


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("standardize", [True, False])
@pytest.mark.parametrize("reduction_of_loss", ["mean", "sum"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_losses_and_weights_are_equal(
    optimizer: dict[str, Any], reduction_of_loss: str, standardize: bool, bias: bool
) -> None:
    changes = optimizer | {
        "train__reduction": reduction_of_loss,
        "model__standardize": standardize,
        "model__bias": bias,
    }
    if reduction_of_loss == "sum" and "train__optimizer" not in optimizer:
        changes["train__lr"] = 0.02 / 80
    are_equal(asked(**changes), table(80, 1), table(30, 2))
