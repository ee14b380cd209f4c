"""A noisy line that few rows and many features overfit is fitted as each optimizer promises."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from conftest import job
from torch import nn

from pipeline.learning import prediction, tensors, training
from pipeline.settings.params import Params
from pipeline.tables.generated import generated_table
from pipeline.tables.table import Table


def held_out_job(**changes: object) -> tuple[Params, Table, Table]:
    """Return a job on a noisy line with few rows and many features, its rows and those held out."""
    params = job(
        data__features=[f"x{index}" for index in range(20)],
        data__generate__x=None,
        data__generate__rows=60,
        data__generate__weight=[[1.0]] + [[0.0]] * 19,
        data__generate__noise=2.0,
        train__reduction="mean",
        train__lr=0.02,
        train__epochs=3000,
        data__test_fraction=0.5,
        evaluate__queries=[],
        **changes,
    )
    rows = generated_table(params.data, params.seed)
    half = len(rows.values) // 2
    return params, Table(rows.names, rows.values[:half]), Table(rows.names, rows.values[half:])


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


def test_the_exact_solution_is_rounded_once() -> None:
    params, rows, held_out = held_out_job()
    exact = params.train.model_copy(update={"optimizer": "exact"})
    single = params.model_copy(update={"train": exact})
    double = single.model_copy(
        update={"model": params.model.model_copy(update={"dtype": "float64"})}
    )
    lines = [
        prediction.line_of(training.train(each, rows, held_out)[0]) for each in (single, double)
    ]
    assert lines[0] is not None
    assert lines[1] is not None
    np.testing.assert_array_equal(lines[0].weight, lines[1].weight.astype(np.float32))
    x = [[Fraction(1), *map(Fraction, row[:-1])] for row in rows.values.tolist()]
    y = [Fraction(row[-1]) for row in rows.values.tolist()]
    numbers = [Fraction(float(lines[1].bias[0])), *map(Fraction, lines[1].weight[0].tolist())]
    errors = [
        b - sum(a * w for a, w in zip(row, numbers, strict=True))
        for row, b in zip(x, y, strict=True)
    ]
    # The residuals are orthogonal to every column, except for the one rounding of the weights.
    for column in zip(*x, strict=True):
        assert abs(float(sum(a * e for a, e in zip(column, errors, strict=True)))) < 1e-13
