"""The contract of an ONNX file: the promises to its users, and the means to check them.

`python -m pipeline.onnx_model.contract` prints its JSON schema, which is published as
clients/contract.schema.json.
"""

import argparse
import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.json_schema import GenerateJsonSchema, SkipJsonSchema

METADATA_KEY = "abline.contract"
"""The key of the terms in the metadata of the ONNX file."""

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
    """The largest value in the training rows, in the input's dtype."""
    mean: float | SkipJsonSchema[None] = None
    """Mean of the training rows, rounded to the input's dtype. Older contracts have no means."""


Shape = tuple[Literal["batch"], int]
"""Any number of rows, and the number of columns."""


class Input(_Part):
    """The only input of the file, in the units of the training table."""

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
    in_range: true if every feature of the row lies in its training range."""
    dtype: Literal["float32", "float64", "bool"]
    shape: Shape
    targets: tuple[str, ...]
    """The target of each column; empty for in_range, whose one column belongs to no target."""


class Lineage(_Part):
    """The tables and the parameters that the model was made from."""

    training_id: str
    """Hash of everything that the training depends on; `pipeline.track --find` finds its commit."""
    md5: dict[str, str]
    """The md5 of each file: the tables and the trained parameters."""
    params: dict[str, Any]
    """The parameters that made the table and the model, by their dotted keys in params.yaml."""


class Terms(_Part):
    """The contract as the ONNX file itself carries it, in its metadata as abline.contract."""

    version: Literal[1]
    input: Input
    outputs: Annotated[tuple[Output, ...], Field(min_length=1)]
    opset: int
    ir_version: int
    source: Lineage
    test_metrics: dict[str, float]
    """Measured on the rows that were held out; empty if no rows were held out."""


class Vectors(_Part):
    """Golden vectors: rows that are hard to answer, and the right answers."""

    inputs: Annotated[list[list[float]], Field(min_length=1)]
    """[vectors, features]: numbers that the input's dtype holds exactly."""
    outputs: dict[str, list[list[float]]]
    """The right answers by the output's name, [vectors, columns]; true and false are 1 and 0."""
    bounds: dict[str, list[list[float]]]
    """The largest difference that a correct runtime may show, in the same shape."""
    derivation: str
    """How outputs and bounds were computed."""


class Contract(Terms):
    """The content of models/contract.json."""

    sha256: Sha256
    """The sha256 of the ONNX file."""
    onnxruntime: str
    """The version that the file was verified with."""
    golden: Vectors


def metadata(terms: Terms) -> dict[str, str]:
    """Return the metadata that carries the terms in the ONNX file."""
    text = json.dumps(
        terms.model_dump(mode="json"), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return {METADATA_KEY: text}


class _Untitled(GenerateJsonSchema):
    """JSON schema without a title for each field, which would repeat the field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False


def schema() -> dict[str, Any]:
    """Return the JSON schema of contract.json."""
    return Contract.model_json_schema(schema_generator=_Untitled) | {
        "$schema": "https://json-schema.org/draft/2020-12/schema"
    }


def main() -> None:
    """Print the JSON schema."""
    argparse.ArgumentParser(
        prog="python -m pipeline.onnx_model.contract",
        description="Print the contract's JSON schema.",
    ).parse_args()
    print(json.dumps(schema(), indent=2, sort_keys=True))


if __name__ == "__main__":
    main()
