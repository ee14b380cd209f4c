"""The state of a training comes back with all that the next epochs depend on."""

import copy

import numpy as np
import pytest
import torch
from own_modules import plain

from pipeline.learning.divergence import LossLimit
from pipeline.learning.early_stopping import EarlyStopping
from pipeline.learning.progress import Losses, Progress, losses


def progress(seed: int) -> Progress:
    torch.manual_seed(seed)
    module = plain(2, 1)
    return Progress(
        module,
        torch.optim.SGD(module.parameters(), lr=0.1, momentum=0.9),
        np.random.default_rng(seed),
        LossLimit(seed),
        EarlyStopping(module, 3),
    )


def step(training: Progress) -> list[float]:
    """Make one step of training with random rows. Return the parameters."""
    training.module(torch.randn(4, 2)).sum().backward()
    training.optimizer.step()
    training.optimizer.zero_grad()
    flat = [value.flatten() for value in training.module.state_dict().values()]
    return [*torch.cat(flat).tolist(), training.shuffle.random()]


def test_a_restored_training_takes_the_same_steps() -> None:
    first = progress(1)
    step(first)
    first.stopping.note(1, 0.5)
    state = copy.deepcopy(first.state_dict())
    expected = [step(first) for _ in range(3)]
    second = progress(2)
    step(second)
    second.load_state_dict(state)
    assert [step(second) for _ in range(3)] == expected
    assert second.limit.value == first.limit.value
    assert second.stopping.loss == 0.5


@pytest.mark.parametrize("told", [[(2.0, None), (1.0, None)], [(2.0, 3.0), (1.0, 4.0)], []])
def test_losses_come_back(told: list[Losses]) -> None:
    training = progress(0)
    training.losses += told
    assert losses(training.state_dict()) == told
