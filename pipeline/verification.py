"""Does an ONNX file say what torch says? Every check is made, whatever the others found."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper
from torch import nn

from pipeline import contract, model
from pipeline.contract import Float, Output, Terms, Vectors
from pipeline.interval import EPS, Interval
from pipeline.model import Answers

# 0 and 1 are the sizes that a shape fixed by mistake breaks, 1000 is one that vector code sees.
BATCHES = (0, 1, 2, 3, 1000)

# Training tables are tried in blocks of at most this many rows.
BLOCK = 65_536

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


@dataclass(frozen=True)
class Expected:
    """What the file has to be."""

    module: nn.Module
    """The torch module that it must agree with, in the precision that ships."""
    features: Sequence[str]
    targets: Sequence[str]
    opset: int
    rtol: float
    """Of a module that is not linear: |onnx − torch| ≤ atol + rtol · |torch|."""
    atol: float
    """See rtol."""

    @property
    def dtype(self) -> torch.dtype:
        """The precision that ships."""
        return next(self.module.parameters()).dtype

    @property
    def precision(self) -> Float:
        """The precision that ships, by its name."""
        return "float32" if self.dtype == torch.float32 else "float64"

    @property
    def outputs(self) -> tuple[Output, ...]:
        """What the file answers."""
        asked = []
        if isinstance(self.module, Answers):
            asked += ["interval"] if self.module.interval is not None else []
            asked += ["in_range"] if self.module.bounded else []
        return contract.outputs(asked, self.targets, self.precision)

    def allowed(self, x: NDArray[np.float64], y: NDArray[np.float64]) -> list[NDArray[np.float64]]:
        """The largest difference allowed to each number of each output: [rows, columns] each.

        Infinite where it may overflow. x: finite inputs, [rows, features]; y: the predictions.
        """
        bound = model.rounding_bound(self.module, x)
        if bound is None:
            tolerance = self.atol + self.rtol * np.abs(y)
            huge = np.max(np.abs(x), axis=1, keepdims=True, initial=0) > self._largest / 1e6
            bound = np.where(huge, np.inf, np.nan_to_num(tolerance))
        found = [bound]
        if isinstance(self.module, Answers):
            if self.module.interval is not None:
                found += [self._allowed_to_an_end(x, y, bound, self.module.interval)] * 2
            if self.module.bounded:
                found.append(np.zeros((len(x), 1)))
        return found

    def _allowed_to_an_end(
        self,
        x: NDArray[np.float64],
        y: NDArray[np.float64],
        bound: NDArray[np.float64],
        interval: Interval,
    ) -> NDArray[np.float64]:
        """As `allowed`, of an end of the interval. bound: of y."""
        kind = torch.finfo(self.dtype)
        with np.errstate(over="ignore", invalid="ignore"):
            size = np.abs(y) + interval.half_width(x)
            last = (kind.eps + EPS) * size + kind.smallest_normal * kind.eps
            whole = bound + interval.rounding_bound(x) + last
            return np.where(size < self._largest / 2, whole, np.inf)

    @property
    def _largest(self) -> float:
        return float(torch.finfo(self.dtype).max)


@dataclass(frozen=True)
class Check:
    """One thing that was tried."""

    name: str
    problem: str | None = None
    """What is wrong, and where; None if it is right."""
    rows: int = 0
    """Rows of input that were tried."""
    bound: float | None = None
    """The largest difference that was allowed to any of them."""
    used: float = 0.0
    """The largest share of its bound that a difference took. Depends on the CPU: for no file."""


def verify(
    content: bytes, expected: Expected, rows: Mapping[str, NDArray[np.float64]]
) -> list[Check]:
    """Check the bytes of an ONNX file.

    rows: the inputs to try, by what they are: float64 [rows, features], finite or not.
    """
    proto = onnx.load_from_string(content)
    checks = [_structure(name, check, proto, expected) for name, check in _STRUCTURE.items()]
    for level in onnxruntime.GraphOptimizationLevel.__members__.values():
        checks += _values(content, level, expected, rows)
    return checks


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
    if model.coefficients(expected.module) is None:
        return None
    found = {tensor.name: numpy_helper.to_array(tensor) for tensor in proto.graph.initializer}
    for name, value in expected.module.state_dict().items():
        # torch writes tensors that are equal once, under one of their names.
        places = [found[name]] if name in found else found.values()
        if not any(np.array_equal(place, value.numpy()) for place in places):
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


def _values(
    content: bytes,
    level: onnxruntime.GraphOptimizationLevel,
    expected: Expected,
    rows: Mapping[str, NDArray[np.float64]],
) -> Iterator[Check]:
    """Run the file at one level of optimisation on all inputs, in batches of every size."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 4  # a failure comes as an exception, and is reported below
    try:
        session = onnxruntime.InferenceSession(content, options, ["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no base class of their own
        yield Check(f"{level.name}: loads", str(error).strip())
        return
    for name, values in rows.items():
        yield _agreement(f"{level.name}: {name}", session, expected, values)


def _agreement(
    name: str,
    session: onnxruntime.InferenceSession,
    expected: Expected,
    rows: NDArray[np.float64],
) -> Check:
    tried, bound, used = 0, 0.0, 0.0
    names = [output.name for output in expected.outputs]
    for batch in _batches(rows):
        tried += len(batch)
        with np.errstate(over="ignore"):
            x = torch.empty(batch.shape, dtype=expected.dtype).copy_(torch.from_numpy(batch))
        try:
            answers = session.run(names, {"x": x.numpy()})
        except Exception as error:  # see above
            return Check(name, f"batch of {len(batch)}: {error}".strip(), tried)
        with torch.inference_mode():
            said = expected.module(x)
        right = [each.numpy() for each in (said if isinstance(said, tuple) else (said,))]
        finite = np.isfinite(x.numpy()).all(axis=1)[:, None]
        limits = expected.allowed(x.double().nan_to_num(0, 0, 0).numpy(), right[0].astype("f8"))
        for output, answer, wanted, limit in zip(
            expected.outputs, answers, right, limits, strict=True
        ):
            problem, largest, share = _compared(output, answer, wanted, limit, finite)
            if problem:
                return Check(name, problem, tried)
            bound, used = max(bound, largest), max(used, share)
    return Check(name, None, tried, bound, used)


def _compared(
    output: Output,
    found: NDArray[Any],
    right: NDArray[Any],
    allowed: NDArray[np.float64],
    finite: NDArray[np.bool_],
) -> tuple[str | None, float, float]:
    """What is wrong with one output of a batch, the largest bound, and the share of it taken.

    allowed: as of `Expected.allowed`; finite: [rows, 1], whether the inputs are.
    """
    if found.shape != right.shape or found.dtype != right.dtype:
        told = f"found {found.dtype}{found.shape}, must be {right.dtype}{right.shape}"
        return f"{output.name}: {told}", 0, 0
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.abs(found.astype(np.float64) - right.astype(np.float64))
    # Where a sum may overflow, any answer will do. Elsewhere inputs that are not finite must
    # give the same class of answer, and finite ones an answer within the bound.
    same = _classes(found) == _classes(right) if output.dtype != "bool" else found == right
    wrong = (allowed < np.inf) & np.where(finite, ~(apart <= allowed), ~same)
    if wrong.any():
        excess = np.where(wrong & np.isfinite(apart), apart, 0)
        worst = int(np.argmax(excess if excess.any() else wrong))
        row, column = divmod(worst, wrong.shape[1])
        named = output.targets[column] if output.meaning == "prediction" else output.name
        told = (
            f"row {row} of a batch of {len(found)}, {named}: onnx {found[row, column]}, torch"
            f" {right[row, column]}, apart by {apart[row, column]:.3g}, allowed"
            f" {allowed[row, column]:.3g}"
        )
        return told, 0, 0
    held = finite & np.isfinite(allowed)
    shares = np.divide(apart, allowed, out=np.zeros_like(apart), where=held & (apart > 0))
    return None, float(allowed.max(where=held, initial=0)), float(shares.max(initial=0))


def _batches(rows: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """All rows, in blocks; then the first of them, over and over, in batches of every size."""
    for start in range(0, len(rows), BLOCK):
        yield rows[start : start + BLOCK]
    if len(rows):
        for size in BATCHES:
            yield np.resize(rows, (size, rows.shape[1]))


def _classes(values: NDArray[Any]) -> NDArray[np.int8]:
    """0 for a finite number, 1 and −1 for an infinity, 2 for NaN."""
    return np.where(np.isnan(values), 2, np.where(np.isinf(values), np.sign(values), 0)).astype(
        np.int8
    )
