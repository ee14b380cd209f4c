"""The models as classes: the line, the network beside it, and their scaling.

`model.module` names a model of the user's own: see `own_module`.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from pipeline.learning import own_module
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

    def __init_subclass__(cls, **_: Any) -> None:
        raise TypeError(f"{cls.__name__}: a LinearModel is taken for linear; use nn.Module instead")


ACTIVATIONS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}


class Network(nn.Module):
    """A multilayer perceptron: linear layers with an activation after each but the last one.

    Without bias no layer has one: the answer to zeros is 0, as of a line through the origin.
    """

    def __init__(
        self,
        features: int,
        targets: int,
        hidden: Sequence[int],
        activation: str = "relu",
        dropout: float = 0.0,
        bias: bool = True,
    ) -> None:
        """hidden: the width of each hidden layer. dropout: share of its numbers set to 0."""
        super().__init__()
        widths = [features, *hidden]
        layers: list[nn.Module] = []
        for before, width in itertools.pairwise(widths):
            layers += [nn.Linear(before, width, bias=bias), ACTIVATIONS[activation]()]
            layers += [nn.Dropout(dropout)] if dropout else []
        self.layers = nn.Sequential(*layers, nn.Linear(widths[-1], targets, bias=bias))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict: x [batch, features] to y [batch, targets]."""
        y: torch.Tensor = self.layers(x)
        return y


def build(settings: Settings, features: int, targets: int) -> nn.Module:
    """Return the module to train, untrained. Raises UserError if the user's own cannot be made."""
    if settings.module is not None:
        return own_module.construct(settings.module, features, targets)
    if settings.hidden:
        layers = settings.hidden, settings.activation, settings.dropout
        return Network(features, targets, *layers, settings.bias)
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
