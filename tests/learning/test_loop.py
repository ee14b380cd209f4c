"""The training cycle is the tutorial's, to the last bit, and only looks at held-out rows."""

from typing import Any

import numpy as np
import pytest
import torch
from conftest import job
from own_modules import (
    parameters,
    tensors_of,
    trained,
)
from torch import nn

from pipeline.learning import device as devices
from pipeline.learning.batches import InMemory
from pipeline.learning.loop import run_epochs
from pipeline.learning.module import build
from pipeline.learning.prediction import line_of, predict
from pipeline.measures import predictions
from pipeline.settings.seeds import stream


class TutorialModel(nn.Module):
    """The tutorial's model, written out once more so that ours has something to be held to."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(1, 1)

    def forward(self, x: torch.Tensor) -> Any:
        return self.linear(x)


def tutorial(epochs: int = 100) -> tuple[list[float], nn.Linear, float]:
    """The tutorial's plain loop: losses, the trained layer and the prediction at x = 4."""
    x_data = torch.tensor([[1.0], [2.0], [3.0]])
    y_data = torch.tensor([[2.0], [4.0], [6.0]])
    torch.manual_seed(0)
    net = TutorialModel()
    criterion = nn.MSELoss(reduction="sum")
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
    losses = []
    for _ in range(epochs):
        y_pred = net(x_data)
        loss = criterion(y_pred, y_data)
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses, net.linear, net(torch.tensor([[4.0]])).item()


def test_the_tutorials_numbers_bit_for_bit() -> None:
    losses, layer, prediction = tutorial()
    our_losses, module = trained(job())
    assert our_losses == losses
    assert parameters(module) == [layer.weight.item(), layer.bias.item()]
    answer = predictions.rounded(lambda x: predict(module, x), np.array([[4.0]]), "float32")
    assert answer.item() == np.float32(prediction)
    assert len(losses) == 100
    assert losses[99] < losses[0] / 100


def test_a_thousand_epochs_come_closer_to_eight() -> None:
    _, module = trained(job(train__epochs=1000))
    assert predictions.rounded(
        lambda x: predict(module, x), np.array([[4.0]]), "float32"
    ).item() == np.float32(tutorial(1000)[2])
    assert abs(predict(module, np.array([[4.0]])).item() - 8) < 0.01


def test_adam_in_batches_learns_several_features_and_targets() -> None:
    params = job(
        data__features=["a", "b", "c"],
        data__targets=["u", "v"],
        data__generate__x=None,
        data__generate__rows=200,
        data__generate__weight=[[1.0, -2.0], [0.5, 3.0], [0.0, 1.5]],
        data__generate__bias=[4.0, -1.0],
        train__optimizer="adam",
        train__lr=0.05,
        train__batch_size=64,
        train__reduction="mean",
        train__dtype="float64",
        evaluate__queries=[],
    )
    losses, module = trained(params)
    line = line_of(module)
    assert line is not None
    np.testing.assert_allclose(line.weight, [[1, 0.5, 0], [-2, 3, 1.5]], atol=1e-3)
    np.testing.assert_allclose(line.bias, [4, -1], atol=1e-3)
    assert losses[-1] < 1e-6


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_batches_and_adam_against_a_loop_written_out(reduction: str) -> None:
    """An epoch's loss is that of all its rows, although the last batch is smaller: 20 = 2·8 + 4."""
    params = job(
        data__generate__x=None,
        data__generate__rows=20,
        train__optimizer="adam",
        train__lr=0.1,
        train__weight_decay=0.3,
        train__batch_size=8,
        train__epochs=3,
        train__reduction=reduction,
        train__dtype="float64",
    )
    x, y = tensors_of(params)
    torch.manual_seed(0)
    layer = nn.Linear(1, 1).double()
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1, weight_decay=0.3)
    shuffle = stream(0, "shuffle")
    expected = []
    for _ in range(3):
        order = shuffle.permutation(20)
        squares = 0.0
        for batch in (order[:8], order[8:16], order[16:]):
            errors = (layer(x[batch]) - y[batch]) ** 2
            squares += errors.sum().item()
            optimizer.zero_grad()
            (errors.sum() if reduction == "sum" else errors.mean()).backward()
            optimizer.step()
        expected.append(squares if reduction == "sum" else squares / 20)
    losses, module = trained(params)
    assert losses == pytest.approx(expected, rel=1e-12)
    assert parameters(module) == pytest.approx(parameters(layer), rel=1e-12)


def test_a_model_without_bias_goes_through_the_origin() -> None:
    _, module = trained(job(model__bias=False, train__epochs=1000))
    assert predict(module, np.array([[0.0]])).item() == 0
    assert predict(module, np.array([[4.0]])).item() == pytest.approx(8)


@pytest.mark.gpu
def test_a_gpu_gives_the_same_bits_twice_and_nearly_those_of_the_cpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA GPU")
    device = devices.choose("cuda")
    params = job()
    x, y = tensors_of(params)
    trained_twice = []
    for _ in range(2):
        torch.manual_seed(params.seed)
        module = build(params.model, 1, 1).to(device)
        run_epochs(
            module,
            InMemory(x.to(device), y.to(device)),
            params.train,
            stream(0, "shuffle"),
            lambda *_: None,
        )
        trained_twice.append(parameters(module))
    assert trained_twice[0] == trained_twice[1]
    assert trained_twice[0] == pytest.approx(parameters(trained(params)[1]), rel=1e-5)
