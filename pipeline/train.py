"""Stage `train`: design the model, construct loss and optimizer, run the training cycle.

Reads   data/train.parquet
Writes  models/model.safetensors, reports/history.csv, and an MLflow run while it trains
"""

import functools
import math
from collections.abc import Callable
from decimal import ROUND_DOWN, Context

import torch

from pipeline import UserError, files, lineage, model, stage, table, tracking, training
from pipeline.params import Params
from pipeline.streams import stream
from pipeline.training import DivergedError


def main(params: Params) -> None:
    """Train the model, with each epoch's loss in a live MLflow run."""
    rows = table.read(files.TRAIN)
    settings = params.train
    device = training.choose_device(settings.device)
    dtype = model.DTYPES[settings.dtype]
    x = _tensor(rows, params.data.features, dtype).to(device)
    y = _tensor(rows, params.data.targets, dtype).to(device)

    training_id = lineage.training_id(params)
    with tracking.live_run(params, training_id) as run:
        torch.manual_seed(params.seed)
        module = model.build(params.model, len(params.data.features), len(params.data.targets))
        module.to(device, dtype)
        watch = Watch(settings.lr, lambda: _largest_lr(params, module, x), run.log_loss)
        try:
            losses = training.fit(module, x, y, settings, stream(params.seed, "shuffle"), watch)
        except DivergedError as error:
            raise UserError(f"{error}; {watch.advice()}") from None
        model.save(files.MODEL, module, model.DTYPES[params.model.dtype], training_id)
        files.write_csv(files.HISTORY, ["epoch", "loss"], enumerate(map(rounded, losses), 1))


class Watch:
    """Passes each epoch's loss on, and stops a descent that cannot arrive.

    Gradient descent on all rows of a linear model's squared error converges only below
    `largest_lr`. Above it a loss that rises will rise for ever: no need to wait for infinity.
    """

    def __init__(
        self, lr: float, largest_lr: Callable[[], float | None], log: tracking.LogLoss
    ) -> None:
        self.lr = lr
        # Asked only when a loss rises: a wide table's eigenvalues take longer than its training.
        self.largest_lr = functools.cache(largest_lr)
        self.log = log
        self.last = math.inf

    def __call__(self, epoch: int, loss: float) -> None:
        """Take note of an epoch's loss. Raises DivergedError if it will rise for ever."""
        self.log(epoch, rounded(loss))
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


def _largest_lr(params: Params, module: torch.nn.Module, x: torch.Tensor) -> float | None:
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


def _tensor(rows: table.Table, names: tuple[str, ...], dtype: torch.dtype) -> torch.Tensor:
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


def rounded(loss: float) -> float:
    """Nine digits: all that float32 has, and hardly one that the order of a float64 sum decides."""
    return float(f"{loss:.9g}")


if __name__ == "__main__":
    stage.run(main)
