"""The keys of the sections model and train of params.yaml."""

import keyword
import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from pipeline.settings.keys.section import AS_TUPLE, Section, one_of

Width = Annotated[int, Field(ge=1, le=65_536)]

_NAMES = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+"


def _a_class_of_a_file(name: str) -> str:
    """Refuse what is no FILE.CLASS: dotted names cannot lead out of the folder of modules."""
    is_named = re.fullmatch(_NAMES, name, re.ASCII) is not None
    if not is_named or any(map(keyword.iskeyword, name.split("."))) or name.endswith(".py"):
        raise PydanticCustomError(
            "class_of_a_file",
            "must be FILE.CLASS, such as my_models.Net for the class Net of modules/my_models.py",
        )
    return name


ClassOfAFile = Annotated[
    str,
    Field(min_length=1, max_length=200, json_schema_extra={"pattern": f"^{_NAMES}$"}),
    AfterValidator(_a_class_of_a_file),
]


class Model(Section):
    """The model."""

    bias: bool = Field(examples=[True])
    """true: fit an intercept; false: none, in no layer, so that the answer to zeros is 0."""
    standardize: bool = Field(examples=[False])
    """Scale by the training rows' mean and deviation, inside the model: the inputs, and the targets
    of a model that is not linear."""
    dtype: Literal["float32", "float64"] = Field(examples=["float32"])
    """The precision that ships."""
    hidden: Annotated[tuple[Width, ...], *AS_TUPLE] = Field(examples=[[]])
    """Widths of a network's hidden layers, such as [32, 32]; []: none, the linear model."""
    activation: Literal["relu", "tanh"] = Field(examples=["relu"])
    """The function after each hidden layer."""
    dropout: float = Field(ge=0, lt=1, examples=[0.0])
    """Share of each hidden layer's numbers that a step of the training sets to 0, at random."""
    module: ClassOfAFile | None = Field(examples=[None])
    """A model of your own: my_models.Net is the class Net of modules/my_models.py, an nn.Module
    that is made as Net(features, targets); null: the linear model, or the network of hidden."""

    @property
    def is_linear(self) -> bool:
        """True for the linear model."""
        return not self.hidden and self.module is None

    @property
    def cause(self) -> str:
        """The setting because of which the model is not linear, with its value, for messages."""
        assert not self.is_linear
        if self.module is not None:
            return f"model.module is {self.module}"
        return f"model.hidden is {[*self.hidden]}"

    @property
    def cure(self) -> str:
        """What makes the model linear again, for messages."""
        return "model.hidden to []" if self.module is None else "model.module to null"


PenaltySetting = Annotated[
    Annotated[float, Field(ge=0, le=1e30)] | Literal["cv"],
    one_of("cv", or_else="a number from 0 on"),
]

LossName = Literal["squared", "huber", "absolute", "quantile"]

_NUMBER = r"[0-9]*\.?[0-9]+(?:[eE][+-]?[0-9]+)?"
_PATTERN = rf"^(squared|huber|absolute|huber:{_NUMBER}|quantile:{_NUMBER})$"


@dataclass(frozen=True)
class LossKind:
    """A loss function of the error e = y − prediction.

    squared: e². absolute: |e|. huber: e²/2 up to a threshold, beyond it threshold · (|e| −
    threshold/2). quantile: share · e above the prediction, (1 − share) · |e| below, which is
    smallest where `share` of the rows lie below.
    number: the share, or the threshold in the unit of the targets; None where there is no number:
    the data tell huber's threshold then.
    """

    name: LossName
    number: float | None = None

    @property
    def is_squared(self) -> bool:
        """True for squared errors, which follow from the sums of the rows."""
        return self.name == "squared"

    @property
    def errors(self) -> str:
        """What it sums up, in words: `absolute errors`."""
        return f"{self._adjective} {'errors' if self._is_of_errors else 'losses'}"

    @property
    def mean_error(self) -> str:
        """The name of its mean: `mean absolute error`."""
        return f"mean {self._adjective} {'error' if self._is_of_errors else 'loss'}"

    @property
    def _adjective(self) -> str:
        return "Huber" if self.name == "huber" else self.name

    @property
    def _is_of_errors(self) -> bool:
        return self.name in ("squared", "absolute")

    @property
    def share(self) -> float | None:
        """The share of the rows below the answers that it asks for; None unless a quantile."""
        return self.number if self.name == "quantile" else None


def loss_kind(text: str) -> LossKind:
    """Return the loss function that a value of train.loss names."""
    name, _, number = text.partition(":")
    return LossKind(name, float(number) if number else None)  # type: ignore[arg-type]


def _a_loss(text: str) -> str:
    """Refuse a text that names no loss function."""
    if re.fullmatch(_PATTERN, text) is None:
        raise PydanticCustomError(
            "loss",
            "must be squared, huber, absolute, or quantile with a share, such as quantile:0.9;"
            " huber may have a threshold in the unit of the targets, such as huber:2.5",
        )
    kind = loss_kind(text)
    if kind.share is not None and not 0 < kind.share < 1:
        raise PydanticCustomError("loss", "must have a share between 0 and 1, such as 0.9 or 0.5")
    if kind.number is not None and not 1e-30 <= kind.number <= 1e30:
        raise PydanticCustomError("loss", "must have a threshold from 1e-30 to 1e30")
    return text


LossSetting = Annotated[
    str, Field(json_schema_extra={"pattern": _PATTERN}), AfterValidator(_a_loss)
]


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
    """Rows in a step, shuffled by the seed (a table above 256 MB: in windows of 64 MB); null: all
    rows at once, in order."""
    reduce_rows: Literal["auto"] | bool = Field(examples=["auto"])
    """The linear model on all rows at once: true: train on features + 1 + targets rows, which have
    the same loss and gradient at any weights; false: on the rows themselves; auto: true from 10,000
    training rows on, with more than 100 columns from the square of their number on."""
    loss: LossSetting = Field(examples=["squared"])
    """What an error e = y − prediction costs: squared: e²; absolute: |e|; quantile:0.9: 0.9·e where
    y lies above, 0.1·|e| below, for an answer that 9 rows of 10 lie below; huber: e²/2, beyond a
    threshold as steep as there: 1.345 times the robust deviation of the errors of least squares;
    huber:2.5: a threshold in the unit of the targets."""
    reduction: Literal["sum", "mean"] = Field(examples=["sum"])
    """Loss of a batch: the sum or the mean over its errors."""
    dtype: Literal["float32", "float64"] = Field(examples=["float32"])
    """The precision of the arithmetic."""
    device: Literal["cpu", "cuda", "auto"] = Field(examples=["cpu"])
    """Device to train on; auto: a CUDA GPU if there is one. A GPU gives other bytes than a CPU."""
    portable: bool = Field(examples=[False])
    """Slower kernels that give the same bits on every x86-64 CPU."""
    l1: PenaltySetting = Field(examples=[0.0])
    """exact: lasso penalty on the sizes of the weights of standardized columns, which makes some of
    them 0: 1/(2n) · squared error + l1 · Σ|weight · deviation|; or cv: of a path of 100 values the
    one that data.folds choose."""
    l2: PenaltySetting = Field(examples=[0.0])
    """exact: ridge penalty on the squares of the weights of standardized columns, which makes them
    smaller: 1/(2n) · squared error + l2/2 · Σ(weight · deviation)²; or cv. With l1: elastic net;
    both cv: of 100 values of l1 for each of 10 of l2 the pair that data.folds choose."""
    choose: Literal["best", "one_standard_error"] = Field(examples=["best"])
    """cv: the penalty with the smallest mean squared error of the folds; or the largest one whose
    error is at most one standard error above it (both cv: the largest l1 with the same l2)."""
    dependent: Literal["drop", "refuse"] = Field(examples=["drop"])
    """exact: what to do with a column that is a linear combination of earlier ones: give it weight
    0 and say so, or refuse it."""
    checkpoint_seconds: Annotated[float, Field(ge=0)] | None = Field(examples=[30.0])
    """Seconds between two checkpoints, from which a killed training continues; null: none."""

    @property
    def loss_kind(self) -> LossKind:
        """The loss function that `loss` names."""
        return loss_kind(self.loss)

    @property
    def is_least_squares(self) -> bool:
        """True for the closed form of squared errors, with or without penalties."""
        return self.optimizer == "exact" and self.loss_kind.is_squared

    @property
    def penalized(self) -> bool:
        """True if a penalty is set, or to be chosen."""
        return bool(self.l1 or self.l2)

    @property
    def has_exact_interval(self) -> bool:
        """True if least squares itself says how far new measurements lie from its answers."""
        return self.optimizer == "exact" and not self.penalized and self.loss_kind.is_squared

    @property
    def chosen_by_folds(self) -> tuple[Literal["l1", "l2"], ...]:
        """The penalties that cross-validation is to choose; none if each is a number."""
        names: tuple[Literal["l1", "l2"], ...] = ("l1", "l2")
        return tuple(name for name in names if getattr(self, name) == "cv")
