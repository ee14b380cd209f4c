"""A file that does not have the form, the interface, the terms or the weights is refused."""

import json
from collections.abc import Callable

import onnx
import pytest
from onnx import ModelProto, TensorProto
from onnx_files import exported, linear, problems, scale_weights, wanted


def swap_names(proto: ModelProto) -> None:
    for names in (
        *(node.input for node in proto.graph.node),
        *(node.output for node in proto.graph.node),
    ):
        names[:] = [{"x": "y", "y": "x"}.get(name, name) for name in names]
    for value in (*proto.graph.input, *proto.graph.output):
        value.name = {"x": "y", "y": "x"}[value.name]


def swap_columns(proto: ModelProto) -> None:
    for entry in proto.metadata_props:
        terms = json.loads(entry.value)
        columns = terms["input"]["features"]
        columns[0], columns[1] = columns[1], columns[0]
        entry.value = json.dumps(terms)


def put_weights_outside(proto: ModelProto) -> None:
    tensor = proto.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.data")
    tensor.ClearField("raw_data")


def fix_batch(proto: ModelProto) -> None:
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 2


def raise_opset(proto: ModelProto) -> None:
    proto.opset_import[0].version = 21


def raise_ir_version(proto: ModelProto) -> None:
    proto.ir_version = 11


def use_double(proto: ModelProto) -> None:
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.elem_type = TensorProto.DOUBLE


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (scale_weights, "weights, bit for bit, of a linear model: linear.weight differs from the"),
        (swap_names, "names, types and shapes: found [('y', "),
        (
            swap_columns,
            "contract in the metadata: features is ('b', 'a', 'c'), must be ('a', 'b', 'c')",
        ),
        (put_weights_outside, "one file, no external data: found in another file: linear.weight"),
        (fix_batch, "names, types and shapes: found [('x', 1, [2, 3])"),
        (raise_opset, "opset and IR version: found opset {'ai.onnx': 21}, asked for 20"),
        (raise_ir_version, "opset and IR version: found IR version 11, must be 10"),
        (use_double, "well formed (onnx.checker, full): "),
    ],
)
def test_a_spoilt_file_is_caught(spoil: Callable[[ModelProto], None], said: str) -> None:
    proto = onnx.load_from_string(exported())
    spoil(proto)
    messages = problems(proto.SerializeToString(), wanted(linear()))
    assert any(said in message for message in messages), messages


def test_a_damaged_file_is_caught() -> None:
    proto = onnx.load_from_string(exported())
    proto.graph.node[0].op_type = "Gemn"
    messages = problems(proto.SerializeToString(), wanted(linear()))
    assert any("Gemn" in message for message in messages)
    # Each of the five sessions fails to load.
    assert sum("loads: " in message for message in messages) == 5
