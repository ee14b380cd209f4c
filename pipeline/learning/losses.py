"""The loss functions of train.loss in torch, as criteria of the training cycle."""

import torch
from torch import nn

from pipeline.learning.loss_function import LossFunction


class SquaredError(nn.MSELoss):
    """Sum or mean of the squared errors, of rows that may each count for several."""

    def __init__(self, reduction: str, each: float, weighted: bool) -> None:
        """each: how many rows a row counts for in a sum; a mean is the same for any number."""
        super().__init__(reduction=reduction)
        self.weight = 1.0 if reduction == "mean" else each
        self.weighted = weighted

    def forward(self, prediction: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the loss; prediction: [rows, targets]; y: the same, or with weights."""
        if self.weighted:
            squares = nn.functional.mse_loss(prediction, y[:, :-1], reduction="none")
            return _reduced(squares * y[:, -1:], self.reduction)
        loss = super().forward(prediction, y)
        return loss if self.weight == 1 else loss * self.weight


class OtherError(nn.Module):
    """Sum or mean of another loss of the errors: see train_settings.LossKind.

    Where a loss has a corner, at an error of 0, its slope is 0 for absolute, and for a quantile the
    one above.
    """

    limit: torch.Tensor

    def __init__(self, function: LossFunction, reduction: str, weighted: bool) -> None:
        super().__init__()
        self.weighted = weighted
        self.kind, self.reduction = function.kind, reduction
        self.register_buffer("limit", torch.tensor(function.thresholds, dtype=torch.float64))

    def forward(self, prediction: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the loss; prediction: [rows, targets]; y: the same, or with weights."""
        if self.weighted:
            return _reduced(self._of(y[:, :-1] - prediction) * y[:, -1:], self.reduction)
        return _reduced(self._of(y - prediction), self.reduction)

    def _of(self, error: torch.Tensor) -> torch.Tensor:
        size = error.abs()
        if self.kind.name == "huber":
            limit = self.limit.to(error)
            return torch.where(size <= limit, 0.5 * size * size, limit * (size - 0.5 * limit))
        if (share := self.kind.share) is not None:
            return torch.where(error >= 0, share * error, (share - 1) * error)
        return size


def _reduced(losses: torch.Tensor, reduction: str) -> torch.Tensor:
    return losses.mean() if reduction == "mean" else losses.sum()


class InTableUnits(nn.Module):
    """Criterion with a loss in the table's units, for predictions and targets in other units."""

    def __init__(self, criterion: "Criterion", unit: torch.Tensor) -> None:
        """unit: [targets], the size of 1 in each column."""
        super().__init__()
        self.criterion = criterion
        self.unit = unit
        self.unit_of_y = (
            torch.cat([unit, torch.ones_like(unit[:1])]) if criterion.weighted else unit
        )

    def forward(self, prediction: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        """Return the loss; prediction, y: as of the criterion."""
        loss: torch.Tensor = self.criterion(prediction * self.unit, y * self.unit_of_y)
        return loss


Criterion = SquaredError | OtherError
"""Loss of a batch. If it is weighted, y has the weight of each row as a last column."""


def criterion(
    function: LossFunction | None, reduction: str, each: float, weighted: bool = False
) -> Criterion:
    """Return the loss of a batch. function: None for squared errors. each: see SquaredError."""
    if function is None:
        return SquaredError(reduction, each, weighted)
    assert each == 1, "only squared errors follow from reduced rows"
    return OtherError(function, reduction, weighted)


def in_unit(function: LossFunction | None, unit: torch.Tensor | None) -> LossFunction | None:
    """Return the loss function of errors in another unit: its thresholds are in that unit.

    unit: [targets], the size of 1 in the unit of the table; None for the table's own.
    """
    if function is None or unit is None or not function.thresholds:
        return function
    sizes = unit.double().tolist()
    scaled = (limit / size for limit, size in zip(function.thresholds, sizes, strict=True))
    return LossFunction(function.kind, tuple(scaled))
