"""A copy of an ONNX file that takes integers in the place of texts, for many rows at a time.

onnxruntime copies a text for each row, and compares it with each level: several times as long as
all the rest. A file that only compares its texts with constants gives the same answers if each
constant has a code of its own, and every other text another code. All other nodes stay as they are,
so that the answers have the same bits.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

OTHER = -1
"""The code of a text that the file does not compare with."""
_SAME_TEXTS = {"Identity", "Unsqueeze", "Squeeze", "Reshape", "Expand", "Flatten", "Transpose"}
"""Operators whose first input has the texts of their output."""


@dataclass(frozen=True)
class CodedFile:
    """The copy. content: its bytes. codes: of the texts."""

    content: bytes
    codes: Mapping[str, int]


def coded(content: bytes) -> CodedFile | None:
    """Return the copy; None if the file has no texts, or uses them for more than comparisons."""
    proto = onnx.load_from_string(content)
    graph = proto.graph
    inputs = {each.name for each in graph.input if _is_text(each)}
    constants = {each.name: each for each in graph.initializer if _holds_texts(each)}
    codes: dict[str, int] = {}
    for tensor in constants.values():
        _encode(tensor, codes)
    for node in graph.node:
        if any(each.type in _GRAPHS for each in node.attribute):
            return None
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR and _holds_texts(attribute.t):
                if node.op_type != "Constant":
                    return None
                _encode(attribute.t, codes)
                constants[node.output[0]] = attribute.t
            elif attribute.type in _TEXTS and node.op_type == "Constant":
                return None
        texts = [name for name in node.input if name in inputs or name in constants]
        if not texts:
            continue
        if node.op_type in _SAME_TEXTS and texts == [node.input[0]]:
            # Texts of an input stay texts of an input.
            if texts[0] in inputs:
                inputs.add(node.output[0])
            else:
                constants[node.output[0]] = constants[texts[0]]
        elif node.op_type != "Equal" or not any(name in constants for name in texts):
            # Two texts that the file does not know would have one code.
            return None
    if not inputs or any(each.name in inputs for each in graph.output):
        return None
    for each in (*graph.input, *graph.value_info):
        if _is_text(each):
            each.type.tensor_type.elem_type = TensorProto.INT32
    return CodedFile(proto.SerializeToString(), codes)


_GRAPHS = (onnx.AttributeProto.GRAPH, onnx.AttributeProto.GRAPHS)
_TEXTS = (onnx.AttributeProto.STRING, onnx.AttributeProto.STRINGS)


def _is_text(value: onnx.ValueInfoProto) -> bool:
    return bool(value.type.tensor_type.elem_type == TensorProto.STRING)


def _holds_texts(tensor: onnx.TensorProto) -> bool:
    return bool(tensor.data_type == TensorProto.STRING)


def _encode(tensor: onnx.TensorProto, codes: dict[str, int]) -> None:
    """Replace the texts of a constant by their codes; new texts get new codes."""
    texts = [text.decode() for text in tensor.string_data]
    whole = np.array([codes.setdefault(text, len(codes)) for text in texts], np.int32)
    tensor.CopyFrom(numpy_helper.from_array(whole.reshape(tuple(tensor.dims)), tensor.name))
