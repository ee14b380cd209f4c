"""The contract of an ONNX file: the promises to its users, and the means to check them.

`python -m pipeline.onnx_model.contract` prints its JSON schema, which is published as
clients/contract.schema.json.
"""

import argparse
import json
from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

from pipeline.onnx_model.contract_inputs import Input, Part, RawColumn, Shape

METADATA_KEY = "abline.contract"
"""The key of the terms in the metadata of the ONNX file."""

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
Meaning = Literal["prediction", "low", "high", "in_range"]


class Output(Part):
    """An output of the file."""

    name: str
    meaning: Meaning
    """low, high: the ends of the 95 % prediction interval, in which a new measurement would lie;
    in_range: true if every value of the row is like the training rows': a number or a date in their
    range, one of their levels, missing only where theirs were missing too."""
    dtype: Literal["float32", "float64", "bool"]
    shape: Shape
    targets: tuple[str, ...]
    """The target of each column; empty for in_range, whose one column belongs to no target."""


class Lineage(Part):
    """The tables and the parameters that the model was made from."""

    training_id: str
    """Hash of everything that the training depends on; `pipeline.track --find` finds its commit."""
    md5: dict[str, str]
    """The md5 of each file: the tables and the trained parameters."""
    params: dict[str, Any]
    """The parameters that made the table and the model, by their dotted keys in params.yaml."""


class _Terms(Part):
    """What the terms of both versions have."""

    outputs: Annotated[tuple[Output, ...], Field(min_length=1)]
    opset: int
    ir_version: int
    source: Lineage
    test_metrics: dict[str, float]
    """Measured on the rows that were held out; empty if no rows were held out."""


class MatrixTerms(_Terms):
    """The contract as the ONNX file itself carries it: version 1, a matrix of numbers."""

    version: Literal[1]
    input: Input


class TableTerms(_Terms):
    """The contract as the ONNX file itself carries it: version 2, the raw columns of a table.

    Each target has an output of its own. A row that the file refuses is answered by NaN.
    """

    version: Literal[2]
    inputs: Annotated[tuple[RawColumn, ...], Field(min_length=1)]
    """The raw columns, in the order of the features."""
    encoded: tuple[str, ...]
    """The names of the numbers that the model itself gets, in order."""


Terms = MatrixTerms | TableTerms


class MatrixVectors(Part):
    """Golden vectors: rows that are hard to answer, and the right answers."""

    inputs: Annotated[list[list[float]], Field(min_length=1)]
    """[vectors, features]: numbers that the input's dtype holds exactly."""
    outputs: dict[str, list[list[float]]]
    """The right answers by the output's name, [vectors, columns]; true and false are 1 and 0."""
    bounds: dict[str, list[list[float]]]
    """The largest difference that a correct runtime may show, in the same shape."""
    derivation: str
    """How outputs and bounds were computed."""


class TableVectors(Part):
    """Golden vectors: raw rows that are hard to answer, and the right answers."""

    inputs: Annotated[dict[str, list[float | int | str | None]], Field(min_length=1)]
    """By the column's name, [vectors]: numbers, texts, or dates as integers; null is a gap."""
    outputs: dict[str, list[list[float | None]]]
    """The right answers by the output's name, [vectors, 1]; true and false are 1 and 0, null is
    NaN."""
    bounds: dict[str, list[list[float | None]]]
    """The largest difference that a correct runtime may show, in the same shape; null: the answer
    must be NaN."""
    derivation: str
    """How outputs and bounds were computed."""


class _File(Part):
    """What both versions of contract.json have beside the terms."""

    sha256: Sha256
    """The sha256 of the ONNX file."""
    onnxruntime: str
    """The version that the file was verified with."""


class MatrixContract(MatrixTerms, _File):
    """The content of models/contract.json, version 1: a matrix of numbers without gaps."""

    golden: MatrixVectors


class TableContract(TableTerms, _File):
    """The content of models/contract.json, version 2: the raw columns of a table."""

    golden: TableVectors


Contract = MatrixContract | TableContract

_TERMS: TypeAdapter[Terms] = TypeAdapter(Annotated[Terms, Field(discriminator="version")])
_CONTRACT: TypeAdapter[Contract] = TypeAdapter(Annotated[Contract, Field(discriminator="version")])


def validated(content: Any) -> Contract:
    """Return the content of a contract.json as a contract. Raises ValueError if it is none."""
    return _CONTRACT.validate_python(content)


def terms_of(text: str) -> Terms:
    """Return the terms that are the metadata of a file. Raises ValueError if they are none."""
    return _TERMS.validate_json(text)


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
    return _CONTRACT.json_schema(schema_generator=_Untitled) | {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Contract",
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
