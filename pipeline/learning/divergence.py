"""Divergence of a fit: its signs, and the learning rate above which it is certain."""

import functools
import math
from collections.abc import Callable
from decimal import ROUND_DOWN, Context

import numpy as np
import torch
from torch import nn

from pipeline.columns.summary import Summary
from pipeline.exact.curvature import largest_eigenvalue
from pipeline.learning.module import LinearModel, Standardized
from pipeline.learning.prediction import to_numpy
from pipeline.settings.errors import UserError
from pipeline.settings.keys.train_settings import LossKind
from pipeline.settings.params import Params

DIVERGENCE_FACTOR = 1e6
"""Of squared errors: the errors themselves are a thousand times as large."""


def factor(kind: LossKind) -> float:
    """Return the factor by which a loss grows if the errors grow a thousand times."""
    return DIVERGENCE_FACTOR if kind.is_squared else math.sqrt(DIVERGENCE_FACTOR)


class DivergedError(UserError):
    """The loss grows instead of shrinking."""

    def __init__(self, epoch: int, what: str) -> None:
        super().__init__(f"the fit diverged: in epoch {epoch} {what}")


class LossLimit:
    """Diverged if loss > factor · max(first loss, loss of predicting zero).

    Waiting for an infinite loss would take as many epochs as the whole range of float32 needs.
    """

    def __init__(self, zero_loss: float, factor: float = DIVERGENCE_FACTOR) -> None:
        """zero_loss: the loss of predicting zero."""
        self.factor, self.value = factor, factor * zero_loss

    def check(self, epoch: int, loss: float, held_out_loss: float | None) -> None:
        """Raise DivergedError if the loss of `epoch` is too large, or a loss is not finite."""
        if epoch == 1:
            self.value = max(self.value, self.factor * loss)
        if not math.isfinite(loss) or loss > self.value:
            raise DivergedError(epoch, f"the loss is {loss:.4g}")
        if held_out_loss is not None and not math.isfinite(held_out_loss):
            raise DivergedError(epoch, f"the loss of the rows held out is {held_out_loss:.4g}")


def refuse_infinite(epoch: int, module: nn.Module) -> None:
    """Raise DivergedError if the updates of `epoch` made a parameter infinite."""
    if not all(bool(torch.isfinite(value).all()) for value in module.parameters()):
        raise DivergedError(epoch, "the parameters are infinite")


class RisingLoss:
    """Callback that passes each epoch's losses on, and stops a descent that cannot converge.

    Gradient descent on all rows of a linear model's squared error converges only below
    `limit_of_lr`. Above it, a loss that rises once rises for ever.
    """

    def __init__(
        self,
        lr: float,
        largest_lr: Callable[[], float | None],
        on_epoch: Callable[[int, float, float | None], None],
    ) -> None:
        """largest_lr: computes the limit; None without a limit. on_epoch: gets the losses."""
        self.lr = lr
        # Called only if a loss rises: a wide table's eigenvalues take longer than its training.
        self.largest_lr = functools.cache(largest_lr)
        self.on_epoch = on_epoch
        self.last = math.inf

    def __call__(self, epoch: int, loss: float, held_out_loss: float | None) -> None:
        """Pass the losses on. Raises DivergedError if the loss will rise for ever."""
        self.on_epoch(epoch, loss, held_out_loss)
        if loss > self.last and self.lr > (self.largest_lr() or math.inf):
            raise DivergedError(epoch, f"the loss is {loss:.4g}")
        self.last = loss

    def advice(self) -> str:
        """Return the advice with which the fit does not diverge."""
        largest = self.largest_lr()
        if largest is None:
            return f"set train.lr below {self.lr:g}, to {self.lr / 10:g} for a start"
        if self.lr <= largest:
            return "the numbers are too large for train.dtype; set it to float64 or scale the table"
        # Rounded down: with the number shown the fit must converge.
        shown = float(Context(prec=4, rounding=ROUND_DOWN).create_decimal(largest))
        return (
            f"set train.lr below {shown:g}, the largest that can converge, to {shown / 2:.1g} for a"
            f" start (it is {self.lr:g})"
        )


def limit_of_lr(params: Params, module: nn.Module, summary: Summary) -> float | None:
    """Return the learning rate at which gradient descent on all rows stops converging: 2 / λmax.

    λmax is the largest eigenvalue of the loss's Hessian. For squared errors the Hessian is
    2 [x 1]ᵀ[x 1] for each target, divided by the number of errors if the loss is their mean, plus
    the weight decay.
    module: in training. None if it is not linear or not trained by plain descent on all rows; and
    for another loss, whose gradient does not grow with large errors: its descent swings instead.
    """
    settings = params.train
    plain = settings.optimizer == "sgd" and not settings.momentum
    inner = module.module if isinstance(module, Standardized) else module
    plain = plain and settings.loss_kind.is_squared and settings.batch_size is None
    if not plain or not isinstance(inner, LinearModel):
        return None
    gram, features, targets = summary.train.gram, len(summary.features), len(summary.targets)
    centre = scale = None
    if isinstance(module, Standardized):
        assert module.deviation is not None, "a model loaded from its file is not trained again"
        centre = np.append(to_numpy(module.mean), np.zeros(targets))
        scale = np.append(to_numpy(module.deviation), np.ones(targets))
    first = 1 if inner.linear.bias is None else 0
    largest = largest_eigenvalue(gram, range(first, 1 + features), centre, scale)
    errors = float(gram.weight * targets) if settings.reduction == "mean" else 1
    curvature = 2 * largest / errors + settings.weight_decay
    return 2 / curvature if 0 < curvature < math.inf else None
