"""The exact minimum of the Huber and the quantile loss, as a module of each precision."""

from dataclasses import replace

import numpy as np
import pytest
from conftest import job

from pipeline.learning import training
from pipeline.learning.module import LinearModel, Standardized
from pipeline.learning.prediction import predict
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.table import Table

TARGETS = ["y", "z"]


def a_job(**changes: object) -> Params:
    usual = {
        "data__features": ["a", "b", "c"],
        "data__targets": TARGETS,
        "data__generate__x": None,
        "data__generate__rows": 60,
        "data__generate__weight": [[1.0, 1.0]] * 3,
        "data__generate__bias": [0.0, 0.0],
        "evaluate__queries": [],
        "train__optimizer": "exact",
        "train__loss": "huber",
        "train__reduction": "mean",
        "model__dtype": "float64",
    }
    return job(**usual | changes)


def a_table(rows: int = 60) -> Table:
    """Return features, of which c is a copy, and two targets with a few rows far off."""
    random = np.random.default_rng(0)
    a, b = random.normal(size=rows), random.normal(50, 5, rows)
    y = 1 + 2 * a - b + random.normal(0, 0.1, rows)
    z = 3 - a + random.normal(0, 1, rows)
    y[::9] += 40
    return Table(("a", "b", "c", *TARGETS), np.column_stack([a, b, a, y, z]))


@pytest.mark.parametrize("standardize", [False, True])
def test_rows_far_off_move_the_line_little(standardize: bool) -> None:
    table = a_table()
    module, ((loss, held_out),) = training.train(
        a_job(model__standardize=standardize, train__loss="huber:0.5"), table, table
    )
    assert loss == held_out
    inner = module.module if isinstance(module, Standardized) else module
    assert isinstance(inner, LinearModel)
    weight = inner.linear.weight.detach().numpy()
    assert np.allclose(weight[0, :2], [2, -1], atol=0.1)
    assert weight[:, 2].tolist() == [0, 0], "a copy of another column"
    # No descent comes lower: a step of each number makes the loss larger.
    descent = {"train__optimizer": "lbfgs", "train__epochs": 60, "train__dtype": "float64"}
    again, history = training.train(a_job(**descent, train__loss="huber:0.5"), table)
    assert loss <= history[-1][0] * (1 + 1e-12)
    assert np.allclose(
        predict(module, table.values[:, :3]), predict(again, table.values[:, :3]), atol=1e-3
    )


@pytest.mark.parametrize("loss", ["absolute", "quantile:0.9"])
@pytest.mark.parametrize("standardize", [False, True])
def test_as_many_rows_lie_below_as_asked_for(loss: str, standardize: bool) -> None:
    table = a_table()
    params = a_job(model__standardize=standardize, train__loss=loss)
    module, ((trained, held_out),) = training.train(params, table, table)
    assert trained == held_out
    answers = predict(module, table.values[:, :3])
    errors = table.values[:, 3:] - answers
    share = params.train.loss_kind.share
    costs = np.abs(errors) if share is None else np.maximum(share * errors, (share - 1) * errors)
    assert costs.mean() == pytest.approx(trained, rel=1e-12)
    below = (errors < -1e-9).sum(axis=0), (errors <= 1e-9).sum(axis=0)
    assert np.all(below[0] <= 60 * (share or 0.5))
    assert np.all(below[1] >= 60 * (share or 0.5))


@pytest.mark.parametrize("loss", ["huber:0.2", "quantile:0.25"])
def test_frequencies_count_as_rows(loss: str) -> None:
    table, times = a_table(), (np.arange(60) % 3 + 1).astype(np.float64)
    weighted = replace(table, weights=times)
    repeated = Table(table.names, np.repeat(table.values, times.astype(int), axis=0))
    params = a_job(train__loss=loss)
    (one, losses), (other, others) = (training.train(params, each) for each in (weighted, repeated))
    assert losses == others
    x = table.values[:, :3]
    assert predict(one, x).tolist() == predict(other, x).tolist()


def test_a_table_without_a_minimum_in_reach_is_refused_by_name() -> None:
    with pytest.raises(UserError, match=r"train.loss: found huber:1e-30, for which exact finds no"):
        training.train(a_job(train__loss="huber:1e-30"), a_table())
