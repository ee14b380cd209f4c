"""Many descents at once: SGD and Adam on all rows, for many settings and several tables.

A linear model's descent is a few products of small matrices. One product of [rows, features] and
[features, settings · targets] for each table takes the place of thousands of steps of Python. The
updates are torch.optim's, written out with a number for each setting: torch/optim/sgd.py,
torch/optim/adam.py.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from pipeline.learning.divergence import DIVERGENCE_FACTOR
from pipeline.settings.params import Train

MOST_LOSSES_KEPT = 100
"""Of one descent. Of more epochs the kept ones are spaced by a constant factor."""

BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8
"""Adam's, as torch.optim.Adam has them."""


@dataclass(frozen=True)
class Tables:
    """Rows of the tables to train on.

    x: [tables, rows, features], with a last column of ones for a bias; y: [tables, rows, targets].
    each: how many rows each row counts for in a sum of errors, [tables].
    """

    x: torch.Tensor
    y: torch.Tensor
    each: torch.Tensor


@dataclass(frozen=True)
class Descents:
    """What became of the descents.

    weights: [tables, features, settings, targets].
    losses: of each setting on the first table, the epochs and the losses before their updates.
    diverged: the epoch in which the descent diverged, 0 if it did not: [tables, settings].
    rose: the first epoch with a larger loss than the one before, on the first table, or 0.
    """

    weights: torch.Tensor
    losses: list[list[tuple[int, float]]]
    diverged: list[list[int]]
    rose: list[int]


def kept_epochs(epochs: int) -> set[int]:
    """Return the epochs whose losses are kept: all, or from the first to the last by a factor."""
    if epochs <= MOST_LOSSES_KEPT:
        return {*range(1, epochs + 1)}
    return {*np.geomspace(1, epochs, MOST_LOSSES_KEPT).round().astype(int).tolist(), epochs}


def descend(
    tables: Tables,
    start: torch.Tensor,
    settings: Sequence[Train],
    advance: Callable[[int], object] = lambda _: None,
) -> Descents:
    """Return the descents from `start` for all settings on all tables.

    start: [features, targets]. settings: their optimizer, reduction and dtype are the same; lr,
    momentum, dampening, weight_decay, nesterov and epochs are each one's own.
    advance: gets the number of epochs after each step.
    """
    state = _State(tables, start, settings)
    ends = sorted({each.epochs for each in settings})
    wanted = set().union(*map(kept_epochs, ends))
    for epoch in range(1, ends[-1] + 1):
        loss, gradient = state.loss_and_gradient()
        state.note(epoch, loss, keep=epoch in wanted)
        state.update(epoch, gradient)
        advance(len(state.active))
        if epoch == ends[0]:
            state.finish(epoch)
            ends = ends[1:]
    return state.result()


@dataclass
class _Moving:
    """Tensors that change from step to step, with the settings along the last dimension but one."""

    weights: torch.Tensor
    first: torch.Tensor
    """Momentum's buffer, or Adam's mean of the gradients."""
    second: torch.Tensor
    """Adam's mean of the squared gradients."""


@dataclass
class _Fixed:
    """Numbers of the settings, [settings, 1] each."""

    lr: torch.Tensor
    momentum: torch.Tensor
    new_share: torch.Tensor
    """1 − dampening; 1 without momentum, as torch has it."""
    weight_decay: torch.Tensor
    nesterov: torch.Tensor


@dataclass
class _Notes:
    """What is noted of the descents that are not finished, for each table and setting."""

    limit: torch.Tensor
    last: torch.Tensor
    diverged: torch.Tensor
    rose: torch.Tensor


@dataclass
class _Kept:
    """Losses of an epoch, of the settings at these places."""

    epoch: int
    places: list[int]
    losses: torch.Tensor


@dataclass
class _Finished:
    weights: dict[int, torch.Tensor] = field(default_factory=dict)
    diverged: dict[int, list[int]] = field(default_factory=dict)
    rose: dict[int, int] = field(default_factory=dict)


class _State:
    """The descents that are not finished."""

    def __init__(self, tables: Tables, start: torch.Tensor, settings: Sequence[Train]) -> None:
        self.x, self.y, self.each = tables.x, tables.y[:, :, None, :], tables.each[:, None]
        self.settings = settings
        self.is_mean = settings[0].reduction == "mean"
        self.is_adam = settings[0].optimizer == "adam"
        count, (parts, rows, _), targets = len(settings), tables.x.shape, tables.y.shape[2]
        self.size = rows * targets
        """Number of errors of a table."""
        self.slope = 2 / self.size if self.is_mean else 2 * self.each[:, :, None]
        """Factor of x · error in the gradient: a number, or [tables, 1, 1]."""
        self.active = [*range(count)]
        weights = start[None, :, None, :].repeat(parts, 1, count, 1)
        self.moving = _Moving(weights, *(torch.zeros_like(weights) for _ in range(2)))
        self.fixed = _Fixed(
            self._numbers([each.lr for each in settings]),
            self._numbers([each.momentum for each in settings]),
            self._numbers([1 - each.dampening * bool(each.momentum) for each in settings]),
            self._numbers([each.weight_decay for each in settings]),
            torch.tensor([[each.nesterov] for each in settings], device=self.x.device),
        )
        zero = self._scaled(tables.y.square().sum((1, 2))[:, None])
        self.notes = _Notes(
            (DIVERGENCE_FACTOR * zero).expand(parts, count),
            torch.full((count,), math.inf, device=self.x.device),
            torch.zeros(parts, count, dtype=torch.int64, device=self.x.device),
            torch.zeros(count, dtype=torch.int64, device=self.x.device),
        )
        self.kept: list[_Kept] = []
        self.finished = _Finished()

    def _numbers(self, values: Sequence[float]) -> torch.Tensor:
        return torch.tensor(values, dtype=self.x.dtype, device=self.x.device)[:, None]

    def _scaled(self, squares: torch.Tensor) -> torch.Tensor:
        """Return the losses for sums of squared errors, [tables, settings]."""
        return squares / self.size if self.is_mean else squares * self.each

    def loss_and_gradient(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the losses [tables, settings], and the gradients in the shape of the weights."""
        weights = self.moving.weights
        predicted = torch.bmm(self.x, weights.flatten(2))
        errors = predicted.view(*predicted.shape[:2], *weights.shape[2:]) - self.y
        loss = self._scaled(errors.square().sum((1, 3)))
        gradient = torch.bmm(self.x.mT, errors.flatten(2) * self.slope)
        return loss, gradient.view_as(weights)

    def note(self, epoch: int, loss: torch.Tensor, *, keep: bool) -> None:
        """Note the losses of an epoch, and what they show of divergence: see LossLimit."""
        notes = self.notes
        if epoch == 1:
            notes.limit = torch.maximum(notes.limit, DIVERGENCE_FACTOR * loss)
        # Not `loss > limit`, which is false for NaN.
        is_first = (notes.diverged == 0) & ~((loss <= notes.limit) & loss.isfinite())
        notes.diverged.masked_fill_(is_first, epoch)
        notes.rose.masked_fill_((notes.rose == 0) & (loss[0] > notes.last), epoch)
        notes.last = loss[0]
        if keep:
            self.kept.append(_Kept(epoch, self.active, loss[0]))

    def update(self, epoch: int, gradient: torch.Tensor) -> None:
        """Make a step of every descent."""
        moving, fixed = self.moving, self.fixed
        if bool(fixed.weight_decay.any()):
            gradient = gradient + moving.weights * fixed.weight_decay
        if self.is_adam:
            moving.first.lerp_(gradient, 1 - BETA_1)
            moving.second.mul_(BETA_2).addcmul_(gradient, gradient, value=1 - BETA_2)
            root = math.sqrt(1 - BETA_2**epoch)
            step = moving.first / (moving.second.sqrt() / root).add_(EPSILON)
            moving.weights.sub_(step * (fixed.lr / (1 - BETA_1**epoch)))
            return
        if bool(fixed.momentum.any()):
            if epoch == 1:  # torch's buffer begins with the whole gradient
                moving.first = gradient.clone()
            else:
                moving.first.mul_(fixed.momentum).add_(gradient * fixed.new_share)
            ahead = gradient + moving.first * fixed.momentum
            gradient = torch.where(fixed.nesterov, ahead, moving.first)
        moving.weights.sub_(gradient * fixed.lr)

    def finish(self, epoch: int) -> None:
        """Take the descents out that end after this epoch."""
        ends = [self.settings[place].epochs == epoch for place in self.active]
        diverged, rose = self.notes.diverged.T.tolist(), self.notes.rose.tolist()
        for index, place in enumerate(self.active):
            if ends[index]:
                self.finished.weights[place] = self.moving.weights[:, :, index].clone()
                self.finished.diverged[place] = diverged[index]
                self.finished.rose[place] = rose[index]
        self.active = [place for place, end in zip(self.active, ends, strict=True) if not end]
        rest = torch.tensor([index for index, end in enumerate(ends) if not end], dtype=torch.int64)
        rest = rest.to(self.x.device)
        for group, dimension in ((self.moving, 2), (self.fixed, 0), (self.notes, -1)):
            for name, tensor in vars(group).items():
                setattr(group, name, tensor.index_select(dimension, rest))

    def result(self) -> Descents:
        """Return the descents, when all are finished."""
        places = range(len(self.settings))
        weights = torch.stack([self.finished.weights[place] for place in places], dim=2)
        losses: list[list[tuple[int, float]]] = [[] for _ in places]
        epochs = {each.epochs: kept_epochs(each.epochs) for each in self.settings}
        for kept in self.kept:
            for place, loss in zip(kept.places, kept.losses.tolist(), strict=True):
                if kept.epoch in epochs[self.settings[place].epochs]:
                    losses[place].append((kept.epoch, loss))
        diverged = [self.finished.diverged[place] for place in places]
        infinite = ~weights.isfinite().all(dim=3).all(dim=1).T.cpu()  # [settings, tables]
        for place, tables in enumerate(infinite.tolist()):
            for table, is_infinite in enumerate(tables):
                if is_infinite and not diverged[place][table]:
                    diverged[place][table] = self.settings[place].epochs
        by_table = [list(column) for column in zip(*diverged, strict=True)]
        return Descents(weights, losses, by_table, [self.finished.rose[place] for place in places])
