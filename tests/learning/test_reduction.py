"""A training on reduced rows is the training on all rows."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from conftest import job
from own_modules import plain, use

from pipeline.columns import in_memory
from pipeline.exact.reduced_rows import reduced_rows
from pipeline.learning import construction, reduction, scaling, training
from pipeline.learning.module import LinearModel
from pipeline.settings.errors import UserError
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
    weights = np.array([[1.0, -0.5], [2.0, 0.3], [0.4, 1.5]])[:, :targets]
    y = x @ weights + draws.normal(size=(rows, targets)) + 4
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


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_several_targets(optimizer: dict[str, Any]) -> None:
    """Adam and L-BFGS move each target's weights by what the others' gradients are, or not."""
    params = asked(("y", "z"), **optimizer, model__standardize=True)
    are_equal(params, table(60, 3, targets=2), table(20, 4, targets=2))


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_columns_that_depend_on_each_other(optimizer: dict[str, Any]) -> None:
    rows, held_out = table(60, 5), table(20, 6)
    for each in (rows, held_out):
        each.values[:, 1] = 3 * each.values[:, 0] + 2
        each.values[:, 2] = 7.5
    changes = optimizer if "train__optimizer" in optimizer else optimizer | {"train__lr": 0.002}
    are_equal(asked(**changes), rows, held_out)


def test_a_target_that_is_a_formula_and_fewer_rows_than_columns() -> None:
    rows, held_out = table(3, 7), table(1, 8)
    rows.values[:, 3] = rows.values[:, 0] - 2
    are_equal(asked(), rows, held_out)


@pytest.mark.parametrize("reduction_of_loss", ["mean", "sum"])
def test_patience_stops_at_the_same_epoch_with_the_best_weights(reduction_of_loss: str) -> None:
    params = asked(
        train__patience=3,
        train__epochs=500,
        train__reduction=reduction_of_loss,
        train__lr=0.1 if reduction_of_loss == "mean" else 0.1 / 8,
    )
    rows, held_out = table(8, 9), table(30, 10)
    are_equal(params, rows, held_out)
    assert len(trajectory(params, True, rows, held_out)) < 500


def test_standardizing_keeps_digits_that_float32_rows_lose() -> None:
    """A column of 100,000 ± 1 in float32 has three digits left; its sums are exact."""
    rows, held_out = table(200, 11), table(50, 12)
    for each in (rows, held_out):
        each.values[:, 0] += 1e5
    # The mean that is subtracted is rounded for the file, in float32: the same in all three.
    double, single = (
        asked(model__standardize=True, model__dtype="float32", train__dtype=dtype)
        for dtype in ("float64", "float32")
    )
    truth = trajectory(double, False, rows, held_out)
    errors = [
        max(abs(np.concatenate(truth[:-1]) / np.concatenate(found[:-1]) - 1))
        for found in (trajectory(single, each, rows, held_out) for each in (True, False))
    ]
    assert errors[0] < 1e-5
    assert errors[0] < errors[1] / 10


def test_reduced_rows_are_divided_by_the_deviation_that_the_weights_are_divided_by() -> None:
    """In float32 the module has a rounded one."""
    params = asked(model__standardize=True, model__dtype="float32", train__dtype="float32")
    summary = in_memory.summary_of(table(200, 16), None, ("y",))
    mean, deviation = scaling.of_features(params, summary)
    rows = reduction.reduced(params, summary.train, 3, (mean, deviation))
    centred = reduced_rows(summary.train.gram.centred(np.append(mean.double().numpy(), 0.0)))
    of_module = deviation.float().double().numpy()
    assert rows.x.tolist() == (centred[:, :3] / of_module).astype(np.float32).tolist()


def test_a_training_that_diverges_gets_the_same_advice() -> None:
    rows, held_out = table(80, 13), table(20, 14)
    for standardize in (True, False):
        told = []
        for reduce_rows in (True, False):
            with pytest.raises(UserError) as caught:
                trajectory(
                    asked(train__lr=5.0, model__standardize=standardize),
                    reduce_rows,
                    rows,
                    held_out,
                )
            told.append(str(caught.value))
        assert told[0] == told[1]
        assert "set train.lr below" in told[0]


def is_wanted(rows: int, **changes: Any) -> bool:
    """Return whether a table of one feature and one target is reduced."""
    params = job(**changes)
    summary = in_memory.summary_of(Table(("x", "y"), np.ones((rows, 2))), None, ("y",))
    return reduction.is_wanted(params, construction.initial(params.model, 1, 1), summary)


def test_from_ten_thousand_rows_on_all_rows_at_once_are_reduced() -> None:
    assert not is_wanted(9_999)
    assert is_wanted(10_000)
    assert is_wanted(10_000, train__optimizer="lbfgs")
    assert not is_wanted(10_000, train__batch_size=8)
    assert not is_wanted(10_000, train__reduce_rows=False)
    assert is_wanted(3, train__reduce_rows=True)


def test_rows_that_were_left_where_they_are_are_reduced_however_few() -> None:
    left = {"data__source": "data/raw/t.parquet", "data__keep_rows": False}
    assert is_wanted(3, **left)


def test_with_many_columns_a_reduction_takes_longer_than_it_saves() -> None:
    names = (*(f"x{column}" for column in range(198)), "y")
    for rows, wanted in ((39_999, False), (40_000, True)):
        part = in_memory.summary_of(Table(("x", "y"), np.ones((rows, 2))), None, ("y",))
        summary = replace(part, features=names[:-1])
        assert reduction.is_wanted(job(), LinearModel(198, 1), summary) == wanted


def test_a_network_is_trained_on_the_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, plain)
    assert not is_wanted(20_000)


def test_one_line_says_that_rows_are_reduced(capsys: pytest.CaptureFixture[str]) -> None:
    params = asked(train__epochs=1, data__test_fraction=0.0)
    rows = table(12_000, 15)
    training.train(params, rows)
    told = "trains on 5 rows with the same loss and gradient as 12,000 (train.reduce_rows)\n"
    assert capsys.readouterr().out == told
