"""The contract of an ONNX file: what whoever uses it can rely on, and how to see that it holds.

`python -m pipeline.onnx_model.contract` prints its JSON schema, which is published as
clients/contract.schema.json.
"""

import argparse
import json
import math
from collections.abc import Collection, Iterator, Sequence
from fractions import Fraction
from functools import partial
from typing import Annotated, Any, Literal

import numpy as np
from flint import arb, arb_mat
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from pipeline.exact.interval import Interval
from pipeline.exact.rounding import enclose, nearest, rounded
from pipeline.learning.line import Line

KEY = "abline.contract"
"""Where the ONNX file's metadata has its terms."""

VECTORS = 32

Float = Literal["float32", "float64"]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, use_attribute_docstrings=True
    )


class Feature(_Part):
    """A column of the input."""

    name: str
    min: float
    """The smallest value in the training rows, in the input's dtype."""
    max: float
    """The largest."""
    mean: float | SkipJsonSchema[None] = None
    """Their mean, rounded to the input's dtype, from min to max. Older contracts have none."""


Shape = tuple[Literal["batch"], int]
"""Any number of rows, and so many columns."""


class Input(_Part):
    """The file's one input, in the units of the training table."""

    name: str
    dtype: Float
    shape: Shape
    features: Annotated[tuple[Feature, ...], Field(min_length=1)]
    """In the order of the columns."""


Meaning = Literal["prediction", "low", "high", "in_range"]


class Output(_Part):
    """An output of the file."""

    name: str
    meaning: Meaning
    """low, high: the ends of the 95 % prediction interval, in which a new measurement would lie;
    in_range: whether the row's every feature lies in its training range."""
    dtype: Literal["float32", "float64", "bool"]
    shape: Shape
    targets: tuple[str, ...]
    """What each column speaks of; of in_range, which has one column, nothing."""


class Source(_Part):
    """What the model was made from."""

    training_id: str
    """All that it was trained from and with, as one hash; `pipeline.track --find` takes it back."""
    md5: dict[str, str]
    """The files: tables and the trained parameters."""
    params: dict[str, Any]
    """The parameters that made the table and the model, by their dotted keys in params.yaml."""


class Terms(_Part):
    """The contract as the ONNX file itself carries it, in its metadata as abline.contract."""

    version: Literal[1]
    input: Input
    outputs: Annotated[tuple[Output, ...], Field(min_length=1)]
    opset: int
    ir_version: int
    source: Source
    test_metrics: dict[str, float]
    """Measured on the rows that were held out; empty if none were."""


class Vectors(_Part):
    """Rows that are hard to answer, and what is right."""

    inputs: Annotated[list[list[float]], Field(min_length=1)]
    """[vectors, features]: numbers that the input's dtype holds exactly."""
    outputs: dict[str, list[list[float]]]
    """By the output's name, [vectors, columns]: what is right; true and false are 1 and 0."""
    bounds: dict[str, list[list[float]]]
    """The same for the largest difference that a correct runtime may show."""
    derivation: str
    """Where outputs and bounds come from."""


class Contract(Terms):
    """models/contract.json."""

    sha256: Sha256
    """Of the ONNX file."""
    onnxruntime: str
    """The version that the file was verified with."""
    golden: Vectors


LINEAR = (
    "outputs: y = (x - mean) * weight + bias in rational arithmetic, rounded once to the output's"
    " dtype. bounds: eps * (p + 2) * (|x - mean| |weight| + |bias| + the smallest normal number)"
    " for p features that are not zero, p + 3 where a mean is subtracted; two evaluations in any"
    " order of sums, with or without fused multiply-add, differ by no more (Higham, Accuracy and"
    " Stability of Numerical Algorithms, 2002, section 3.1)"
)
ENDS = (
    ". low, high: y -+ h, h = scale * sqrt(constant + |(x - centre) * factor|^2), in balls of real"
    " numbers, rounded once. bounds: that of y, plus eps * (|y| + h) for the last rounding, plus"
    " what the float64 arithmetic of h may be off by, by the same reasoning"
)
OTHER = "outputs: the torch module in float64, rounded to the output's dtype. bounds: "
"""Of a module that is not linear; where its bounds come from is to follow."""
IN_RANGE = ". in_range: exact"


def outputs(asked: Collection[str], targets: Sequence[str], dtype: Float) -> tuple[Output, ...]:
    """The outputs of a file, in order. asked: export.outputs."""

    def output(name: str, meaning: Meaning, dtype: Float | Literal["bool"] = dtype) -> Output:
        named = tuple(targets) if dtype != "bool" else ()
        shape: Shape = ("batch", len(named) or 1)
        return Output(name=name, meaning=meaning, dtype=dtype, shape=shape, targets=named)

    found = [output("y", "prediction")]
    if "interval" in asked:
        found += [output("low", "low"), output("high", "high")]
    if "in_range" in asked:
        found.append(output("in_range", "in_range", "bool"))
    return tuple(found)


def answers(line: Line, x: NDArray[np.float64], dtype: Float) -> NDArray[np.float64]:
    """What a linear model says of x [rows, features], rounded once: [rows, targets]."""
    found = [[nearest(value, dtype) for value in row] for row in _exact(line, x)]
    return np.array(found).reshape(len(x), len(line.bias))


def ends(
    line: Line, interval: Interval, x: NDArray[np.float64], dtype: Float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ends of the interval, rounded once: x [rows, features] to [rows, targets] each."""
    shape = len(x), len(line.bias)
    low, high = np.empty(shape), np.empty(shape)
    # Floats are balls without a radius.
    factor, scale = arb_mat(interval.factor.tolist()), interval.scale.tolist()
    centre = [Fraction(value) for value in interval.centre.tolist()]

    def both(row: list[float], middle: list[Fraction]) -> list[Any]:
        offset = [enclose(Fraction(value) - c) for value, c in zip(row, centre, strict=True)]
        z = (arb_mat([offset]) * factor).entries()
        root = sum((each * each for each in z), arb(interval.constant)).sqrt()
        pairs = [(enclose(m), arb(reach) * root) for m, reach in zip(middle, scale, strict=True)]
        return [*(m - half for m, half in pairs), *(m + half for m, half in pairs)]

    for index, (row, middle) in enumerate(zip(x.tolist(), _exact(line, x), strict=True)):
        found = rounded(partial(both, row, middle), dtype)
        low[index], high[index] = np.array(found).reshape(2, -1)
    return low, high


def _exact(line: Line, x: NDArray[np.float64]) -> Iterator[list[Fraction]]:
    """What a linear model says of each row of x [rows, features], without rounding: [targets]."""
    weight = [[Fraction(value) for value in row] for row in line.weight.tolist()]
    bias = [Fraction(value) for value in line.bias.tolist()]
    centre = [Fraction(value) for value in line.centre.tolist()]
    for row in x.tolist():
        offset = [Fraction(value) - middle for value, middle in zip(row, centre, strict=True)]
        yield [
            sum((w * o for w, o in zip(slopes, offset, strict=True)), start)
            for slopes, start in zip(weight, bias, strict=True)
        ]


def hard_rows(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    queries: NDArray[np.float64],
    line: Line | None,
    interval: Interval | None,
    dtype: Float,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """The inputs of the golden vectors, [rows, features], in the precision that ships.

    Up to twice as many as VECTORS, the hard ones first, for those whose answers are beyond `dtype`
    are no use.
    low, high: [features], the training range. line: the model, if it is linear, whose answers are
    to be finite and to cancel. interval: what it ships with, if there is one.
    """
    features = len(low)
    kind = np.finfo(dtype)
    tiny = float(kind.smallest_normal)
    signs = random.choice([-1.0, 1.0], (VECTORS, features))
    middle = low / 2 + high / 2
    if line is None:
        reach = 10 * np.maximum(np.abs(low), np.abs(high))
    else:
        reach = np.full(features, _largest_answered(line, interval, float(kind.max)))
    alternate = np.arange(features) % 2 == 0
    rows = [
        *queries[:8],
        low,
        high,
        middle,
        np.where(alternate, low, high),
        np.where(alternate, high, low),
        np.zeros(features),
        np.full(features, -0.0),
        signs[0] * tiny,
        signs[1] * tiny * random.uniform(0, 1, features),
        np.full(features, float(kind.smallest_subnormal)),
        reach,
        -reach,
        signs[2] * reach,
        *_cancelling(low, high, line, random, 4),
    ]
    # Magnitudes from far below to far above the training range, in either sign.
    scale = np.maximum(np.maximum(np.abs(low), np.abs(high)), 1.0)
    with np.errstate(over="ignore", under="ignore"):
        while len(rows) < VECTORS:
            # Not 10 to a random power: NumPy's differs in the last bit from CPU to CPU.
            power = np.ldexp(random.uniform(1, 2, features), random.integers(-20, 10, features))
            rows.append(signs[len(rows)] * scale * power)
        rows = rows[:VECTORS]
        rows += list(low + (high - low) * random.uniform(0, 1, (VECTORS, features)))
        found = np.array(rows).astype(dtype).astype(np.float64)
    return found[np.isfinite(found).all(axis=1)]


def _largest_answered(line: Line, interval: Interval | None, largest: float) -> float:
    """A number so large that the answers are just about finite. largest: of the dtype."""
    gain = max(_sum(row) for row in np.abs(line.weight))
    if interval is None:
        return largest / 8 / max(1.0, gain)
    inner = _sum(np.abs(interval.factor).ravel())
    gain += float(interval.scale.max()) * inner
    root = float(np.sqrt(np.finfo(np.float64).max))  # what is under the root is finite, too
    return min(largest / 8 / max(1.0, gain), root / 8 / max(1.0, inner))


def _sum(values: NDArray[np.float64]) -> float:
    """Rounded once, for the same bits on every CPU; infinite where that is too large."""
    try:
        return math.fsum(values.tolist())
    except (OverflowError, ValueError):
        return math.inf


def _cancelling(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    line: Line | None,
    random: np.random.Generator,
    count: int,
) -> list[NDArray[np.float64]]:
    """Rows whose terms all but cancel: nothing is left but what rounding does."""
    rows = [low + (high - low) * random.uniform(0, 1, len(low)) for _ in range(count)]
    if line is None:
        return [-row for row in rows]
    target = random.integers(0, len(line.weight), count)
    for row, slopes, bias in zip(rows, line.weight[target], line.bias[target], strict=True):
        steepest = int(np.argmax(np.abs(slopes)))
        if slopes[steepest] != 0:
            terms = (row - line.centre) * slopes
            rest = _sum(np.append(np.delete(terms, steepest), bias))
            row[steepest] = line.centre[steepest] - rest / slopes[steepest]
    return [row for row in rows if np.isfinite(row).all()]


def features(names: Sequence[str], rows: NDArray[np.float64], dtype: Float) -> tuple[Feature, ...]:
    """The columns with their ranges and means. rows: the training rows, [rows, features].

    All are rounded as a client's values are, so that no training row is outside of its range.
    """
    low, high = (each.astype(dtype).astype(np.float64) for each in (rows.min(0), rows.max(0)))
    means = np.array([_sum(column) / len(rows) for column in rows.T]).astype(dtype)
    inside = np.clip(means.astype(np.float64), low, high)
    return tuple(
        Feature(name=name, min=first, max=last, mean=mean)
        for name, first, last, mean in zip(
            names, low.tolist(), high.tolist(), inside.tolist(), strict=True
        )
    )


LOOSE = 0.01
"""Bounds above this share of the size of the answers prove nothing."""


def loose(terms: Terms, golden: Vectors) -> str | None:
    """Describe the first bound that is too wide to prove anything, which every client refuses.

    A client does not see the terms that an answer is the sum of, so it takes the size of the
    answers: the largest one in the training range, times how far outside of it the row lies, or the
    row's own answer. A bound may be LOOSE of that, or eps (p + 3)² for many features p, whose terms
    may be p times their sum.
    """
    x = np.array(golden.inputs)
    edges = np.array([[feature.min, feature.max] for feature in terms.input.features])
    reach = np.abs(edges).max(axis=1)
    real = [output.name for output in terms.outputs if output.meaning != "in_range"]
    answers = np.max([np.abs(golden.outputs[name]) for name in real], axis=0)
    kind = np.finfo(terms.input.dtype)
    with np.errstate(over="ignore"):
        outside = (np.abs(x) / np.where(reach > 0, reach, 1)).max(axis=1).clip(1)[:, None]
        largest = answers.max(axis=0, where=outside == 1, initial=0) + float(kind.smallest_normal)
        size = np.maximum(np.minimum(outside * largest, float(kind.max)), answers)
    share = max(LOOSE, float(kind.eps) * (x.shape[1] + 3) ** 2)
    for name in real:
        bounds = np.array(golden.bounds[name])
        if (wide := bounds > share * size).any():
            row, column = (int(index[0]) for index in np.nonzero(wide))
            return (
                f"{name} of vector {row} may be off by {bounds[row, column]:.3g}, where answers are"
                f" of the size {size[row, column]:.3g}; at most {share:.2g} of that proves anything"
            )
    return None


def metadata(terms: Terms) -> dict[str, str]:
    """What goes into the ONNX file."""
    text = json.dumps(
        terms.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return {KEY: text}


def main() -> None:
    """Print the JSON schema."""
    argparse.ArgumentParser(
        prog="python -m pipeline.onnx_model.contract",
        description="Print the contract's JSON schema.",
    ).parse_args()
    schema = Contract.model_json_schema() | {
        "$schema": "https://json-schema.org/draft/2020-12/schema"
    }
    print(json.dumps(schema, indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
