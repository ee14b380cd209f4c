"""The keys of params.yaml: a class for each section, with type, range and meaning of each key.

A docstring below a key is its description in params.schema.json, which editors show.
"""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

from pipeline.settings import terminal


def _a_list(value: Any) -> Any:
    """Refuse a set: pydantic takes one for a tuple, in the order of the hash seed."""
    if not isinstance(value, list):
        raise PydanticCustomError("list", "must be a list")
    return value


# Lists become tuples, so that nothing can change them; the numbers inside stay strict.
_List = (BeforeValidator(_a_list), Strict(False))


def _shown(name: str) -> str:
    """Refuse a name with an invisible character: it looks like another name."""
    if hidden := terminal.invisible(name):
        codes = ", ".join(f"U+{ord(character):04X}" for character in sorted(set(hidden)))
        raise PydanticCustomError("invisible", f"must have no invisible character; it has {codes}")
    return name


Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        json_schema_extra={"pattern": rf"^[^\t\n{terminal.INVISIBLE}]*$"},
    ),
    AfterValidator(_shown),
]
Names = Annotated[tuple[Name, ...], *_List]
Row = Annotated[tuple[float, ...], *_List]
Rows = Annotated[tuple[Row, ...], *_List]


class Section(BaseModel):
    """A block of params.yaml. Every key must be there: the file is the record of the job."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        strict=True,
        allow_inf_nan=False,
        use_attribute_docstrings=True,
    )


class Generate(Section):
    """The table to make: y = x · weight + bias + noise · N(0, 1)."""

    x: Annotated[tuple[Row, ...], Field(min_length=1), *_List] | None = Field(
        examples=[[[1.0], [2.0], [3.0]]]
    )
    """The input rows themselves, or null to draw `rows` of them from N(0, 1)."""
    rows: Annotated[int, Field(ge=1, le=100_000_000)] | None = Field(examples=[None])
    """Number of rows to draw when x is null; null when x is given."""
    weight: Rows | None = Field(examples=[[[2.0]]])
    """One row for each feature, one column for each target, or null to draw them from N(0, 1)."""
    bias: Row = Field(examples=[[0.0]])
    """One number for each target."""
    noise: float = Field(ge=0, examples=[0.0])
    """Standard deviation of the noise on the targets."""


GENERATE = "generate"


class Data(Section):
    """The table."""

    source: str = Field(min_length=1, max_length=4096, examples=[GENERATE])
    """generate, or a CSV or Parquet file, or a glob of them, under data/raw/."""
    features: Names = Field(examples=[["x"]])
    """Names of the input columns, in order; []: every column of the file except the targets."""
    targets: Names = Field(min_length=1, examples=[["y"]])
    """Names of the columns to predict, in order."""
    test_fraction: float = Field(ge=0, lt=1, examples=[0.0])
    """Share of the rows that is held out; the seed chooses the rows."""
    generate: Generate


class Model(Section):
    """The model."""

    bias: bool = Field(examples=[True])
    """true: fit an intercept; false: the line goes through the origin."""
    standardize: bool = Field(examples=[False])
    """Scale by the training rows' mean and deviation, inside the model: the inputs, and the targets
    of a model that is not linear."""
    dtype: Literal["float32", "float64"] = Field(examples=["float32"])
    """The precision that ships."""


class Train(Section):
    """The training."""

    optimizer: Literal["sgd", "adam", "lbfgs", "exact"] = Field(examples=["sgd"])
    """torch.optim.SGD, Adam or LBFGS; or exact: least squares in closed form, for linear models."""
    lr: float = Field(gt=0, le=1e30, examples=[0.01])
    """Learning rate: the size of a step."""
    momentum: float = Field(ge=0, lt=1, examples=[0.0])
    """SGD: share of the last step that is added to the next one."""
    dampening: float = Field(ge=0, le=1, examples=[0.0])
    """SGD: share of the gradient that momentum leaves out."""
    weight_decay: float = Field(ge=0, le=1e30, examples=[0.0])
    """L2 penalty on the parameters."""
    nesterov: bool = Field(examples=[False])
    """SGD: Nesterov's momentum."""
    epochs: int = Field(ge=1, le=100_000_000, examples=[100])
    """Passes over the training rows."""
    patience: Annotated[int, Field(ge=1)] | None = Field(examples=[None])
    """Stop after so many epochs without a better held-out loss, and keep the best weights; null:
    never stop early."""
    batch_size: Annotated[int, Field(ge=1, lt=2**63)] | None = Field(examples=[None])
    """Rows in a step, shuffled by the seed; null: all rows at once, in order."""
    reduction: Literal["sum", "mean"] = Field(examples=["sum"])
    """Loss of a batch: the sum or the mean of its squared errors."""
    dtype: Literal["float32", "float64"] = Field(examples=["float32"])
    """The precision of the arithmetic."""
    device: Literal["cpu", "cuda", "auto"] = Field(examples=["cpu"])
    """Device to train on; auto: a CUDA GPU if there is one. A GPU gives other bytes than a CPU."""
    portable: bool = Field(examples=[False])
    """Slower kernels that give the same bits on every x86-64 CPU."""
    allow_dependent: bool = Field(examples=[False])
    """exact: fit although some columns are linear combinations of others, up to rounding."""
    checkpoint_seconds: Annotated[float, Field(ge=0)] | None = Field(examples=[30.0])
    """Seconds between two checkpoints, from which a killed training continues; null: none."""


class Evaluate(Section):
    """The evaluation."""

    queries: Rows = Field(examples=[[[4.0]]])
    """Input rows to predict, in the units of the table; may be empty."""


class Export(Section):
    """The ONNX file."""

    opset: int = Field(ge=13, le=26, examples=[20])
    """The ONNX operator set to write."""
    rtol: float = Field(ge=0, lt=1, examples=[0.0])
    """Models that are not linear: allowed relative difference from torch, beyond the bound on
    rounding."""
    atol: float = Field(ge=0, examples=[0.0])
    """Models that are not linear: allowed absolute difference from torch, beyond the bound on
    rounding."""
    outputs: Annotated[tuple[Literal["prediction", "interval", "in_range"], ...], *_List] = Field(
        min_length=1, examples=[["prediction"]]
    )
    """Outputs of the file: prediction (always there); interval, the lower and upper end of the 95 %
    prediction interval (optimizer exact); in_range, true if a row lies in the training range."""


ModelName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/:]+$")]


class Tracking(Section):
    """The MLflow run. No key here changes a result."""

    experiment: str = Field(min_length=1, max_length=250, examples=["abline"])
    """The MLflow experiment."""
    model_name: ModelName | None = Field(examples=["abline"])
    """Registered model of which each verified model becomes a version; null: register none."""


class Params(Section):
    """All of params.yaml."""

    seed: int = Field(ge=0, lt=2**63, examples=[0])
    """Seed of every random number of the job."""
    data: Data
    model: Model
    train: Train
    evaluate: Evaluate
    export: Export
    tracking: Tracking
