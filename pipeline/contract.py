"""The contract of an ONNX file: what whoever uses it can rely on, and how to see that it holds.

`python -m pipeline.contract` prints its JSON schema, which is published as
clients/contract.schema.json.
"""

import argparse
import json
from collections.abc import Sequence
from fractions import Fraction
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from pipeline.balls import nearest
from pipeline.linear import Line

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


class Input(_Part):
    """The file's one input, [batch, features], in the units of the training table."""

    name: str
    dtype: Float
    features: Annotated[tuple[Feature, ...], Field(min_length=1)]
    """In the order of the columns."""


class Output(_Part):
    """An output of the file, [batch, targets]."""

    name: str
    meaning: Literal["prediction"]
    dtype: Float
    targets: Annotated[tuple[str, ...], Field(min_length=1)]
    """In the order of the columns."""


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

    inputs: list[list[float]]
    """[vectors, features]: numbers that the input's dtype holds exactly."""
    outputs: dict[str, list[list[float]]]
    """By the output's name, [vectors, targets]: what is right."""
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
    "outputs: (x - mean) * weight + bias in rational arithmetic, rounded once to the output's"
    " dtype. bounds: eps * (p + 2) * (|x - mean| |weight| + |bias| + the smallest normal number)"
    " for p features that are not zero, p + 3 where a mean is subtracted; two evaluations in any"
    " order of sums, with or without fused multiply-add, differ by no more (Higham, Accuracy and"
    " Stability of Numerical Algorithms, 2002, section 3.1)"
)
OTHER = (
    "outputs: the torch module in float64, rounded to the output's dtype. bounds: export.atol +"
    " export.rtol * |output|"
)


def answers(line: Line, x: NDArray[np.float64], dtype: Float) -> NDArray[np.float64]:
    """What a linear model says of x [rows, features], rounded once: [rows, targets]."""
    weight = [[Fraction(value) for value in row] for row in line.weight.tolist()]
    bias = [Fraction(value) for value in line.bias.tolist()]
    centre = [Fraction(value) for value in line.centre.tolist()]
    found = []
    for row in x.tolist():
        offset = [Fraction(value) - middle for value, middle in zip(row, centre, strict=True)]
        found.append(
            [
                nearest(sum((w * o for w, o in zip(slopes, offset, strict=True)), start), dtype)
                for slopes, start in zip(weight, bias, strict=True)
            ]
        )
    return np.array(found).reshape(len(x), len(bias))


def hard_rows(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    queries: NDArray[np.float64],
    line: Line | None,
    dtype: Float,
    random: np.random.Generator,
) -> NDArray[np.float64]:
    """The inputs of the golden vectors: [VECTORS, features], in the precision that ships.

    low, high: [features], the training range. line: the model, if it is linear, whose answers are
    to be finite and to cancel.
    """
    features = len(low)
    kind = np.finfo(dtype)
    tiny, largest = float(kind.smallest_normal), float(kind.max)
    signs = random.choice([-1.0, 1.0], (VECTORS, features))
    middle = low / 2 + high / 2
    if line is None:
        reach = 10 * np.maximum(np.abs(low), np.abs(high))
    else:
        gain = np.abs(line.weight).sum(axis=1).max()
        reach = np.full(features, largest / 8 / max(1.0, gain))
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
    while len(rows) < VECTORS:
        rows.append(signs[len(rows)] * scale * 10.0 ** random.uniform(-6, 3, features))
    with np.errstate(over="ignore", under="ignore"):
        return np.array(rows[:VECTORS]).astype(dtype).astype(np.float64)


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
            rest = (np.delete(row - line.centre, steepest) * np.delete(slopes, steepest)).sum()
            row[steepest] = line.centre[steepest] - (rest + bias) / slopes[steepest]
    return [row for row in rows if np.isfinite(row).all()]


def features(
    names: Sequence[str], low: NDArray[np.float64], high: NDArray[np.float64], dtype: Float
) -> tuple[Feature, ...]:
    """The columns and their ranges, rounded as a client's values are, so that no row falls out."""
    shown = (bound.astype(dtype).astype(np.float64).tolist() for bound in (low, high))
    return tuple(
        Feature(name=name, min=first, max=last)
        for name, first, last in zip(names, *shown, strict=True)
    )


def metadata(terms: Terms) -> dict[str, str]:
    """What goes into the ONNX file."""
    text = json.dumps(
        terms.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return {KEY: text}


def main() -> None:
    """Print the JSON schema."""
    argparse.ArgumentParser(
        prog="python -m pipeline.contract", description="Print the contract's JSON schema."
    ).parse_args()
    schema = Contract.model_json_schema() | {
        "$schema": "https://json-schema.org/draft/2020-12/schema"
    }
    print(json.dumps(schema, indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
