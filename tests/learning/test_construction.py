"""New modules have the parameters that were asked for."""

import pytest
import torch
from conftest import job
from own_modules import normed, use

from pipeline.learning import construction


def test_a_linear_module_has_the_given_parameters() -> None:
    weight, bias = torch.tensor([[1.0, 2.0]]).double(), torch.tensor([3.0]).double()
    module = construction.linear(weight, bias, job().model)
    assert module(torch.tensor([[1.0, 1.0]]).double()).item() == 6
    without = construction.linear(weight, bias, job(model__bias=False).model)
    assert without(torch.tensor([[1.0, 1.0]]).double()).item() == 3


def test_the_first_forward_of_a_new_module_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, normed)
    module = construction.initial(job().model, 2, 1)
    assert module.training
    assert module.state_dict()["1.num_batches_tracked"] == 0
