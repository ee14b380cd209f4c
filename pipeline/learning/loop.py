"""The training cycle: forward, loss, backward, update, zero the gradients."""

from collections.abc import Callable, Iterator
from typing import NoReturn

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from pipeline.learning import divergence, losses, optimizers
from pipeline.learning.checkpoint import Checkpoint
from pipeline.learning.divergence import LossLimit, refuse_infinite
from pipeline.learning.early_stopping import EarlyStopping
from pipeline.learning.loss_function import LossFunction
from pipeline.learning.losses import Criterion
from pipeline.learning.prediction import eval_mode
from pipeline.learning.progress import Losses, Progress
from pipeline.learning.tensors import Pair
from pipeline.learning.training_rows import TrainingRows
from pipeline.settings.params import Train

OnEpoch = Callable[[int, float, float | None], None]
"""Called after each epoch with its number, from 1, its loss and the loss on the held-out rows."""


def run_epochs(
    module: nn.Module,
    rows: TrainingRows,
    settings: Train,
    shuffle: np.random.Generator,
    on_epoch: OnEpoch,
    held_out: TrainingRows | None = None,
    checkpoint: Checkpoint | None = None,
    unit: torch.Tensor | None = None,
    loss_function: LossFunction | None = None,
) -> list[Losses]:
    """Train `module` in place and return the losses of each epoch, measured before its updates.

    rows: of the module's dtype and on its device.
    shuffle: draws the order of the rows of each epoch, if the rows are taken in batches.
    held_out: rows that are not trained on. With train.patience the module ends with the parameters
    that had the smallest loss on these rows.
    checkpoint: saves the state between two epochs; training resumes from the state in the file.
    unit: the size of 1 in each column of y, [targets], for losses in the table's units. The
    gradients belong to the loss in the units of y.
    loss_function: of errors in the table's units; None for squared errors.
    Raises DivergedError as soon as the loss shows that the fit diverges, and UserError if a batch
    is too large or if rows cannot be read.
    """
    kind = settings.reduction, rows.each, rows.weighted
    criterion = losses.criterion(losses.in_unit(loss_function, unit), *kind)
    if held_out is not None:
        kind = settings.reduction, held_out.each, held_out.weighted
    held_out_criterion = losses.criterion(loss_function, *kind)
    reported: nn.Module = criterion
    reported_held_out: nn.Module = held_out_criterion
    if unit is not None:  # then rows.each is 1
        reported = reported_held_out = losses.InTableUnits(held_out_criterion, unit)
    optimizer = optimizers.create(
        module, settings, lambda: _add_gradients(module, rows, criterion, criterion)
    )
    zero_loss = _total(rows, criterion, lambda _, y: reported(_zeros(rows, y), y))
    limit = LossLimit(zero_loss, divergence.factor(settings.loss_kind))
    stopping = EarlyStopping(module, settings.patience)
    progress = Progress(module, optimizer, shuffle, limit, stopping)
    if checkpoint is not None and checkpoint.state is not None:
        progress.load_state_dict(checkpoint.state)

    with _bar(rows.rows, len(progress.losses), settings.epochs) as bar:
        for epoch in range(len(progress.losses) + 1, settings.epochs + 1):
            held_out_loss = _held_out_loss(module, held_out_criterion, reported_held_out, held_out)
            stopping.note(epoch, held_out_loss)
            epoch_loss = 0.0
            if settings.batch_size is None and not rows.in_one_piece:
                epoch_loss = _add_gradients(module, rows, criterion, reported, bar.update)
                optimizer.step()
                optimizer.zero_grad()
            else:
                for rows_x, rows_y in _batches(rows, settings.batch_size, shuffle):
                    prediction = module(rows_x)
                    loss = criterion(prediction, rows_y)
                    loss.backward()
                    optimizer.step()
                    optimizer.zero_grad()
                    if unit is not None:
                        loss = reported(prediction.detach(), rows_y)
                    epoch_loss += loss.item() * _share(criterion, len(rows_x), rows)
                    bar.update(len(rows_x))
            limit.check(epoch, epoch_loss, held_out_loss)
            progress.losses.append((epoch_loss, held_out_loss))
            on_epoch(epoch, epoch_loss, held_out_loss)
            if stopping.is_due(epoch):
                break
            if checkpoint is not None and checkpoint.is_due():
                checkpoint.save(progress.state_dict())

    epochs = len(progress.losses)
    refuse_infinite(epochs, module)
    stopping.note(
        epochs + 1, _held_out_loss(module, held_out_criterion, reported_held_out, held_out)
    )
    stopping.restore_best()
    return progress.losses


def _zeros(rows: TrainingRows, y: torch.Tensor) -> torch.Tensor:
    """Return the predictions of a model that answers zero: [rows, targets]."""
    return torch.zeros_like(y[:, :-1] if rows.weighted else y)


def _bar(rows: int, done: int, epochs: int) -> "tqdm[NoReturn]":
    """Return a progress bar that counts rows. done: epochs before the first one.

    It appears after a second, and only on a terminal.
    """
    return tqdm(
        desc="training",
        unit=" rows",
        unit_scale=True,
        initial=done * rows,
        total=epochs * rows,
        delay=1,
        disable=None,
    )


def _batches(rows: TrainingRows, size: int | None, shuffle: np.random.Generator) -> Iterator[Pair]:
    """Return all rows at once and in order, or batches of `size` rows in a random order."""
    return rows.pieces() if size is None else rows.batches(size, shuffle)


def _add_gradients(
    module: nn.Module,
    rows: TrainingRows,
    criterion: Criterion,
    reported: nn.Module,
    advance: Callable[[int], object] = lambda _: None,
) -> float:
    """Add the gradients of the loss on all rows, piece by piece. Return the loss.

    reported: computes the loss that is returned. advance: gets the rows of each piece.
    """

    def loss_of(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        prediction = module(x)
        loss: torch.Tensor = criterion(prediction, y)
        torch.autograd.backward(loss, torch.full_like(loss, _share(criterion, len(x), rows)))
        advance(len(x))
        return loss if reported is criterion else reported(prediction.detach(), y)

    return _total(rows, criterion, loss_of)


def _total(
    rows: TrainingRows,
    criterion: Criterion,
    loss_of: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> float:
    """Return the loss on all rows from the losses of their pieces."""
    return sum(
        (loss_of(x, y).item() * _share(criterion, len(x), rows) for x, y in rows.pieces()), 0.0
    )


def _share(criterion: Criterion, count: int, rows: TrainingRows) -> float:
    """Return the factor of the loss of `count` rows in the loss of all rows."""
    return count / rows.rows if criterion.reduction == "mean" else 1.0


def _held_out_loss(
    module: nn.Module, criterion: Criterion, reported: nn.Module, rows: TrainingRows | None
) -> float | None:
    """Return the loss on the held-out rows, without any effect on the module."""
    if rows is None:
        return None
    with eval_mode(module):
        return _total(rows, criterion, lambda x, y: reported(module(x), y))
