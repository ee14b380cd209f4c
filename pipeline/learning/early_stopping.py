"""Early stopping: `train.patience` epochs without a smaller loss on the held-out rows end a fit."""

import math
from typing import Any

import torch
from torch import nn


class EarlyStopping:
    """Keeper of the parameters with the smallest loss on the held-out rows; idle without patience.

    patience: epochs to wait for a smaller loss; None to train all epochs.
    """

    def __init__(self, module: nn.Module, patience: int | None) -> None:
        self.module = module
        self.patience = patience
        self.loss = math.inf
        self.epoch = 1
        self.parameters: dict[str, torch.Tensor] | None = None

    def note(self, epoch: int, loss: float | None) -> None:
        """Keep the parameters if `loss`, measured before the updates of `epoch`, is smallest."""
        if self.patience is not None and loss is not None and loss < self.loss:
            self.loss, self.epoch = loss, epoch
            self.parameters = {
                name: value.clone() for name, value in self.module.state_dict().items()
            }

    def is_due(self, epoch: int) -> bool:
        """True if the smallest loss is `patience` epochs old."""
        return self.patience is not None and epoch - self.epoch >= self.patience

    def restore_best(self) -> None:
        """Put the parameters with the smallest loss back into the module."""
        if self.parameters is not None:
            self.module.load_state_dict(self.parameters)

    def state_dict(self) -> dict[str, Any]:
        """Return the state, for a checkpoint."""
        return {"loss": self.loss, "epoch": self.epoch, "parameters": self.parameters}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Resume from the state that `state_dict` returned."""
        self.loss, self.epoch = state["loss"], state["epoch"]
        self.parameters = state["parameters"]
