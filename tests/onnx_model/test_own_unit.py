"""Answers for log targets: in the own unit, and within a bound that holds for every runtime."""

import math

import numpy as np
import onnxruntime
import pytest
import torch
from flint import arb
from onnx import TensorProto, helper

from pipeline.exact import elementary
from pipeline.onnx_model import own_unit
from pipeline.onnx_model.own_unit import EXP_ULPS


@pytest.mark.parametrize("logs", [(), (0,), (1,), (0, 1)])
def test_only_log_targets_are_answered_as_powers(logs: tuple[int, ...]) -> None:
    fitted = torch.tensor([[1.0, 2.0], [-3.0, 0.5]])
    own = own_unit.own_unit(fitted, logs, torch.float32)
    assert own.dtype == torch.float32
    right = own_unit.in_float64(fitted.double().numpy(), logs)
    np.testing.assert_allclose(own.numpy(), right, rtol=1e-7)
    for place in range(2):
        wanted = math.exp(fitted[1, place]) if place in logs else float(fitted[1, place])
        assert own[1, place].item() == pytest.approx(wanted, rel=1e-6)


def test_right_answers_of_any_size() -> None:
    assert float(own_unit.exactly(arb(1), 0, (0,)).mid()) == math.e
    assert own_unit.exactly(arb(7), 1, (0,)) == 7
    assert own_unit.exactly(arb(10) ** 300, 0, (0,)) > arb(10) ** 400
    assert own_unit.exactly(-(arb(10) ** 300), 0, (0,)) < arb(10) ** -400


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_two_evaluations_within_the_bound_give_answers_within_the_bound(dtype: torch.dtype) -> None:
    random = np.random.default_rng(0)
    fitted = random.uniform(-80, 80, (4000, 1))
    units = random.integers(1, 9, fitted.shape)
    same = torch.from_numpy(fitted).exp().to(dtype).double().numpy()
    for sign in (-1, 1):
        other = fitted * (1 + sign * torch.finfo(dtype).eps * units)
        allowed = own_unit.allowed(fitted, np.abs(other - fitted), (0,), dtype)
        difference = np.abs(torch.from_numpy(other).exp().to(dtype).double().numpy() - same)
        assert (difference <= allowed).all()
        assert (difference * 40 >= allowed)[np.abs(fitted) > 20].all(), "and it is not too wide"


def test_anything_is_allowed_where_an_answer_overflows() -> None:
    fitted = np.array([[88.0, 88.0], [89.0, 89.0], [710.0, 710.0]])
    allowed = own_unit.allowed(fitted, np.full((3, 2), 1e-3), (0,), torch.float32)
    assert np.isinf(allowed[:, 0]).tolist() == [False, True, True]
    assert allowed[:, 1].tolist() == [1e-3] * 3, "the other target is fitted as it is"


def test_the_exp_of_the_runtimes_errs_by_less_than_is_allowed() -> None:
    description = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["n"]) for name in "xy"]
    node = helper.make_node("Exp", ["x"], ["y"])
    graph = helper.make_graph([node], "exp", description[:1], description[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=10)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    random = np.random.default_rng(0)
    x = np.concatenate([random.uniform(-700, 709, 100_000), random.uniform(-3, 20, 100_000)])
    right = elementary.exp(x)
    for answers in (session.run(None, {"x": x})[0], torch.from_numpy(x).exp().numpy()):
        assert (np.abs(answers - right) / np.spacing(right)).max() < EXP_ULPS
