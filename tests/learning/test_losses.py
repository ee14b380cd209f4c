"""Each loss function is the one that its name promises, in training and in the reports."""

from typing import Any

import numpy as np
import pytest
import torch
from conftest import job
from noisy_line import held_out_job
from own_modules import asked, plain, refused, rows, use
from statsmodels.regression.quantile_regression import QuantReg
from torch import nn

from pipeline.columns import in_memory
from pipeline.learning import huber_threshold, losses, training
from pipeline.learning.loss_function import LossFunction
from pipeline.learning.prediction import line_of, predict
from pipeline.settings.errors import UserError
from pipeline.settings.keys.train_settings import loss_kind
from pipeline.tables.table import Table

ERRORS = np.array([[-3.0, 0.25], [0.5, -0.5], [2.0, 400.0], [0.0, -1e-3]])


def function(text: str, targets: int = 1) -> LossFunction:
    kind = loss_kind(text)
    if kind.name == "huber" and kind.number is not None:
        return LossFunction(kind, (kind.number,) * targets)
    return LossFunction(kind)


def pinball(error: torch.Tensor, share: float) -> torch.Tensor:
    return torch.clamp(error, min=0) * share + torch.clamp(-error, min=0) * (1 - share)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("loss", ["absolute", "huber:0.75", "quantile:0.9"])
def test_losses_and_gradients_are_torchs_own(loss: str, reduction: str) -> None:
    y = torch.from_numpy(ERRORS)
    gradients = []
    ours = losses.criterion(function(loss, 2), reduction, 1.0)
    theirs: dict[str, Any] = {
        "absolute": nn.L1Loss(reduction=reduction),
        "huber:0.75": nn.HuberLoss(reduction=reduction, delta=0.75),
        "quantile:0.9": lambda p, y: getattr(pinball(y - p, 0.9), reduction)(),
    }
    for criterion in (ours, theirs[loss]):
        prediction = torch.full_like(y, 1e-12).requires_grad_()  # no error is exactly 0
        value = criterion(prediction, y)
        value.backward()
        gradients.append((value.item(), prediction.grad))
    assert gradients[0][0] == pytest.approx(gradients[1][0], rel=1e-15)
    torch.testing.assert_close(gradients[0][1], gradients[1][1], rtol=1e-14, atol=0)
    told = function(loss, 2).of(ERRORS)
    assert ours(torch.zeros_like(y), y).item() == pytest.approx(getattr(told, reduction)())


def test_a_threshold_belongs_to_its_target_and_its_unit() -> None:
    huber = LossFunction(loss_kind("huber"), (1.0, 100.0))
    unit = torch.tensor([0.5, 20.0])
    scaled = losses.in_unit(huber, unit)
    assert scaled is not None
    assert scaled.thresholds == (2.0, 5.0)
    y = torch.from_numpy(ERRORS)
    criterion = losses.criterion(scaled, "sum", 1.0)
    in_table = losses.criterion(huber, "sum", 1.0)
    one_column = y * torch.tensor([1.0, 0.0])
    zero = torch.zeros_like(y)
    assert criterion(zero, one_column / unit).item() * 0.25 == pytest.approx(
        in_table(zero, one_column).item()
    )


def noisy(count: int = 200) -> Table:
    """Return rows on a line whose errors have heavy tails."""
    random = np.random.default_rng(1)
    x = random.normal(size=(count, 2))
    y = 3 + x[:, :1] - 2 * x[:, 1:] + 0.5 * random.standard_t(2, size=(count, 1))
    return Table(("a", "b", "y"), np.hstack([x, y]))


@pytest.mark.parametrize(("loss", "share"), [("quantile:0.9", 0.9), ("absolute", 0.5)])
def test_adam_comes_to_the_quantile_regression_of_statsmodels(loss: str, share: float) -> None:
    table = noisy()
    params = asked(
        train__loss=loss,
        train__batch_size=None,
        train__epochs=400,
        train__lr=0.05,
        train__dtype="float64",
    )
    module, history = training.train(params, table)
    x, y = table.columns(["a", "b"]), table.columns(["y"])
    design = np.hstack([np.ones((len(x), 1)), x])
    best = QuantReg(y[:, 0], design).fit(q=share).params
    line = line_of(module)
    assert line is not None
    np.testing.assert_allclose([*line.bias, *line.weight[0]], best, atol=0.03)
    smallest = function(loss).of(y - (design @ best)[:, None]).mean()
    assert history[-1][0] < 1.001 * smallest
    assert np.mean(y <= predict(module, x)) == pytest.approx(share, abs=0.02)


@pytest.mark.parametrize("loss", ["huber:0.5", "absolute", "quantile:0.7"])
def test_mini_batches_report_the_loss_of_all_rows(loss: str) -> None:
    """The last batch is smaller: 40 = 2·16 + 8. With a tiny learning rate all is one model."""
    table = rows()
    for reduction in ("sum", "mean"):
        told = {}
        for size in (None, 16):
            params = asked(
                train__loss=loss,
                train__batch_size=size,
                train__reduction=reduction,
                train__lr=1e-12,
                train__dtype="float64",
                train__epochs=1,
            )
            module, history = training.train(params, table)
            told[size] = history[0][0]
        y, x = table.columns(["y"]), table.columns(["a", "b"])
        shown = getattr(function(loss).of(y - predict(module, x)), reduction)()
        assert told[None] == pytest.approx(told[16], rel=1e-9)
        assert told[None] == pytest.approx(shown, rel=1e-6)  # the weights ship in float32


def test_patience_watches_the_same_loss_on_the_rows_held_out() -> None:
    params, train, test = held_out_job(train__patience=20, train__loss="absolute")
    module, history = training.train(params, train, test)
    features, targets = train.names[:-1], train.names[-1:]
    errors = np.abs(test.columns(targets) - predict(module, test.columns(features)))
    held_out = [loss for _, loss in history if loss is not None]
    assert len(history) < params.train.epochs
    assert errors.mean() == pytest.approx(min(held_out), rel=1e-3)


def test_a_network_in_standard_units_has_its_loss_in_those_of_the_table(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, plain)
    table = rows(size=1000.0)
    params = asked(
        train__loss="huber",
        model__standardize=True,
        train__lr=1e-9,
        train__batch_size=None,
        train__epochs=1,
        train__dtype="float64",
        model__dtype="float64",
    )
    module, history = training.train(params, table)
    summary = in_memory.summary_of(table, None, ("y",))
    huber = huber_threshold.loss_function(params, summary, lambda: [table])
    assert huber is not None
    assert huber.thresholds[0] > 100
    errors = table.columns(["y"]) - predict(module, table.columns(["a", "b"]))
    assert history[0][0] == pytest.approx(huber.of(errors).mean(), rel=1e-6)


def test_a_rate_too_large_for_the_absolute_loss_is_one_message() -> None:
    told = refused_after_training(train__loss="absolute", train__lr=1e6)
    assert "the fit diverged: in epoch" in told
    assert "set train.lr below 1e+06, to 100000 for a start" in told
    assert "the largest that can converge" not in told  # that limit is the squared loss's


def refused_after_training(**changes: Any) -> str:
    params = asked(train__optimizer="sgd", train__batch_size=None, train__epochs=50, **changes)
    with pytest.raises(UserError) as caught:
        training.train(params, rows())
    return str(caught.value)


def test_squared_errors_stay_torchs_own_kernel() -> None:
    """Their sums have the bits that the tutorial's job promises."""
    criterion = losses.criterion(None, "sum", 1.0)
    assert isinstance(criterion, nn.MSELoss)
    assert job().train.loss == "squared"


def test_huber_on_a_table_without_errors_asks_for_a_threshold() -> None:
    table = rows()
    exact = Table(table.names, np.hstack([table.values[:, :2], table.values[:, :1] * 2 + 1]))
    told = refused(asked(train__loss="huber"), exact)
    assert "at least half of the training rows lie on the least-squares line of y" in told
    assert "such as huber:1.5" in told
    training.train(asked(train__loss="huber:0.1"), exact)
