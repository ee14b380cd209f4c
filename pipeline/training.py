"""Training: from a table and a seed to a fitted model.

`fit` is the training cycle: forward, loss, backward, update, zero the gradients.
"""

import functools
import math
import os
from collections.abc import Callable, Iterator
from decimal import ROUND_DOWN, Context

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from pipeline import UserError, files, model
from pipeline.params import Params, Train
from pipeline.streams import stream
from pipeline.table import Table

OnEpoch = Callable[[int, float], None]
"""Is told each epoch, from 1, and its loss, as soon as it is known."""

# A loss this many times the largest of the first one and that of predicting zero is no fit any
# more: it would take the whole range of float32 to say so by itself.
DIVERGED = 1e6


class DivergedError(UserError):
    """The loss grows instead of shrinking."""

    def __init__(self, epoch: int, what: str) -> None:
        super().__init__(f"the fit diverged: in epoch {epoch} {what}")


def train(
    params: Params, x: torch.Tensor, y: torch.Tensor, on_epoch: OnEpoch
) -> tuple[nn.Module, list[float]]:
    """Build the model that `params` asks for, as its seed starts it, and fit it to x and y.

    x: [rows, features]; y: [rows, targets]; as `tensors` makes them.
    Gives the fitted module and the loss of each epoch, measured before its updates.
    Raises UserError if the fit diverges, with what to change.
    """
    torch.manual_seed(params.seed)
    module = model.build(params.model, x.shape[1], y.shape[1])
    module.to(x.device, x.dtype)
    watch = _Watch(params.train.lr, lambda: _largest_lr(params, module, x), on_epoch)
    try:
        return module, fit(module, x, y, params.train, stream(params.seed, "shuffle"), watch)
    except DivergedError as error:
        raise UserError(f"{error}; {watch.advice()}") from None


def tensors(params: Params, rows: Table) -> tuple[torch.Tensor, torch.Tensor]:
    """The features and the targets of `rows`, in train.dtype, on train.device.

    Raises UserError for a GPU that is not there, and for a number beyond train.dtype's range.
    """
    device = choose_device(params.train.device)
    dtype = model.DTYPES[params.train.dtype]
    x, y = (tensor(rows, names, dtype) for names in (params.data.features, params.data.targets))
    return x.to(device), y.to(device)


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
    module: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    settings: Train,
    shuffle: np.random.Generator,
    on_epoch: OnEpoch,
) -> list[float]:
    """Train `module` in place and give the loss of each epoch, measured before its updates.

    x: [rows, features]; y: [rows, targets]; both of the module's dtype and on its device.
    shuffle: draws the order of the rows of each epoch, if they are taken in batches.
    Raises DivergedError as soon as the loss shows that no fit will come of it.
    """
    criterion = nn.MSELoss(reduction=settings.reduction)
    optimizer = _optimizer(module, settings)
    limit = DIVERGED * criterion(torch.zeros_like(y), y).item()

    history: list[float] = []
    # The bar shows itself after a second, and only on a terminal.
    for epoch in tqdm(
        range(1, settings.epochs + 1), "training", unit=" epochs", delay=1, disable=None
    ):
        total = 0.0
        for rows_x, rows_y in _batches(x, y, settings.batch_size, shuffle):
            prediction = module(rows_x)
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
    if not all(bool(torch.isfinite(value).all()) for value in module.parameters()):
        raise DivergedError(settings.epochs, "the parameters are infinite")
    return history


def _optimizer(module: nn.Module, settings: Train) -> torch.optim.Optimizer:
    if settings.optimizer == "adam":
        return torch.optim.Adam(
            module.parameters(), lr=settings.lr, weight_decay=settings.weight_decay
        )
    return torch.optim.SGD(
        module.parameters(),
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


class _Watch:
    """Passes each epoch's loss on, and stops a descent that cannot arrive.

    Gradient descent on all rows of a linear model's squared error converges only below
    `largest_lr`. Above it a loss that rises will rise for ever: no need to wait for infinity.
    """

    def __init__(self, lr: float, largest_lr: Callable[[], float | None], tell: OnEpoch) -> None:
        self.lr = lr
        # Asked only when a loss rises: a wide table's eigenvalues take longer than its training.
        self.largest_lr = functools.cache(largest_lr)
        self.tell = tell
        self.last = math.inf

    def __call__(self, epoch: int, loss: float) -> None:
        """Take note of an epoch's loss. Raises DivergedError if it will rise for ever."""
        self.tell(epoch, loss)
        if loss > self.last and self.lr > (self.largest_lr() or math.inf):
            raise DivergedError(epoch, f"the loss is {loss:.4g}")
        self.last = loss

    def advice(self) -> str:
        """What to change so that the fit does not diverge."""
        largest = self.largest_lr()
        if largest is None:
            return f"set train.lr below {self.lr:g}, to {self.lr / 10:g} for a start"
        if self.lr <= largest:
            return "the numbers are too large for train.dtype; set it to float64 or scale the table"
        # Rounded down: the number shown must be one that converges.
        shown = float(Context(prec=4, rounding=ROUND_DOWN).create_decimal(largest))
        return (
            f"set train.lr below {shown:g}, the largest that can converge, to {shown / 2:.1g} for a"
            f" start (it is {self.lr:g})"
        )


def _largest_lr(params: Params, module: nn.Module, x: torch.Tensor) -> float | None:
    """The largest lr that can converge, where theory has one: plain descent on all rows at once."""
    settings = params.train
    plain = settings.optimizer == "sgd" and not settings.momentum
    if not plain or settings.batch_size is not None:
        return None
    return model.largest_lr(
        module,
        x.cpu().double().numpy(),
        len(params.data.targets),
        settings.weight_decay,
        settings.reduction,
    )


def tensor(rows: Table, names: tuple[str, ...], dtype: torch.dtype) -> torch.Tensor:
    """The columns called `names` as [rows, columns], row-major, rounded once to `dtype`."""
    columns = rows.columns(names)
    # Into a tensor of its own, for plain strides. What NumPy has for a single column, (1, rows),
    # sends its products through routines of MKL that round differently on Intel and AMD.
    values = torch.empty(columns.shape, dtype=dtype).copy_(torch.from_numpy(columns))
    if not bool(torch.isfinite(values).all()):
        row, column = (~torch.isfinite(values)).nonzero()[0].tolist()
        found = columns[row, column]
        raise UserError(
            f"{files.TRAIN}: row {row + 1} has {names[column]} = {found:g}, beyond what"
            f" {str(dtype).removeprefix('torch.')} holds; set train.dtype to float64 or scale the"
            " column"
        )
    return values
