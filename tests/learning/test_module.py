"""A standardized module works in standard units, with answers in the units of the table."""

import torch
from own_modules import linear

from pipeline.learning.module import Standardized


def test_inputs_and_outputs_are_scaled() -> None:
    x = torch.tensor([[12.0, 30.0]])
    inner = linear([[1.0, 10.0]], [0.5])
    mean, deviation = torch.tensor([10.0, 20.0]), torch.tensor([2.0, 5.0])
    module = Standardized(inner, mean, deviation, torch.tensor([100.0]), torch.tensor([3.0]))
    assert module.scaled(x).tolist() == [[1, 2]]
    assert module(x).tolist() == [[100 + 3 * (1 + 20 + 0.5)]]
    assert Standardized(inner, mean, None)(x).tolist() == [[2 + 100 + 0.5]]
