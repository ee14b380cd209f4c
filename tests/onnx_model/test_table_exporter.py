"""A file of raw columns: its names, its refusals, its bytes; and a spoilt one is noticed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import ModelProto, TensorProto, numpy_helper
from raw_plans import (
    EVERY_KIND,
    a_plan,
    category,
    expected_of,
    file_of,
    linear_for,
    number,
    random_rows,  # fmt: skip
)
from torch import nn

from pipeline.onnx_model import answer_checks, encoding_check, structure_checks
from pipeline.onnx_model.expected import Expected
from pipeline.settings.errors import UserError


def problems(content: bytes, expected: Expected) -> list[str]:
    assert expected.plan is not None
    rows = {"random rows": random_rows(expected.plan, 300, expected.precision)}
    checks = structure_checks.run(content, expected) + answer_checks.run(content, expected, rows)
    checks += encoding_check.run(content, expected, rows)
    return [f"{check.name}: {check.problem}" for check in checks if check.problem]


@pytest.mark.parametrize("targets", [1, 2])
def test_a_file_agrees_with_torch_and_each_target_has_an_output(targets: int) -> None:
    expected = expected_of(linear_for(EVERY_KIND, targets), EVERY_KIND)
    content = file_of(expected)
    assert problems(content, expected) == []
    assert file_of(expected) == content, "the same module gives the same bytes"
    names = [output.name for output in onnx.load_from_string(content).graph.output]
    assert names == (["y"] if targets == 1 else ["y[t1]", "y[t2]"]) + ["in_range"]


TOLERANT = {"unseen": "reference", "has_missing": True, "missing_rows": 2}


@pytest.mark.parametrize("changes", [TOLERANT, TOLERANT | {"unseen": "rare"}])
def test_a_plan_that_refuses_nothing_has_a_file(changes: dict[str, Any]) -> None:
    plan = a_plan(category("roof", **changes), category("wall", **changes))
    expected = expected_of(linear_for(plan), plan)
    assert problems(file_of(expected), expected) == []


class Swallows(nn.Module):
    """A network that makes numbers of NaN."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.last = nn.Linear(features, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.last(torch.where(torch.isnan(x), 0.0, torch.tanh(x)))
        return answer


def test_a_refused_row_is_nan_even_if_the_module_answers_it() -> None:
    torch.manual_seed(0)
    expected = expected_of(Swallows(len(EVERY_KIND.encoded_names)).eval(), EVERY_KIND)
    content = file_of(expected)
    assert problems(content, expected) == []
    rows = random_rows(EVERY_KIND, 200, "float32")
    refused = expected.feed(rows).refused
    first, second, inside = onnxruntime.InferenceSession(content).run(None, dict(rows))
    for answers in (first, second):
        assert np.isnan(answers[:, 0]).tolist() == refused.tolist()
    assert not inside[refused].any()


def test_columns_may_have_the_names_of_outputs_and_of_parts_of_the_graph() -> None:
    names = (
        "y",
        "x",
        "in_range",
        "weight",
        "bias",
        "model/weight",
        "encoder/x",
        "answers/y",
        "linear",
    )
    plan = a_plan(category("refused"), *(number(name, fill=1.0) for name in names))
    expected = expected_of(linear_for(plan), plan)
    content = file_of(expected)
    assert problems(content, expected) == []
    outputs = [output.name for output in expected.outputs]
    assert outputs == ["y_", "in_range_"]


def double_a_weight(proto: ModelProto) -> None:
    for tensor in proto.graph.initializer:
        if tensor.name.startswith("model/") and tensor.name.endswith("weight"):
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * 2, tensor.name))


def rename_a_level(proto: ModelProto) -> None:
    for tensor in proto.graph.initializer:
        if "größe".encode() in tensor.string_data:
            tensor.string_data[2] = "grösse".encode()


def swap_two_levels(proto: ModelProto) -> None:
    for tensor in proto.graph.initializer:
        texts = list(tensor.string_data)
        if "größe".encode() in texts:
            tensor.string_data[2], tensor.string_data[3] = texts[3], texts[2]


def fill_with_another_number(proto: ModelProto) -> None:
    for tensor in proto.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT and tensor.name.startswith("encoder/"):
            values = numpy_helper.to_array(tensor)
            wrong = np.where(values == np.float32(0.1), np.float32(0.101), values)
            tensor.CopyFrom(numpy_helper.from_array(wrong, tensor.name))


def begin_the_year_in_february(proto: ModelProto) -> None:
    days = 719_468
    for tensor in proto.graph.initializer:
        if tensor.data_type == TensorProto.INT64 and numpy_helper.to_array(tensor).tolist() == days:
            tensor.CopyFrom(numpy_helper.from_array(np.array(days + 1), tensor.name))


def answer_refused_rows(proto: ModelProto) -> None:
    for node in proto.graph.node:
        if list(node.output) == ["y"]:
            node.op_type = "Identity"
            del node.input[:2]


def flip_in_range(proto: ModelProto) -> None:
    for node in proto.graph.node:
        if list(node.output) == ["in_range"]:
            node.op_type = "Not"


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (double_a_weight, "bit for bit, of a linear model: linear.weight differs"),
        (rename_a_level, "row "),
        (swap_two_levels, "exactly: row "),
        (fill_with_another_number, ", age: onnx 0.101"),
        (begin_the_year_in_february, "exactly: row "),
        (answer_refused_rows, "torch nan"),
        (flip_in_range, "in_range: onnx"),
    ],
)
def test_a_spoilt_file_is_noticed(spoil: Callable[[ModelProto], None], said: str) -> None:
    expected = expected_of(linear_for(EVERY_KIND), EVERY_KIND)
    proto = onnx.load_from_string(file_of(expected))
    spoil(proto)
    messages = problems(proto.SerializeToString(), expected)
    assert any(said in message for message in messages), messages


def test_an_opset_without_texts_is_refused() -> None:
    expected = expected_of(linear_for(EVERY_KIND), EVERY_KIND)
    with pytest.raises(UserError, match=r"^export\.opset: found 18; must be at least 19"):
        file_of(expected, opset=18)
