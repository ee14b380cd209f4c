"""Does an ONNX file say what torch says? Every check is made, whatever the others found."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper

from pipeline.onnx_model import answer_checks, contract
from pipeline.onnx_model.answer_checks import Check, Expected
from pipeline.onnx_model.contract import Terms, Vectors
from pipeline.onnx_model.outputs import line_of

# Features that are tried one at a time; in a wider model, as many that the seed chooses.
ALONE = 64

# What torch writes for every opset. A runtime refuses a file of a newer one, so a library that
# raises it unasked takes the file away from clients.
IR_VERSION = 10

ELEMENT_TYPES = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "bool": TensorProto.BOOL,
}


def verify(
    content: bytes, expected: Expected, rows: Mapping[str, NDArray[np.float64]]
) -> list[Check]:
    """Check the bytes of an ONNX file.

    rows: the inputs to try, by what they are: float64 [rows, features], finite or not.
    """
    proto = onnx.load_from_string(content)
    checks = [_structure(name, check, proto, expected) for name, check in _STRUCTURE.items()]
    return checks + answer_checks.values(content, expected, rows)


def conforms(content: bytes, golden: Vectors) -> Check:
    """Check the bytes of an ONNX file as a client does: by the golden vectors."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (entry,) = session.get_inputs()
    x = np.array(golden.inputs, np.float32 if entry.type == "tensor(float)" else np.float64)
    largest, used = 0.0, 0.0
    for name, right in golden.outputs.items():
        found = session.run([name], {entry.name: x})[0].astype(np.float64)
        bound = np.array(golden.bounds[name])
        apart = np.abs(found - np.array(right))
        if not (apart <= bound).all():
            row = int(np.argmax((apart > bound).any(axis=1)))
            problem = f"{name} of vector {row} is {found[row].tolist()}, must be {right[row]}"
            return Check(GOLDEN, problem, len(x))
        shares = np.divide(apart, bound, out=np.zeros_like(apart), where=apart > 0)
        largest, used = max(largest, bound.max(initial=0)), max(used, shares.max(initial=0))
    return Check(GOLDEN, None, len(x), largest, used)


GOLDEN = "golden vectors"


def inputs(
    training: NDArray[np.float64],
    queries: NDArray[np.float64],
    dtype: torch.dtype,
    random: np.random.Generator,
) -> dict[str, NDArray[np.float64]]:
    """The inputs that a file is tried on. training: [rows, features]; queries likewise."""
    features = training.shape[1]
    kind = torch.finfo(dtype)
    low, high = training.min(axis=0), training.max(axis=0)
    middle, reach = low / 2 + high / 2, (high / 2 - low / 2) * 10
    reach = np.where(reach > 0, reach, np.maximum(1, np.abs(middle)))
    signs = random.choice([-1.0, 1.0], (8, features))
    return {
        "training rows": training,
        "queries": queries,
        "random rows over ten times the training range": middle
        + reach * random.uniform(-1, 1, (1000, features)),
        "zeros": np.array([[0.0] * features, [-0.0] * features]),
        "denormals": signs * kind.smallest_normal * random.uniform(0, 1, (8, features)),
        "huge values": signs * kind.max * random.uniform(0, 1, (8, features)),
        "one feature at a time": _each_alone(0.0, (1e3,), features, random),
        "NaN and infinity": _each_alone(1.0, (math.nan, math.inf, -math.inf), features, random),
    }


def _each_alone(
    others: float, values: Sequence[float], features: int, random: np.random.Generator
) -> NDArray[np.float64]:
    """Rows of `others` in which one feature, or in the last of them every one, is of `values`."""
    chosen = random.permutation(features)[:ALONE]
    rows = np.full((len(values), len(chosen) + 1, features), others)
    for value, block in zip(values, rows, strict=True):
        block[np.arange(len(chosen)), chosen] = value
        block[-1] = value
    return rows.reshape(-1, features)


def _structure(
    name: str,
    check: Callable[[ModelProto, Expected], str | None],
    proto: ModelProto,
    expected: Expected,
) -> Check:
    try:
        return Check(name, check(proto, expected))
    except Exception as error:  # a damaged file may fail a check in any way
        return Check(name, f"{type(error).__name__}: {error}".strip())


def _well_formed(proto: ModelProto, expected: Expected) -> None:  # noqa: ARG001
    onnx.checker.check_model(proto, full_check=True)


def _shapes_inferred(proto: ModelProto, expected: Expected) -> None:  # noqa: ARG001
    onnx.shape_inference.infer_shapes(proto, check_type=True, strict_mode=True, data_prop=True)


def _one_file(proto: ModelProto, expected: Expected) -> str | None:  # noqa: ARG001
    outside = [
        tensor.name
        for tensor in proto.graph.initializer
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data
    ]
    return f"found in another file: {', '.join(outside)}" if outside else None


def _versions(proto: ModelProto, expected: Expected) -> str | None:
    opsets = {entry.domain or "ai.onnx": entry.version for entry in proto.opset_import}
    if opsets != {"ai.onnx": expected.opset}:
        return (
            f"found opset {opsets}, asked for {expected.opset} of ai.onnx alone; torch cannot write"
            " every model in every opset: set export.opset to one that it found"
        )
    if proto.ir_version != IR_VERSION:
        return f"found IR version {proto.ir_version}, must be {IR_VERSION}"
    return None


def _interface(proto: ModelProto, expected: Expected) -> str | None:
    asked = [("x", ELEMENT_TYPES[expected.precision], ["batch", len(expected.features)])]
    asked += [
        (output.name, ELEMENT_TYPES[output.dtype], list(output.shape))
        for output in expected.outputs
    ]
    found = [
        (
            value.name,
            value.type.tensor_type.elem_type,
            [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim],
        )
        for value in (*proto.graph.input, *proto.graph.output)
    ]
    return None if found == asked else f"found {found}, must be {asked}"


def _terms(proto: ModelProto, expected: Expected) -> str | None:
    """The contract that the file carries speaks of this very file."""
    found = {entry.key: entry.value for entry in proto.metadata_props}
    terms = Terms.model_validate_json(found.get(contract.KEY, ""))
    pairs: dict[str, tuple[Any, Any]] = {
        "input": (terms.input.name, "x"),
        "dtype": (terms.input.dtype, expected.precision),
        "shape": (terms.input.shape, ("batch", len(expected.features))),
        "features": (
            tuple(feature.name for feature in terms.input.features),
            tuple(expected.features),
        ),
        "outputs": (terms.outputs, expected.outputs),
        "opset": (terms.opset, expected.opset),
        "ir_version": (terms.ir_version, IR_VERSION),
    }
    wrong = [
        f"{key} is {said}, must be {right}" for key, (said, right) in pairs.items() if said != right
    ]
    return "; ".join(wrong) or None


def _same_weights(proto: ModelProto, expected: Expected) -> str | None:
    """A linear model's numbers are in the file as they are: no run could show a change so well."""
    if line_of(expected.module) is None:
        return None
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    for name, value in expected.module.state_dict().items():
        if name not in found or not np.array_equal(found[name], value.numpy()):
            return f"{name} is not the trained one"
    return None


_STRUCTURE: dict[str, Callable[[ModelProto, Expected], str | None]] = {
    "well formed (onnx.checker, full)": _well_formed,
    "shapes inferred strictly": _shapes_inferred,
    "one file, no external data": _one_file,
    "opset and IR version": _versions,
    "names, types and shapes": _interface,
    "contract in the metadata": _terms,
    "weights, bit for bit, of a linear model": _same_weights,
}
