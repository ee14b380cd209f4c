"""Everything a user may set: the keys of params.yaml, their types, ranges and meaning.

`python -m pipeline.check` checks params.yaml; with `--schema` it prints the JSON schema that
editors read from params.schema.json.
"""

import itertools
import json
import posixpath
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
)
from pydantic_core import PydanticCustomError

from pipeline.settings import messages, terminal, yaml_file
from pipeline.settings.errors import UserError

PATH = Path("params.yaml")
TOLD = 20  # mistakes at once

Key = yaml_file.Key


# Lists become tuples, so that nothing can change them; the numbers inside stay strict.
def _a_list(value: Any) -> Any:
    """A set would do for pydantic, but its order is the hash seed's."""
    if not isinstance(value, list):
        raise PydanticCustomError("list", "must be a list")
    return value


_List = (BeforeValidator(_a_list), Strict(False))


def _shown(name: str) -> str:
    """A name with an invisible character is not the one that it looks like."""
    if hidden := terminal.invisible(name):
        told = ", ".join(f"U+{ord(character):04X}" for character in sorted(set(hidden)))
        raise PydanticCustomError("invisible", f"must have no invisible character; it has {told}")
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
    """How many rows to draw when x is null; null when x is given."""
    weight: Rows | None = Field(examples=[[[2.0]]])
    """One row for each feature, one column for each target, or null to draw them from N(0, 1)."""
    bias: Row = Field(examples=[[0.0]])
    """One number for each target."""
    noise: float = Field(ge=0, examples=[0.0])
    """Standard deviation of the noise on the targets."""


GENERATE = "generate"
RAW = "data/raw"


class Data(Section):
    """The table."""

    source: str = Field(min_length=1, max_length=4096, examples=[GENERATE])
    """generate, or a CSV or Parquet file, or a glob of them, under data/raw/."""
    features: Names = Field(examples=[["x"]])
    """Names of the input columns, in order; []: every column of the file but the targets."""
    targets: Names = Field(min_length=1, examples=[["y"]])
    """Names of the columns to predict, in order."""
    test_fraction: float = Field(ge=0, lt=1, examples=[0.0])
    """Which share of the rows is held out, chosen by the seed."""
    generate: Generate


class Model(Section):
    """The model."""

    bias: bool = Field(examples=[True])
    """Whether the line may miss the origin."""
    standardize: bool = Field(examples=[False])
    """Scale by the training rows' mean and deviation, inside the model: the inputs, and the targets
    of a model that is not linear."""
    dtype: Literal["float32", "float64"] = Field(examples=["float32"])
    """The precision that ships."""


class Train(Section):
    """The training loop."""

    optimizer: Literal["sgd", "adam", "lbfgs", "exact"] = Field(examples=["sgd"])
    """torch.optim.SGD, Adam or LBFGS, or exact: least squares in closed form, of linear models."""
    lr: float = Field(gt=0, le=1e30, examples=[0.01])
    """Learning rate: the size of a step."""
    momentum: float = Field(ge=0, lt=1, examples=[0.0])
    """SGD: how much of the last step is added to the next."""
    dampening: float = Field(ge=0, le=1, examples=[0.0])
    """SGD: how much of the gradient momentum leaves out."""
    weight_decay: float = Field(ge=0, le=1e30, examples=[0.0])
    """L2 penalty on the parameters."""
    nesterov: bool = Field(examples=[False])
    """SGD: Nesterov's momentum."""
    epochs: int = Field(ge=1, le=100_000_000, examples=[100])
    """Passes over the training rows."""
    patience: Annotated[int, Field(ge=1)] | None = Field(examples=[None])
    """Stop after so many epochs without a better held-out loss, and keep the best; null: never."""
    batch_size: Annotated[int, Field(ge=1, lt=2**63)] | None = Field(examples=[None])
    """Rows in a step, shuffled by the seed; null: all rows at once, in order."""
    reduction: Literal["sum", "mean"] = Field(examples=["sum"])
    """How the squared errors of a batch become its loss."""
    dtype: Literal["float32", "float64"] = Field(examples=["float32"])
    """The precision of the arithmetic."""
    device: Literal["cpu", "cuda", "auto"] = Field(examples=["cpu"])
    """Where to train; auto: a CUDA GPU if there is one. A GPU gives other bytes than a CPU."""
    portable: bool = Field(examples=[False])
    """Slower kernels that give the same bits on every x86-64 CPU."""
    allow_dependent: bool = Field(examples=[False])
    """exact: fit although some columns say the same as others, to within their rounding."""
    checkpoint_seconds: Annotated[float, Field(ge=0)] | None = Field(examples=[30.0])
    """How often to note down how far it has come, to go on from if it is killed; null: never."""


class Evaluate(Section):
    """The questions."""

    queries: Rows = Field(examples=[[[4.0]]])
    """Input rows to answer, in the table's own units; may be empty."""


class Export(Section):
    """The ONNX file."""

    opset: int = Field(ge=13, le=26, examples=[20])
    """The ONNX operator set to write."""
    rtol: float = Field(ge=0, lt=1, examples=[0.0])
    """Not linear models: difference from torch, relative to the answer, that is allowed on top of
    what rounding explains."""
    atol: float = Field(ge=0, examples=[0.0])
    """Not linear models: absolute difference from torch that is allowed on top of what rounding
    explains."""
    outputs: Annotated[tuple[Literal["prediction", "interval", "in_range"], ...], *_List] = Field(
        min_length=1, examples=[["prediction"]]
    )
    """What the file answers: prediction, always; interval: the lower and upper ends of the 95 %
    prediction interval (optimizer exact); in_range: whether a row lies in the training range."""


ModelName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/:]+$")]


class Tracking(Section):
    """Where MLflow keeps the run. Never changes a result."""

    experiment: str = Field(min_length=1, max_length=250, examples=["abline"])
    """The MLflow experiment."""
    model_name: ModelName | None = Field(examples=["abline"])
    """The registered model that each verified one becomes a version of; null: none."""


class Params(Section):
    """What params.yaml says."""

    seed: int = Field(ge=0, lt=2**63, examples=[0])
    """Where every random number of the job comes from."""
    data: Data
    model: Model
    train: Train
    evaluate: Evaluate
    export: Export
    tracking: Tracking


def load(path: Path = PATH) -> Params:
    """Read and check params.yaml. Raises UserError with one line for each mistake."""
    return parse(yaml_file.text_of(path))


def parse(text: str) -> Params:
    """Check the text of a params.yaml. Raises UserError with one line for each mistake."""
    value, lines = yaml_file.read(text, PATH)
    if not isinstance(value, dict):
        found = "nothing" if value is None else messages.show(value)
        raise UserError(f"{PATH}: found {found}; must be a mapping of keys such as `seed: 0`")
    try:
        params = Params.model_validate(value)
        problems = list(_contradictions(params))
    except ValidationError as error:
        # One bad row of a thousand is told like all thousand of them.
        problems = list(itertools.islice(messages.problems(error, Params), TOLD + 1))
    if problems:
        told = [f"{PATH}{lines(key)}: {messages.dotted(key)}: {text}" for key, text in problems]
        count = f"{len(told)}" if len(told) <= TOLD else f"more than {TOLD}"
        raise UserError(
            told[0]
            if len(told) == 1
            else "\n  ".join([f"{count} mistakes in {PATH}", *told[:TOLD]])
        )
    return params


def flatten(section: Section, prefix: str = "") -> dict[str, Any]:
    """Dotted keys and values: {"seed": 0, "train.lr": 0.01, ...}, sections left out."""
    flat: dict[str, Any] = {}
    for name in type(section).model_fields:
        value = getattr(section, name)
        if isinstance(value, Section):
            flat |= flatten(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat


def schema() -> str:
    """The JSON schema of params.yaml."""
    draft = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps(draft | Params.model_json_schema(), indent=2, ensure_ascii=False) + "\n"


def _contradictions(params: Params) -> Iterator[tuple[Key, str]]:
    """What is wrong with keys that are each right on their own."""
    features, targets = params.data.features, params.data.targets
    for kind, names in (("features", features), ("targets", targets)):
        if len(set(names)) < len(names):
            yield ("data", kind), f"found {messages.show(names)}; each name must stand there once"
    if both := [name for name in targets if name in features]:
        yield (
            ("data", "targets"),
            f"found {both[0]!r}, which is in data.features too; a column is either a feature"
            " or a target",
        )

    yield from _source(params.data)
    if params.model.bias and "bias" in features:
        yield (
            ("data", "features"),
            "found 'bias', which coefficients.csv calls the model's own; rename the column, or set"
            " model.bias to false",
        )
    yield from _tracking(params.tracking)
    if params.data.source == GENERATE:
        yield from _generated(params.data)
    if features:
        yield from _widths(("evaluate", "queries"), params.evaluate.queries, "feature", features)
    yield from _training(params)
    yield from _outputs(params)


def _tracking(tracking: Tracking) -> Iterator[tuple[Key, str]]:
    """Names that MLflow would refuse, or not find again, after all the work is done."""
    experiment, model = tracking.experiment, tracking.model_name
    if experiment == "Default":
        yield (
            ("tracking", "experiment"),
            'found "Default", whose files MLflow keeps wherever it was first started; choose'
            ' another name, such as "abline"',
        )
    for key, name in (("experiment", experiment), ("model_name", model)):
        if name is not None and name != name.strip():
            yield (
                ("tracking", key),
                f"found {messages.show(name)}; must not be blank, or begin or end with a blank",
            )
    if model is not None and ("'" in model or model == "." or model.startswith("..")):
        yield (
            ("tracking", "model_name"),
            f"found {messages.show(model)}, which MLflow cannot keep: a model's name has no ' in"
            ' it, and does not begin with two dots; choose another, such as "abline"',
        )


def _outputs(params: Params) -> Iterator[tuple[Key, str]]:
    key, outputs = ("export", "outputs"), params.export.outputs
    if "prediction" not in outputs or len(set(outputs)) < len(outputs):
        yield (
            key,
            f"found {messages.show(outputs)}; prediction must be there, and each at most once, e.g."
            " `outputs: [prediction, in_range]`",
        )
    if "interval" in outputs and params.train.optimizer != "exact":
        yield (
            key,
            f"found interval with train.optimizer {params.train.optimizer}; it is known only of the"
            " least-squares solution: set train.optimizer to exact, or leave interval out",
        )


def _source(data: Data) -> Iterator[tuple[Key, str]]:
    key = ("data", "source")
    if data.source == GENERATE:
        if not data.features:
            yield (
                ("data", "features"),
                "found [], which means every column of a file but the targets; name the columns to"
                " generate, or give a file in data.source",
            )
        return
    plain = posixpath.normpath(data.source.replace("\\", "/"))
    if not plain.startswith(f"{RAW}/"):
        yield (
            key,
            f"found {messages.show(data.source)}; must be {GENERATE}, or a file or a glob under"
            f" {RAW}/; put the file there and write {RAW}/{posixpath.basename(plain)}",
        )


def _generated(data: Data) -> Iterator[tuple[Key, str]]:
    generate, features, targets = data.generate, data.features, data.targets
    if generate.x is None and generate.rows is None:
        yield (
            ("data", "generate", "rows"),
            "found null, and x is null too; one of the two must say what the rows are,"
            " e.g. `rows: 1000`",
        )
    if generate.x is not None and generate.rows is not None:
        yield (
            ("data", "generate", "rows"),
            f"found {generate.rows}, but x gives the rows themselves; set rows or x to null",
        )
    if features:
        yield from _widths(("data", "generate", "x"), generate.x or (), "feature", features)
    if generate.weight is not None:
        key: Key = ("data", "generate", "weight")
        if features:
            yield from _length(key, len(generate.weight), "row", "feature", features)
        yield from _widths(key, generate.weight, "target", targets)
    yield from _length(
        ("data", "generate", "bias"), len(generate.bias), "number", "target", targets
    )


def _training(params: Params) -> Iterator[tuple[Key, str]]:
    train = params.train
    if train.optimizer != "sgd":
        for name in ("momentum", "dampening", "nesterov"):
            if getattr(train, name):
                yield (
                    ("train", name),
                    f"found {messages.show(getattr(train, name))}, which {train.optimizer} does not"
                    f" have; set it to {messages.show(type(getattr(train, name))(0))}, or"
                    " train.optimizer to sgd",
                )
    elif train.nesterov and (train.momentum == 0 or train.dampening != 0):
        yield (
            ("train", "nesterov"),
            f"found true with momentum {train.momentum} and dampening {train.dampening};"
            " Nesterov's momentum needs a momentum above 0 and a dampening of 0",
        )
    if train.optimizer in ("lbfgs", "exact"):
        if train.weight_decay:
            yield (
                ("train", "weight_decay"),
                f"found {train.weight_decay}, which {train.optimizer} does not have; set it to 0.0,"
                " or train.optimizer to sgd or adam",
            )
        if train.batch_size is not None:
            yield (
                ("train", "batch_size"),
                f"found {train.batch_size}, but {train.optimizer} takes all rows at once; set it to"
                " null, or train.optimizer to sgd or adam",
            )
    if train.patience is not None and train.optimizer == "exact":
        yield (
            ("train", "patience"),
            f"found {train.patience}, but exact has no epochs to stop after; set it to null",
        )
    elif train.patience is not None and params.data.test_fraction == 0:
        yield (
            ("train", "patience"),
            f"found {train.patience}, but no rows are held out to watch; set data.test_fraction to"
            " 0.2, say, or train.patience to null",
        )
    if train.portable and train.device != "cpu":
        yield (
            ("train", "portable"),
            f"found true with device {train.device}; the same bits on every machine need the CPU:"
            " set train.device to cpu",
        )


def _widths(
    key: Key, rows: Sequence[Sequence[float]], noun: str, names: Sequence[str]
) -> Iterator[tuple[Key, str]]:
    """The first row of a wrong width: the others most likely have the same cause."""
    for index, row in enumerate(rows):
        if len(row) != len(names):
            yield from _length((*key, index), len(row), "number", noun, names)
            return


def _length(
    key: Key, found: int, unit: str, noun: str, names: Sequence[str]
) -> Iterator[tuple[Key, str]]:
    if found != len(names):
        yield (
            key,
            f"found {messages.count(found, unit)}; must be {len(names)}, one for each {noun}"
            f" ({', '.join(names)})",
        )
