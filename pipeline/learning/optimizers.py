"""The optimizers of `train.optimizer`, with an interface that lets one training cycle use any."""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from pipeline.settings.params import Train


def create(
    module: nn.Module, settings: Train, add_gradients: Callable[[], float]
) -> torch.optim.Optimizer:
    """Return the optimizer of `module`.

    add_gradients: adds the gradients of the loss on all rows and returns the loss, for an optimizer
    that needs them several times a step.
    """
    if settings.optimizer == "lbfgs":
        return _Lbfgs(module, settings.lr, add_gradients)
    if settings.optimizer == "adam":
        return torch.optim.Adam(
            module.parameters(),
            lr=settings.lr,
            weight_decay=settings.weight_decay,
            # Unless fused, Adam takes its square roots from MKL, which estimates them by an
            # instruction (rsqrtps) that gives other bits on Intel than on AMD.
            fused=settings.portable or None,
        )
    return torch.optim.SGD(
        module.parameters(),
        lr=settings.lr,
        momentum=settings.momentum,
        dampening=settings.dampening,
        weight_decay=settings.weight_decay,
        nesterov=settings.nesterov,
    )


class _Lbfgs(torch.optim.LBFGS):
    """L-BFGS that computes the loss by itself, so that `step` needs no closure."""

    def __init__(self, module: nn.Module, lr: float, add_gradients: Callable[[], float]) -> None:
        super().__init__(module.parameters(), lr=lr, line_search_fn="strong_wolfe")
        self._add_gradients = add_gradients

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Make up to 20 iterations of L-BFGS, with as many evaluations as the line search needs."""

        def evaluate() -> float:
            self.zero_grad()
            return self._add_gradients()

        return super().step(closure or evaluate)  # type: ignore[no-untyped-call]
