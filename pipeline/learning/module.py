"""The model as a class. To train another model, change `build`."""

import torch
from torch import nn

from pipeline.settings.params import Model as Settings


class LinearModel(nn.Module):
    """y = x · weightᵀ + bias, the tutorial's model.

    weight: [targets, features]; bias: [targets]. Both start as nn.Linear draws them: uniform
    within ±1/√features.
    """

    def __init__(self, features: int, targets: int, bias: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(features, targets, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict: x [batch, features] to y [batch, targets]."""
        y: torch.Tensor = self.linear(x)
        return y


def build(settings: Settings, features: int, targets: int) -> nn.Module:
    """Return the module to train, untrained. It may be any regression module."""
    return LinearModel(features, targets, settings.bias)


class Standardized(nn.Module):
    """A module that works in standard units, with inputs and outputs in the table's units.

    y = target_mean + target_deviation · module((x − mean) / deviation)

    mean, deviation: [features]; target_mean, target_deviation: [targets].
    A linear model has no target scaling: its weights can express it. The file of a linear model
    has no deviation either: the saved weights are divided by it. The mean stays, because moving it
    into a float32 bias loses the digits in which a column of 2000 ± 5 differs from row to row.
    """

    mean: torch.Tensor
    deviation: torch.Tensor | None
    target_mean: torch.Tensor | None
    target_deviation: torch.Tensor | None

    def __init__(
        self,
        module: nn.Module,
        mean: torch.Tensor,
        deviation: torch.Tensor | None,
        target_mean: torch.Tensor | None = None,
        target_deviation: torch.Tensor | None = None,
    ) -> None:
        super().__init__()
        self.module = module
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.register_buffer("target_mean", target_mean)
        self.register_buffer("target_deviation", target_deviation)

    def scaled(self, x: torch.Tensor) -> torch.Tensor:
        """Return x in standard units: [batch, features] to the same shape."""
        scaled = x - self.mean
        return scaled if self.deviation is None else scaled / self.deviation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict: x [batch, features], in the table's units, to y [batch, targets]."""
        y: torch.Tensor = self.module(self.scaled(x))
        if self.target_mean is not None and self.target_deviation is not None:
            y = self.target_mean + self.target_deviation * y
        return y
