"""The line, the network beside it, and their scaling: their answers are the formulas'."""

import math

import pytest
import torch
from conftest import job
from own_modules import linear

from pipeline.learning.module import LinearModel, Network, Standardized, build


def test_inputs_and_outputs_are_scaled() -> None:
    x = torch.tensor([[12.0, 30.0]])
    inner = linear([[1.0, 10.0]], [0.5])
    mean, deviation = torch.tensor([10.0, 20.0]), torch.tensor([2.0, 5.0])
    module = Standardized(inner, mean, deviation, torch.tensor([100.0]), torch.tensor([3.0]))
    assert module.scaled(x).tolist() == [[1, 2]]
    assert module(x).tolist() == [[100 + 3 * (1 + 20 + 0.5)]]
    assert Standardized(inner, mean, None)(x).tolist() == [[2 + 100 + 0.5]]


def test_without_hidden_layers_the_model_is_the_line_bit_for_bit() -> None:
    """Whoever adds the keys to an old params.yaml keeps the weights that the seed draws."""
    torch.manual_seed(3)
    line = LinearModel(2, 1)
    torch.manual_seed(3)
    built = build(job().model, 2, 1)
    assert type(built) is LinearModel
    assert [*built.state_dict()] == ["linear.weight", "linear.bias"]
    for one, other in zip(built.parameters(), line.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize(
    ("activation", "function"), [("relu", lambda value: max(value, 0.0)), ("tanh", math.tanh)]
)
def test_a_network_computes_what_its_settings_say(activation: str, function: object) -> None:
    assert callable(function)
    module = build(job(model__hidden=[2], model__activation=activation).model, 1, 1)
    for name, values in {
        "layers.0.weight": [[1.0], [-2.0]],
        "layers.0.bias": [0.5, 0.25],
        "layers.2.weight": [[3.0, 4.0]],
        "layers.2.bias": [10.0],
    }.items():
        module.state_dict()[name].copy_(torch.tensor(values))
    expected = 10 + 3 * function(0.5 + 0.7) + 4 * function(0.25 - 1.4)
    assert module(torch.tensor([[0.7]])).item() == pytest.approx(expected, rel=1e-6)


def test_each_hidden_layer_has_its_width_its_activation_and_its_dropout() -> None:
    settings = job(model__hidden=[5, 3], model__dropout=0.25).model
    module = build(settings, 4, 2)
    assert isinstance(module, Network)
    assert [type(layer).__name__ for layer in module.layers] == [
        "Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear",
    ]  # fmt: skip
    assert {layer.p for layer in module.layers if isinstance(layer, torch.nn.Dropout)} == {0.25}
    shapes = [tuple(each.shape) for each in module.parameters() if each.dim() == 2]
    assert shapes == [(5, 4), (3, 5), (2, 3)]


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_network_without_bias_answers_zeros_with_zero(activation: str) -> None:
    settings = job(model__bias=False, model__hidden=[7, 7], model__activation=activation).model
    module = build(settings, 3, 2)
    assert not [name for name, _ in module.named_parameters() if name.endswith("bias")]
    assert module(torch.zeros(1, 3)).tolist() == [[0, 0]]


def test_what_is_taken_for_a_line_is_one() -> None:
    """A subclass with another forward would be measured and exported as a line."""
    with pytest.raises(TypeError, match="Bent: a LinearModel is taken for linear"):
        type("Bent", (LinearModel,), {})
