"""The training cycle: forward, loss, backward, update, zero the gradients."""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from pipeline.learning import optimizers
from pipeline.learning.checkpoint import Checkpoint
from pipeline.learning.divergence import LossLimit, refuse_infinite
from pipeline.learning.early_stopping import EarlyStopping
from pipeline.learning.prediction import eval_mode
from pipeline.learning.progress import Losses, Progress
from pipeline.learning.tensors import Pair
from pipeline.settings.params import Train

OnEpoch = Callable[[int, float, float | None], None]
"""Called after each epoch with its number, from 1, its loss and the loss on the held-out rows."""


def run_epochs(
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    settings: Train,
    shuffle: np.random.Generator,
    on_epoch: OnEpoch,
    held_out: Pair | None = None,
    checkpoint: Checkpoint | None = None,
    unit: torch.Tensor | None = None,
    each: tuple[float, float] = (1.0, 1.0),
) -> list[Losses]:
    """Train `module` in place and return the losses of each epoch, measured before its updates.

    x: [rows, features]; y: [rows, targets]; both of the module's dtype and on its device.
    shuffle: draws the order of the rows of each epoch, if the rows are taken in batches.
    held_out: x and y of rows that are not trained on. With train.patience the module ends with the
    parameters that had the smallest loss on these rows.
    checkpoint: saves the state between two epochs; training resumes from the state in the file.
    unit: the size of 1 in each column of y, [targets], for losses in the table's units. The
    gradients belong to the loss in the units of y.
    each: how many rows each row of x, and of those held out, counts for in a sum of errors.
    Raises DivergedError as soon as the loss shows that the fit diverges.
    """
    criterion, held_out_criterion = (_squared_error(settings.reduction, one) for one in each)
    optimizer = optimizers.create(module, settings, lambda: criterion(module(x), y))
    reported = criterion if unit is None else _InTableUnits(criterion, unit)
    reported_held_out = held_out_criterion if unit is None else reported
    limit = LossLimit(reported(torch.zeros_like(y), y).item())
    stopping = EarlyStopping(module, settings.patience)
    progress = Progress(module, optimizer, shuffle, limit, stopping)
    if checkpoint is not None and checkpoint.state is not None:
        progress.load_state_dict(checkpoint.state)

    for epoch in _with_bar(len(progress.losses), settings.epochs):
        held_out_loss = _held_out_loss(module, reported_held_out, held_out)
        stopping.note(epoch, held_out_loss)
        epoch_loss = 0.0
        for rows_x, rows_y in _batches(x, y, settings.batch_size, shuffle):
            prediction = module(rows_x)
            loss = criterion(prediction, rows_y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            if unit is not None:
                loss = reported(prediction.detach(), rows_y)
            # The mean over a batch is weighted by the number of its rows.
            weight = len(rows_x) / len(x) if settings.reduction == "mean" else 1
            epoch_loss += loss.item() * weight
        limit.check(epoch, epoch_loss, held_out_loss)
        progress.losses.append((epoch_loss, held_out_loss))
        on_epoch(epoch, epoch_loss, held_out_loss)
        if stopping.is_due(epoch):
            break
        if checkpoint is not None and checkpoint.is_due():
            checkpoint.save(progress.state_dict())

    epochs = len(progress.losses)
    refuse_infinite(epochs, module)
    stopping.note(epochs + 1, _held_out_loss(module, reported_held_out, held_out))
    stopping.restore_best()
    return progress.losses


def _with_bar(done: int, epochs: int) -> Iterable[int]:
    """Return the numbers of the remaining epochs, with a progress bar.

    The bar appears after a second, and only on a terminal.
    """
    return tqdm(
        range(done + 1, epochs + 1),
        "training",
        unit=" epochs",
        initial=done,
        total=epochs,
        delay=1,
        disable=None,
    )


def _batches(
    x: torch.Tensor, y: torch.Tensor, size: int | None, shuffle: np.random.Generator
) -> Iterator[Pair]:
    """Yield all rows at once and in order, or batches of `size` rows in a random order."""
    if size is None:
        yield x, y
        return
    order = torch.from_numpy(shuffle.permutation(len(x))).to(x.device)
    for rows in torch.split(order, size):
        yield x[rows], y[rows]


def _held_out_loss(module: nn.Module, criterion: nn.Module, rows: Pair | None) -> float | None:
    """Return the loss on the held-out rows, without any effect on the module."""
    if rows is None:
        return None
    with eval_mode(module):
        return float(criterion(module(rows[0]), rows[1]))


def _squared_error(reduction: str, each: float) -> nn.Module:
    """Return the criterion. each: how many rows each row counts for, which changes no mean."""
    criterion = nn.MSELoss(reduction=reduction)
    return criterion if reduction == "mean" or each == 1 else _Weighted(criterion, each)


class _Weighted(nn.Module):
    """Criterion of rows that each count for several."""

    def __init__(self, criterion: nn.Module, weight: float) -> None:
        super().__init__()
        self.criterion = criterion
        self.weight = weight

    def forward(self, prediction: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the loss; prediction, y: [rows, targets]."""
        loss: torch.Tensor = self.criterion(prediction, y) * self.weight
        return loss


class _InTableUnits(nn.Module):
    """Criterion with a loss in the table's units, for predictions and targets in other units."""

    def __init__(self, criterion: nn.Module, unit: torch.Tensor) -> None:
        """unit: [targets], the size of 1 in each column."""
        super().__init__()
        self.criterion = criterion
        self.unit = unit

    def forward(self, prediction: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the loss; prediction, y: [rows, targets]."""
        loss: torch.Tensor = self.criterion(prediction * self.unit, y * self.unit)
        return loss
