"""Checks of an ONNX file's structure: form, shapes, versions, interface, contract and weights.

All checks are made, also after one has failed.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import onnx
from onnx import ModelProto, TensorProto, numpy_helper

from pipeline.onnx_model import contract
from pipeline.onnx_model.check import Check
from pipeline.onnx_model.contract import MatrixTerms
from pipeline.onnx_model.expected import IR_VERSION, Expected
from pipeline.onnx_model.graph import ELEMENT_TYPES


def run(content: bytes, expected: Expected) -> list[Check]:
    """Check the structure of an ONNX file, given by its bytes."""
    proto = onnx.load_from_string(content)
    return [_checked(name, check, proto, expected) for name, check in _CHECKS.items()]


def _checked(
    name: str,
    check: Callable[[ModelProto, Expected], str | None],
    proto: ModelProto,
    expected: Expected,
) -> Check:
    try:
        return Check(name, check(proto, expected))
    except Exception as error:  # a damaged file may raise anything
        return Check(name, f"{type(error).__name__}: {error}".strip())


def _well_formed(proto: ModelProto, expected: Expected) -> None:  # noqa: ARG001
    onnx.checker.check_model(proto, full_check=True)


def _shapes_inferred(proto: ModelProto, expected: Expected) -> None:  # noqa: ARG001
    onnx.shape_inference.infer_shapes(proto, check_type=True, strict_mode=True, data_prop=True)


def _one_file(proto: ModelProto, expected: Expected) -> str | None:  # noqa: ARG001
    external_tensors = [
        tensor.name
        for tensor in proto.graph.initializer
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data
    ]
    if external_tensors:
        return f"found in another file: {', '.join(external_tensors)}"
    return None


def _versions(proto: ModelProto, expected: Expected) -> str | None:
    opsets = {entry.domain or "ai.onnx": entry.version for entry in proto.opset_import}
    if opsets != {"ai.onnx": expected.opset}:
        return (
            f"found opset {opsets}, asked for {expected.opset} of ai.onnx alone; torch cannot write"
            " every model in every opset: set export.opset to the version that was found"
        )
    if proto.ir_version != IR_VERSION:
        return f"found IR version {proto.ir_version}, must be {IR_VERSION}"
    return None


def _interface(proto: ModelProto, expected: Expected) -> str | None:
    right: list[tuple[str, int, list[str | int]]] = [
        (each.name, ELEMENT_TYPES[each.dtype], list(each.shape)) for each in expected.inputs
    ]
    right += [
        (output.name, ELEMENT_TYPES[output.dtype], list(output.shape))
        for output in expected.outputs
    ]
    interface = [
        (
            value.name,
            value.type.tensor_type.elem_type,
            [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim],
        )
        for value in (*proto.graph.input, *proto.graph.output)
    ]
    return None if interface == right else f"found {interface}, must be {right}"


def _terms(proto: ModelProto, expected: Expected) -> str | None:
    """Check that the terms in the file's metadata describe this file."""
    metadata = {entry.key: entry.value for entry in proto.metadata_props}
    terms = contract.terms_of(metadata.get(contract.METADATA_KEY, ""))
    inputs = (terms.input,) if isinstance(terms, MatrixTerms) else terms.inputs
    encoded = (
        tuple(feature.name for feature in terms.input.features)
        if isinstance(terms, MatrixTerms)
        else terms.encoded
    )
    pairs: dict[str, tuple[Any, Any]] = {
        "version": (terms.version, expected.version),
        "inputs": (
            [(each.name, each.dtype, each.shape) for each in inputs],
            [(each.name, each.dtype, each.shape) for each in expected.inputs],
        ),
        "features": (encoded, tuple(expected.features)),
        "outputs": (terms.outputs, expected.outputs),
        "opset": (terms.opset, expected.opset),
        "ir_version": (terms.ir_version, IR_VERSION),
    }
    differences = [
        f"{key} is {value}, must be {right}"
        for key, (value, right) in pairs.items()
        if value != right
    ]
    return "; ".join(differences) or None


def _same_weights(proto: ModelProto, expected: Expected) -> str | None:
    """Check that a linear model's numbers are in the file, bit for bit.

    Answers are rounded, so that comparing them does not show this.
    """
    if expected.line is None:
        return None
    tensors = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    for name, value in expected.module.state_dict().items():
        tensor = tensors.get(expected.prefix("model/") + name)
        if tensor is None or not np.array_equal(tensor, value.numpy()):
            return f"{name} differs from the trained tensor"
    return None


_CHECKS: dict[str, Callable[[ModelProto, Expected], str | None]] = {
    "well formed (onnx.checker, full)": _well_formed,
    "shapes inferred strictly": _shapes_inferred,
    "one file, no external data": _one_file,
    "opset and IR version": _versions,
    "names, types and shapes": _interface,
    "contract in the metadata": _terms,
    "weights, bit for bit, of a linear model": _same_weights,
}
