"""Configurations of full-batch linear training, all at once on the reduced rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.columns.summary import Summary
from pipeline.learning import construction, descents, fold_parts
from pipeline.learning.descents import Descents, Tables
from pipeline.learning.divergence import limit_of_lr
from pipeline.learning.fold_parts import Measured, TrainedPart
from pipeline.learning.module import LinearModel, Standardized
from pipeline.learning.outcomes import Trial, of_folds
from pipeline.learning.prediction import to_numpy
from pipeline.settings.params import Params

MOST_COLUMNS = 300
"""Of a table whose reduced rows take seconds; they take the cube of the columns."""

Floats = NDArray[np.float64]


def is_possible(params: Params, summary: Summary) -> bool:
    """True if a configuration of the linear model can be trained beside others."""
    train = params.train
    return (
        train.optimizer in ("sgd", "adam")
        and train.loss_kind.is_squared
        and train.batch_size is None
        and train.patience is None
        and len(summary.features) + len(summary.targets) <= MOST_COLUMNS
    )


def groups(jobs: Sequence[Params]) -> list[list[int]]:
    """Return the places of the jobs that can be trained at once, group by group."""
    places: dict[tuple[object, ...], list[int]] = {}
    for place, job in enumerate(jobs):
        train, model = job.train, job.model
        key = (train.optimizer, train.reduction, train.dtype, train.device)
        places.setdefault((*key, model.bias, model.standardize, model.dtype), []).append(place)
    return [*places.values()]


class LinearSweep:
    """Trainer of the groups of a sweep, which share the reduced rows."""

    def __init__(self, summary: Summary) -> None:
        self.summary = summary
        self._parts: dict[tuple[object, ...], _Parts] = {}

    def trials(
        self, jobs: Sequence[Params], advance: Callable[[int], object] = lambda _: None
    ) -> list[Trial]:
        """Train the jobs of one group; return what became of each.

        advance: gets numbers of epochs that are done. Raises UserError if a column cannot be
        standardized.
        """
        first, parts = jobs[0], self._parts_for(jobs[0])
        torch.manual_seed(first.seed)
        module = construction.initial(
            first.model, len(self.summary.features), len(self.summary.targets)
        )
        assert isinstance(module, LinearModel)
        x = torch.stack([part.x for part in parts.trained])
        y = torch.stack([part.y for part in parts.trained])
        module.to(x.device, x.dtype)
        start = module.linear.weight.detach().T
        if module.linear.bias is not None:
            start = torch.cat([start, module.linear.bias.detach()[None]])
            x = torch.cat([x, torch.ones_like(x[:, :, :1])], dim=2)
        tables = Tables(x, y, x.new_tensor([part.each for part in parts.trained]))
        result = descents.descend(tables, start, [job.train for job in jobs], advance)
        scales = parts.trained[0].scales
        whole = module if scales is None else Standardized(module, *scales)
        diverged = [_hopeless(jobs, result, whole, self.summary), *result.diverged[1:]]
        return _trials(jobs, parts, result, diverged)

    def _parts_for(self, params: Params) -> "_Parts":
        model, train = params.model, params.train
        key = (train.dtype, train.device, model.bias, model.standardize, model.dtype)
        if key not in self._parts:
            trained, test = fold_parts.trained_parts(params, self.summary), self.summary.test
            features = len(self.summary.features)
            measured = Measured.of(test, features, trained[0].centre) if test.rows else None
            folds = [fold.number for fold in self.summary.folds_with_rows]
            self._parts[key] = _Parts(trained, folds, measured)
        return self._parts[key]


@dataclass(frozen=True)
class _Parts:
    """Training rows, all and of each fold, and the test rows if there are any.

    folds: the number of each fold.
    """

    trained: list[TrainedPart]
    folds: list[int]
    test: Measured | None


def _hopeless(
    jobs: Sequence[Params], result: Descents, module: nn.Module, summary: Summary
) -> list[int]:
    """Return the epoch in which each descent diverged on all rows, or 0.

    Also where the loss rises and the learning rate is above the largest that converges: see
    divergence.RisingLoss.
    """
    limits: dict[float, float | None] = {}
    epochs = []
    for job, ended, rose in zip(jobs, result.diverged[0], result.rose, strict=True):
        if rose and (not ended or rose < ended):
            decay = job.train.weight_decay
            is_plain = job.train.optimizer == "sgd" and not job.train.momentum
            if is_plain and decay not in limits:
                limits[decay] = limit_of_lr(job, module, summary)
            largest = limits.get(decay) if is_plain else None
            epochs.append(rose if largest is not None and job.train.lr > largest else ended)
        else:
            epochs.append(ended)
    return epochs


def _trials(
    jobs: Sequence[Params], parts: _Parts, result: Descents, diverged: Sequence[Sequence[int]]
) -> list[Trial]:
    """Return the figures of the descents. diverged: the epoch, or 0: [tables, settings]."""
    first = jobs[0]
    fitted = [
        _shipped(first, part, result.weights[table]) for table, part in enumerate(parts.trained)
    ]
    reduced = first.train.reduction
    measured = [
        part.measured.figures(*models, reduced)
        for part, models in zip(parts.trained, fitted, strict=True)
    ]
    test = parts.test.figures(*fitted[0], reduced) if parts.test else None
    trials = []
    for place in range(len(jobs)):
        losses = result.losses[place]
        if ended := diverged[0][place]:
            upto = [each for each in losses if each[0] <= ended]
            trials.append(Trial({}, upto, f"diverged in epoch {ended}"))
            continue
        if not np.isfinite(fitted[0][0][place]).all():
            trials.append(Trial({}, losses, f"weights beyond {first.model.dtype}"))
            continue
        figures, note = {f"train.{name}": v for name, v in measured[0][place].items()}, ""
        if test is not None:
            figures |= {f"test.{name}": v for name, v in test[place].items() if name != "loss"}
        lost = [table for table in range(1, len(fitted)) if diverged[table][place]]
        if lost:
            fold = parts.folds[lost[0] - 1]
            note = (
                f"diverged in epoch {diverged[lost[0]][place]} on the training rows of fold {fold}"
            )
        else:
            figures |= of_folds([of_fold[place] for of_fold in measured[1:]])
        trials.append(Trial(figures, losses, note))
    return trials


def _shipped(params: Params, part: TrainedPart, weights: torch.Tensor) -> tuple[Floats, Floats]:
    """Return the models as train saves them: in the table's units, rounded once to model.dtype.

    weights: [features, settings, targets], with the bias as the last feature if there is one.
    Returns weight [settings, targets, features] and bias [settings, targets].
    """
    numbers = to_numpy(weights).transpose(1, 2, 0)
    weight, bias = numbers, np.zeros(numbers.shape[:2])
    if params.model.bias:
        weight, bias = numbers[:, :, :-1], numbers[:, :, -1]
    with np.errstate(all="ignore"):
        if part.scales is not None:
            weight = weight / to_numpy(part.scales[1])
        dtype = params.model.dtype
        return weight.astype(dtype).astype(np.float64), bias.astype(dtype).astype(np.float64)
