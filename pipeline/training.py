"""The training loop: forward, loss, backward, update, zero the gradients."""

import math
import os
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from pipeline import UserError
from pipeline.params import Train

# A loss this many times the largest of the first one and that of predicting zero is no fit any
# more: it would take the whole range of float32 to say so by itself.
DIVERGED = 1e6


class DivergedError(UserError):
    """The loss grows instead of shrinking."""

    def __init__(self, epoch: int, what: str) -> None:
        super().__init__(f"the fit diverged: in epoch {epoch} {what}")


def choose_device(asked: str) -> torch.device:
    """The device that `train.device` asks for. Raises UserError for a GPU that is not there."""
    if asked == "cpu" or (asked == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if not torch.cuda.is_available():
        raise UserError(
            "train.device: found cuda, but torch finds no CUDA GPU here; set it to cpu, or to auto"
            " to use a GPU only where there is one"
        )
    # cuBLAS gives the same bits from run to run only with this, set before it is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    return torch.device("cuda")


def fit(
    model: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    settings: Train,
    shuffle: np.random.Generator,
    on_epoch: Callable[[int, float], None],
) -> list[float]:
    """Train `model` in place and give the loss of each epoch, measured before its updates.

    x: [rows, features]; y: [rows, targets]; both of the model's dtype and on its device.
    shuffle: draws the order of the rows of each epoch, if they are taken in batches.
    on_epoch: is told each epoch, from 1, and its loss, as soon as it is known.
    Raises DivergedError as soon as the loss shows that no fit will come of it.
    """
    criterion = nn.MSELoss(reduction=settings.reduction)
    optimizer = _optimizer(model, settings)
    limit = DIVERGED * criterion(torch.zeros_like(y), y).item()

    history: list[float] = []
    # The bar shows itself after a second, and only on a terminal.
    for epoch in tqdm(
        range(1, settings.epochs + 1), "training", unit=" epochs", delay=1, disable=None
    ):
        total = 0.0
        for rows_x, rows_y in _batches(x, y, settings.batch_size, shuffle):
            prediction = model(rows_x)
            loss = criterion(prediction, rows_y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            # A mean over a batch counts as much as the batch has rows.
            total += loss.item() * (len(rows_x) / len(x) if settings.reduction == "mean" else 1)
        if epoch == 1:
            limit = max(limit, DIVERGED * total)
        if not math.isfinite(total) or total > limit:
            raise DivergedError(epoch, f"the loss is {total:.4g}")
        history.append(total)
        on_epoch(epoch, total)
    if not all(bool(torch.isfinite(value).all()) for value in model.parameters()):
        raise DivergedError(settings.epochs, "the parameters are infinite")
    return history


def _optimizer(model: nn.Module, settings: Train) -> torch.optim.Optimizer:
    if settings.optimizer == "adam":
        return torch.optim.Adam(
            model.parameters(), lr=settings.lr, weight_decay=settings.weight_decay
        )
    return torch.optim.SGD(
        model.parameters(),
        lr=settings.lr,
        momentum=settings.momentum,
        dampening=settings.dampening,
        weight_decay=settings.weight_decay,
        nesterov=settings.nesterov,
    )


def _batches(
    x: torch.Tensor, y: torch.Tensor, size: int | None, shuffle: np.random.Generator
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """All rows at once and in order, or in batches of `size` in a random order."""
    if size is None:
        yield x, y
        return
    order = torch.from_numpy(shuffle.permutation(len(x))).to(x.device)
    for rows in torch.split(order, size):
        yield x[rows], y[rows]
