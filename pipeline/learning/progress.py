"""State of a training between two epochs: everything that the next epochs depend on."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from pipeline.learning.divergence import LossLimit
from pipeline.learning.early_stopping import EarlyStopping

Losses = tuple[float, float | None]
"""Loss of an epoch, before its updates, and the loss on the held-out rows, if there are any."""

State = dict[str, Any]
"""Dicts and lists of tensors, numbers, strings and None."""


@dataclass
class Progress:
    """The parts of a training whose state changes from epoch to epoch."""

    module: nn.Module
    optimizer: torch.optim.Optimizer
    shuffle: np.random.Generator
    limit: LossLimit
    stopping: EarlyStopping
    losses: list[Losses] = field(default_factory=list)
    """Losses of each epoch so far."""

    def state_dict(self) -> State:
        """Return the state; its tensors are the training's own, not copies."""
        held_out_losses = [held_out for _, held_out in self.losses if held_out is not None]
        return {
            # As tensors: millions of numbers are one record of the file.
            "losses": torch.tensor([loss for loss, _ in self.losses], dtype=torch.float64),
            "held_out_losses": torch.tensor(held_out_losses, dtype=torch.float64),
            "limit": self.limit.value,
            "module": self.module.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "shuffle": self.shuffle.bit_generator.state,
            "stopping": self.stopping.state_dict(),
            # A module may draw random numbers, for dropout for example.
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        }

    def load_state_dict(self, state: State) -> None:
        """Resume from the state that `state_dict` returned."""
        self.losses = losses(state)
        self.limit.value = state["limit"]
        self.module.load_state_dict(state["module"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.shuffle.bit_generator.state = state["shuffle"]
        self.stopping.load_state_dict(state["stopping"])
        torch.set_rng_state(state["random"])
        if state["random_cuda"]:
            torch.cuda.set_rng_state_all(state["random_cuda"])


def losses(state: State) -> list[Losses]:
    """Return the losses of each epoch in a state that `Progress.state_dict` returned."""
    train, held_out = state["losses"].tolist(), state["held_out_losses"].tolist()
    return list(zip(train, held_out or [None] * len(train), strict=True))
