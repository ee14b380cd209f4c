"""A file whose answers differ from torch's is refused, and a right file is not."""

from collections.abc import Callable

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import ModelProto, numpy_helper
from onnx_files import (
    METADATA,
    TRAINING,
    exported,
    linear,
    matrices,
    metadata,
    network,
    problems,
    replace,
    scale_weights,
    wanted,
)
from torch import nn

from pipeline.learning.module import LinearModel
from pipeline.onnx_model import answer_checks, exporter
from pipeline.onnx_model.expected import Expected
from pipeline.onnx_model.trial_rows import trial_rows


def forget_bias(proto: ModelProto) -> None:
    for node in proto.graph.node:
        del node.input[2:]


def swallow_nan(proto: ModelProto) -> None:
    """Clip the answers to the range of float32, which hides an infinite input."""
    node = proto.graph.node[-1]
    node.output[0] = "before"
    largest = np.finfo(np.float32).max
    for name, value in (("low", -largest), ("high", largest)):
        proto.graph.initializer.append(numpy_helper.from_array(np.array(value), name))
    proto.graph.node.append(onnx.helper.make_node("Clip", ["before", "low", "high"], ["y"]))


def fix_batch_inside(proto: ModelProto) -> None:
    """Leave the declared batch free, but fix it to two rows by a reshape in the graph."""
    node = proto.graph.node[-1]
    node.output[0] = "before"
    shape = numpy_helper.from_array(np.array([2, 2], dtype=np.int64), "shape")
    proto.graph.initializer.append(shape)
    proto.graph.node.append(onnx.helper.make_node("Reshape", ["before", "shape"], ["y"]))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (scale_weights, "training rows: row "),
        (fix_batch_inside, "batch of 40: "),
        (forget_bias, "zeros: row "),
        (swallow_nan, "NaN and infinity: row "),
    ],
)
def test_a_spoilt_answer_is_caught(spoil: Callable[[ModelProto], None], said: str) -> None:
    proto = onnx.load_from_string(exported())
    spoil(proto)
    messages = problems(proto.SerializeToString(), wanted(linear()))
    assert any(said in message for message in messages), messages


def test_all_rows_run_at_every_level_in_batches_of_every_size() -> None:
    rows = {"training rows": {"x": TRAINING}, "queries": {"x": np.empty((0, 3))}}
    checks = {check.name: check for check in answer_checks.run(exported(), wanted(linear()), rows)}
    for level in onnxruntime.GraphOptimizationLevel.__members__:
        # All 40 rows, then batches of 0, 1, 2, 3 and 1000
        assert checks[f"{level}: training rows"].rows == 40 + 1006
        bound = checks[f"{level}: training rows"].bound
        assert bound is not None
        assert 0 < bound < 0.01
        assert checks[f"{level}: queries"].rows == 0


def test_the_message_has_the_difference_and_its_place() -> None:
    module = linear()
    with torch.no_grad():
        module.linear.bias[1] += 1
    messages = problems(exported(), wanted(module))
    (zeros,) = (text for text in messages if text.startswith("ORT_ENABLE_ALL: zeros"))
    assert "row 0 of a batch of 2, v: onnx " in zeros
    assert "apart by 1, allowed " in zeros


@pytest.mark.parametrize("features", [1, 30, 300])
def test_a_change_of_one_part_in_a_hundred_thousand_shows_in_a_model_of_any_width(
    features: int,
) -> None:
    torch.manual_seed(0)
    module = LinearModel(features, 1).eval()
    names = [str(index) for index in range(features)]
    expected = Expected(module, names, ["y"], 20, 0, 0)
    random = np.random.default_rng(0)
    rows = trial_rows(
        random.normal(size=(20, features)), np.empty((0, features)), torch.float32, random
    )
    content = exporter.export(module, features, 20, metadata(names, ["y"]))
    assert not [c for c in answer_checks.run(content, expected, rows) if c.problem]
    proto = onnx.load_from_string(content)
    scale_weights(proto)
    spoilt = answer_checks.run(proto.SerializeToString(), expected, rows)
    failed = [check.name for check in spoilt if check.problem]
    # A row with one feature has a bound of its own, far below that of a full row.
    assert "ORT_ENABLE_ALL: one feature at a time" in failed


def test_a_right_file_of_huge_weights_passes() -> None:
    module = LinearModel(100, 1).eval()
    with torch.no_grad():
        module.linear.weight.fill_(3e38)
    names = [str(index) for index in range(100)]
    random = np.random.default_rng(0)
    rows = trial_rows(random.normal(size=(20, 100)), np.empty((0, 100)), torch.float32, random)
    content = exporter.export(module, 100, 20, metadata(names, ["y"]))
    expected = Expected(module, names, ["y"], 20, 0, 0)
    assert not [c for c in answer_checks.run(content, expected, rows) if c.problem]


def test_another_module_is_held_to_the_tolerances() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)).eval()
    content = exporter.export(module, 3, 20, METADATA)
    assert problems(content, wanted(module)) == []
    with torch.no_grad():
        next(module[2].parameters()).add_(1e-3)
    assert len(problems(content, wanted(module))) >= 5


NETWORKS = [
    *("tanh", "gelu", "layer norm"),
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("relu", "sigmoid", "silu", "softplus", "batch norm", "softmax", "wide",
                     "convolution")
    ),
]  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_a_right_file_of_any_network_passes_and_a_wrong_one_does_not(name: str) -> None:
    module = network(name)
    content = exporter.export(module, 3, 20, METADATA)
    assert problems(content, wanted(module)) == []
    rows = {"training rows": {"x": TRAINING}}
    for spoil in (round_to_half, negate_a_weight, nudge_a_weight):
        proto = onnx.load_from_string(content)
        spoil(proto)
        checks = answer_checks.run(proto.SerializeToString(), wanted(module), rows)
        assert all(check.problem for check in checks), spoil.__name__


def round_to_half(proto: ModelProto) -> None:
    for tensor, value in matrices(proto):
        replace(tensor, value.astype(np.float16).astype(value.dtype))


def negate_a_weight(proto: ModelProto) -> None:
    tensor, value = matrices(proto)[-1]
    value = value.copy()
    value.flat[3] *= -1
    replace(tensor, value)


def nudge_a_weight(proto: ModelProto) -> None:
    tensor, value = matrices(proto)[-1]
    value = value.copy()
    value.flat[3] *= np.float32(1 + 1e-3)
    replace(tensor, value)
