"""A training depends on its own rows alone, not on the rows held out."""

import pytest
import torch
from own_modules import Build, asked, dropping, normed, rows, state, use
from torch import nn

from pipeline.learning import training


@pytest.mark.parametrize("build", [normed, dropping])
@pytest.mark.parametrize("standardize", [pytest.param(False, marks=pytest.mark.slow), True])
def test_other_held_out_rows_leave_every_byte_alone(
    monkeypatch: pytest.MonkeyPatch, build: Build, standardize: bool
) -> None:
    use(monkeypatch, build)
    params = asked(model__standardize=standardize, data__test_fraction=0.2)
    trainings = [
        training.train(params, rows(), held_out)
        for held_out in (None, rows(10, 1), rows(25, 2, size=100.0))
    ]
    states, histories = [state(module) for module, _ in trainings], [each for _, each in trainings]
    assert states[0] == states[1] == states[2]
    losses = [[loss for loss, _ in history] for history in histories]
    assert losses[0] == losses[1] == losses[2]
    watched = [[held_out for _, held_out in history] for history in histories[1:]]
    assert watched[0] != watched[1]


def test_a_part_that_was_frozen_stays_frozen(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(features: int, targets: int) -> nn.Module:
        module = normed(features, targets)
        module[1].eval()  # type: ignore[index]
        return module

    use(monkeypatch, build)
    module, _ = training.train(asked(data__test_fraction=0.2), rows(), rows(10, 1))
    assert module.state_dict()["1.num_batches_tracked"] == 0


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="this machine has no CUDA GPU")
@pytest.mark.parametrize("build", [normed, dropping])
def test_a_gpu_gives_the_same_bits_twice_whatever_is_held_out(
    monkeypatch: pytest.MonkeyPatch, build: Build
) -> None:
    use(monkeypatch, build)
    params = asked(train__device="cuda", model__standardize=True, data__test_fraction=0.2)
    modules = [
        training.train(params, rows(), held_out)[0] for held_out in (None, None, rows(10, 1))
    ]
    assert state(modules[0]) == state(modules[1]) == state(modules[2])
