"""Training is the tutorial's, to the last bit, and says so when it cannot succeed."""

from typing import Any

import numpy as np
import pytest
import torch
from conftest import job
from torch import nn

from pipeline import evaluate, generate
from pipeline.learning import device as devices
from pipeline.learning import divergence, tensors
from pipeline.learning.divergence import DivergedError
from pipeline.learning.loop import _batches, run_epochs
from pipeline.learning.module import build
from pipeline.learning.prediction import line_of, predict
from pipeline.learning.weights import DTYPES
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
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


def table(params: Params) -> tuple[torch.Tensor, torch.Tensor]:
    rows = generate.generate(params.data, params.seed)
    dtype = DTYPES[params.train.dtype]
    x, y = rows.columns(params.data.features), rows.columns(params.data.targets)
    return torch.tensor(x, dtype=dtype), torch.tensor(y, dtype=dtype)


def train(params: Params) -> tuple[list[float], nn.Module]:
    """Losses and model of a job, as the stages make them."""
    x, y = table(params)
    torch.manual_seed(params.seed)
    module = build(params.model, x.shape[1], y.shape[1]).to(x.dtype)
    shuffle = stream(params.seed, "shuffle")
    history = run_epochs(module, x, y, params.train, shuffle, lambda *_: None)
    return [loss for loss, _ in history], module


def weights(module: nn.Module) -> list[float]:
    return [value for tensor in module.parameters() for value in tensor.flatten().tolist()]


def test_the_tutorials_numbers_bit_for_bit() -> None:
    losses, layer, prediction = tutorial()
    our_losses, module = train(job())
    assert our_losses == losses
    assert weights(module) == [layer.weight.item(), layer.bias.item()]
    answer = evaluate.answer(lambda x: predict(module, x), np.array([[4.0]]), "float32")
    assert answer.item() == np.float32(prediction)
    assert len(losses) == 100
    assert losses[99] < losses[0] / 100


def test_a_column_has_plain_strides() -> None:
    """With NumPy's (1, rows) the tutorial's weights differ between Intel and AMD processors."""
    rows = generate.generate(job().data, 0)
    for names in (("x",), ("y",), ("x", "y")):
        assert tensors.of_columns(rows, names, torch.float32).stride() == (len(names), 1)


def test_a_thousand_epochs_come_closer_to_eight() -> None:
    _, module = train(job(train__epochs=1000))
    assert evaluate.answer(
        lambda x: predict(module, x), np.array([[4.0]]), "float32"
    ).item() == np.float32(tutorial(1000)[2])
    assert abs(predict(module, np.array([[4.0]])).item() - 8) < 0.01


@pytest.mark.parametrize(
    "options",
    [
        {"momentum": 0.5},
        {"momentum": 0.5, "dampening": 0.3},
        {"momentum": 0.5, "nesterov": True},
        {"weight_decay": 0.1},
    ],
    ids=str,
)
def test_each_option_of_sgd_reaches_torch(options: dict[str, Any]) -> None:
    params = job(**{f"train__{key}": value for key, value in options.items()})
    x, y = table(params)
    torch.manual_seed(0)
    layer = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.01, **options)
    for _ in range(100):
        optimizer.zero_grad()
        ((layer(x) - y) ** 2).sum().backward()
        optimizer.step()
    ours = weights(train(params)[1])
    assert ours == pytest.approx(weights(layer), rel=1e-5)
    assert ours != pytest.approx(weights(train(job())[1]), rel=1e-5)


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
    losses, module = train(params)
    found = line_of(module)
    assert found is not None
    np.testing.assert_allclose(found.weight, [[1, 0.5, 0], [-2, 3, 1.5]], atol=1e-3)
    np.testing.assert_allclose(found.bias, [4, -1], atol=1e-3)
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
    x, y = table(params)
    torch.manual_seed(0)
    layer = nn.Linear(1, 1).double()
    optimizer = torch.optim.Adam(layer.parameters(), lr=0.1, weight_decay=0.3)
    shuffle = stream(0, "shuffle")
    expected = []
    for _ in range(3):
        order = shuffle.permutation(20)
        squares = 0.0
        for rows in (order[:8], order[8:16], order[16:]):
            errors = (layer(x[rows]) - y[rows]) ** 2
            squares += errors.sum().item()
            optimizer.zero_grad()
            (errors.sum() if reduction == "sum" else errors.mean()).backward()
            optimizer.step()
        expected.append(squares if reduction == "sum" else squares / 20)
    losses, module = train(params)
    assert losses == pytest.approx(expected, rel=1e-12)
    assert weights(module) == pytest.approx(weights(layer), rel=1e-12)


def test_batches_cover_every_row_once_in_an_order_of_the_seed() -> None:
    x = torch.arange(10.0)[:, None]
    order = [
        [rows.flatten().tolist() for rows, _ in _batches(x, x, 4, stream(seed, "shuffle"))]
        for seed in (0, 0, 1)
    ]
    assert [len(rows) for rows in order[0]] == [4, 4, 2]
    assert sorted(row for rows in order[0] for row in rows) == list(range(10))
    assert order[0] == order[1] != order[2]


def test_a_model_without_bias_goes_through_the_origin() -> None:
    _, module = train(job(model__bias=False, train__epochs=1000))
    assert predict(module, np.array([[0.0]])).item() == 0
    assert predict(module, np.array([[4.0]])).item() == pytest.approx(8)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("weight_decay", [0.0, 2.0])
def test_the_largest_learning_rate_is_where_descent_turns(
    reduction: str, bias: bool, weight_decay: float
) -> None:
    """The formula against the thing itself: just below it the loss falls, just above it rises."""
    settings = {
        "train__reduction": reduction,
        "model__bias": bias,
        "train__weight_decay": weight_decay,
        "train__dtype": "float64",
        "train__epochs": 3000,
    }
    params = job(**settings)
    x, _ = table(params)
    module = build(params.model, 1, 1).double()
    largest = divergence.largest_lr(module, x.numpy(), 1, weight_decay, reduction)
    assert largest is not None
    below, _ = train(job(**settings, train__lr=largest * 0.99))
    assert below[-1] <= below[0]
    with pytest.raises(DivergedError):
        train(job(**settings, train__lr=largest * 1.01))


def test_infinite_loss_and_infinite_weights_are_divergence() -> None:
    with pytest.raises(DivergedError, match=r"in epoch 1 the loss is inf"):
        train(job(data__generate__weight=[[1e30]]))
    # The loss of the only epoch is that of the untrained model; its update overflows.
    with pytest.raises(DivergedError, match=r"in epoch 1 the parameters are infinite"):
        train(job(data__generate__weight=[[1e10]], train__lr=1e30, train__epochs=1))


def test_a_gpu_that_is_not_there() -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a CUDA GPU")
    with pytest.raises(UserError, match=r"train.device: found cuda, but torch finds no CUDA GPU"):
        devices.choose("cuda")
    assert devices.choose("auto") == devices.choose("cpu") == torch.device("cpu")


def test_a_gpu_gives_the_same_bits_twice_and_nearly_those_of_the_cpu() -> None:
    if not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA GPU")
    device = devices.choose("cuda")
    params = job()
    x, y = table(params)
    found = []
    for _ in range(2):
        torch.manual_seed(params.seed)
        module = build(params.model, 1, 1).to(device)
        run_epochs(
            module, x.to(device), y.to(device), params.train, stream(0, "shuffle"), lambda *_: None
        )
        found.append(weights(module))
    assert found[0] == found[1]
    assert found[0] == pytest.approx(weights(train(params)[1]), rel=1e-5)
