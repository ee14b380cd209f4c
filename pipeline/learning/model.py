"""The model as a class, how it is saved, and what follows from its being linear.

The functions that know that it is linear answer None for any other module.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.exact.interval import Interval
from pipeline.learning.linear import Line
from pipeline.settings import files, regular_file
from pipeline.settings.errors import UserError
from pipeline.settings.params import Model as ModelParams

DTYPES = {"float32": torch.float32, "float64": torch.float64}


class LinearModel(nn.Module):
    """y = x · weightᵀ + bias, the tutorial's model.

    weight: [targets, features]; bias: [targets]. Both start as nn.Linear draws them: uniform
    within ±1/√features.
    """

    def __init__(self, features: int, targets: int, bias: bool = True) -> None:
        super().__init__()
        self.linear = nn.Linear(features, targets, bias=bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict: x [batch, features] to y [batch, targets]."""
        y: torch.Tensor = self.linear(x)
        return y


class Standardized(nn.Module):
    """A module that works in standard units, while its users send and get the table's units.

    y = target_mean + target_deviation · module((x − mean) / deviation)

    mean, deviation: [features]; target_mean, target_deviation: [targets]. A linear model has no
    target scaling, which its weights could take in, and ships without a deviation, which they have
    taken in. Its mean stays, because to take it into a float32 bias loses the digits in which a
    column of 2000 ± 5 differs from row to row.
    """

    mean: torch.Tensor
    deviation: torch.Tensor | None
    target_mean: torch.Tensor | None
    target_deviation: torch.Tensor | None

    def __init__(
        self,
        module: nn.Module,
        mean: torch.Tensor,
        deviation: torch.Tensor | None,
        target_mean: torch.Tensor | None = None,
        target_deviation: torch.Tensor | None = None,
    ) -> None:
        super().__init__()
        self.module = module
        self.register_buffer("mean", mean)
        self.register_buffer("deviation", deviation)
        self.register_buffer("target_mean", target_mean)
        self.register_buffer("target_deviation", target_deviation)

    def scaled(self, x: torch.Tensor) -> torch.Tensor:
        """Standard units of x: [batch, features] to the same."""
        scaled = x - self.mean
        return scaled if self.deviation is None else scaled / self.deviation

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Predict: x [batch, features], in the table's units, to y [batch, targets]."""
        y: torch.Tensor = self.module(self.scaled(x))
        if self.target_mean is not None and self.target_deviation is not None:
            y = self.target_mean + self.target_deviation * y
        return y


class Answers(nn.Module):
    """A module and what else is asked of it: y, then low and high, then in_range.

    interval: the ends of the 95 % prediction interval around y, computed in float64 and rounded
    once, so that low ≤ y ≤ high. bounds: the smallest and the largest value of each feature, [2,
    features], between which a row is in range.
    """

    centre: torch.Tensor
    factor: torch.Tensor
    constant: torch.Tensor
    scale: torch.Tensor
    smallest: torch.Tensor
    largest: torch.Tensor

    def __init__(
        self,
        module: nn.Module,
        interval: Interval | None = None,
        bounds: NDArray[np.float64] | None = None,
    ) -> None:
        super().__init__()
        self.module = module
        self.interval, self.bounded = interval, bounds is not None
        if interval is not None:
            for name, value in (
                ("centre", interval.centre),
                ("factor", interval.factor),
                ("constant", np.array(interval.constant)),
                ("scale", interval.scale),
            ):
                self.register_buffer(name, torch.from_numpy(value.copy()))
        if bounds is not None:
            low, high = torch.from_numpy(bounds).to(next(module.parameters()).dtype)
            self.register_buffer("smallest", low)
            self.register_buffer("largest", high)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Answer: x [batch, features] to y, low and high [batch, targets], in_range [batch, 1]."""
        y: torch.Tensor = self.module(x)
        found = [y]
        if self.interval is not None:
            z = (x.double() - self.centre) @ self.factor
            half = torch.sqrt((z * z).sum(dim=1, keepdim=True) + self.constant) * self.scale
            found += [(y.double() - half).to(y.dtype), (y.double() + half).to(y.dtype)]
        if self.bounded:
            inside = (x >= self.smallest) & (x <= self.largest)
            # Counted, because the operator that torch writes for `all` is not in opsets below 18.
            found.append(inside.sum(dim=1, keepdim=True) == x.shape[1])
        return tuple(found)


def build(settings: ModelParams, features: int, targets: int) -> nn.Module:
    """The module to train, untrained. Another regression module may be returned instead."""
    return LinearModel(features, targets, settings.bias)


def started(settings: ModelParams, features: int, targets: int) -> nn.Module:
    """The module to train, with the parameters that lazy layers make in their first forward.

    Raises UserError if what `build` returns is no module, or cannot answer.
    """
    module = build(settings, features, targets)
    if not isinstance(module, nn.Module):
        raise UserError(f"model.build: found a {type(module).__name__}; must return an nn.Module")
    kinds = (each.dtype for each in module.parameters() if each.dtype.is_floating_point)
    with answering(module):
        try:
            module(torch.zeros(2, features, dtype=next(kinds, None)))
        except Exception as error:  # the code of whoever wrote the module: it may raise anything
            raise UserError(
                f"model.build: {type(module).__name__} cannot answer two rows of"
                f" {features} features: {type(error).__name__}: {error}"
            ) from error
    return module


@contextmanager
def answering(module: nn.Module) -> Iterator[None]:
    """Only look at what the module answers: no gradients, and each part as it was afterwards.

    In training mode a look would change it: batch norm takes in what it sees, and dropout draws
    from the random numbers of the training.
    """
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode


def linear(weight: torch.Tensor, bias: torch.Tensor, settings: ModelParams) -> LinearModel:
    """The linear model with these numbers, in their precision.

    weight: [targets, features]; bias: [targets], not looked at if the model has none.
    Raises UserError if what `build` returns is another module.
    """
    module = build(settings, weight.shape[1], weight.shape[0]).to(weight.dtype)
    if not isinstance(module, LinearModel):
        raise UserError(
            f"train.optimizer: found exact, which is for linear models, but model.build returns"
            f" a {type(module).__name__}; set it to sgd, adam or lbfgs"
        )
    with torch.no_grad():
        module.linear.weight.copy_(weight)
        if module.linear.bias is not None:
            module.linear.bias.copy_(bias)
    return module


def as_shipped(module: nn.Module, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """The numbers that ship, by their names in the module that `load` gives, rounded to `dtype`.

    The weights of a standardized linear model take in the deviation before they are rounded, once.
    Raises UserError if a value is beyond what `dtype` holds.
    """
    state = {name: value.detach().cpu() for name, value in module.state_dict().items()}
    if isinstance(module, Standardized) and isinstance(module.module, LinearModel):
        deviation = state.pop("deviation", torch.ones(1))
        weight = state["module.linear.weight"].double() / deviation.double()
        state["module.linear.weight"] = weight
    for name, value in state.items():
        if value.is_floating_point():
            state[name] = value.to(dtype)
            if not bool(torch.isfinite(state[name]).all()):
                raise UserError(
                    f"model.dtype: {name} has values beyond what {_name(dtype)} holds;"
                    " use float64 or scale the data"
                )
    return state


def save(path: Path, module: nn.Module, dtype: torch.dtype, training_id: str) -> None:
    """Write the module's parameters and buffers, rounded once to `dtype`.

    The file's metadata say what made them, `training_id`, and whether the module is linear, under
    one key, because safetensors writes several in a random order.
    Raises UserError if a value is beyond what `dtype` holds.
    """
    # Copies: a layer used twice has one tensor under two names, and safetensors writes it once.
    state = {
        name: value.clone(memory_format=torch.contiguous_format)
        for name, value in as_shipped(module, dtype).items()
    }
    about = {"linear": coefficients(module) is not None, "training_id": training_id}
    content = safetensors.torch.save(state, metadata={"abline": json.dumps(about)})
    files.write_bytes(path, content)


def load(path: Path, settings: ModelParams, features: int, targets: int) -> nn.Module:
    """Read what `save` wrote: the module, in `model.dtype`.

    Raises UserError if the file is missing, damaged or of another model.
    """
    try:
        # safetensors holds Python's lock while it opens a file: no signal would end that.
        regular_file.check(path)
        return restored(safetensors.torch.load_file(path), settings, features, targets)
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None
    except (safetensors.SafetensorError, RuntimeError) as error:
        raise UserError(f"{path}: not this job's model ({error}); `dvc repro` makes it") from None


def restored(
    state: Mapping[str, torch.Tensor], settings: ModelParams, features: int, targets: int
) -> nn.Module:
    """A new module with the numbers that `as_shipped` gives, in `model.dtype`.

    Raises RuntimeError if they are another module's.
    """
    module = started(settings, features, targets)
    if settings.standardize and isinstance(module, LinearModel):
        module = Standardized(module, torch.zeros(features), None)
    elif settings.standardize:
        scales = torch.zeros(features), torch.ones(features), torch.zeros(targets)
        module = Standardized(module, *scales, torch.ones(targets))
    module.to(DTYPES[settings.dtype])
    module.load_state_dict(state)
    return module.eval()


def predict(module: nn.Module, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the module answers, evaluated in float64: x [rows, features] to y [rows, targets].

    A linear model as `Line.predict`. Another module is evaluated by torch, and its answers are
    rounded to the precision that the module has.
    """
    line = coefficients(module)
    return _evaluate(module, x) if line is None else line.predict(x)


def coefficients(module: nn.Module) -> Line | None:
    """The numbers of a linear model, of what it answers y by; None for another."""
    if isinstance(module, Answers):
        module = module.module
    inner = module.module if isinstance(module, Standardized) else module
    if not isinstance(inner, LinearModel):
        return None
    weight = _numpy(inner.linear.weight)
    bias = np.zeros(len(weight)) if inner.linear.bias is None else _numpy(inner.linear.bias)
    if not isinstance(module, Standardized):
        return Line(weight, bias, np.zeros(weight.shape[1]))
    if module.deviation is not None:
        weight = weight / _numpy(module.deviation)
    return Line(weight, bias, _numpy(module.mean))


def rounding_bound(module: nn.Module, x: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """How far two correct evaluations of a linear model may differ: [rows, targets].

    2(p + 2) u (|x| |weight|ᵀ + |bias|) for p features that are not zero and the unit roundoff u of
    the module's precision, whatever the order of the sums and with or without fused multiply-add
    (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, section 3.1), plus what
    products lose that fall below the smallest normal number. Where the model subtracts a mean, |x|
    is |x − mean|, and the subtraction adds one rounding more. Infinite where a sum may overflow.
    None if the module is not linear.
    """
    line = coefficients(module)
    if line is None:
        return None
    kind = torch.finfo(next(module.parameters()).dtype)
    centred = np.abs(x - line.centre)
    # A zero adds nothing, not even an error.
    terms = np.count_nonzero(centred, axis=1)[:, None] + (3 if line.centre.any() else 2)
    with np.errstate(over="ignore", invalid="ignore"):
        plain = Line(np.abs(line.weight), np.abs(line.bias), np.zeros_like(line.centre))
        magnitude = plain.predict(centred)
        # eps is 2u; an operation that underflows errs by less than smallest_normal · eps.
        bound: NDArray[np.float64] = kind.eps * terms * (magnitude + kind.smallest_normal)
        # Half of the largest number leaves room for the roundings on the way.
        safe = np.maximum(magnitude, centred.max(axis=1, keepdims=True, initial=0)) < kind.max / 2
        return np.where(safe, bound, np.inf)


def largest_lr(
    module: nn.Module, x: NDArray[np.float64], targets: int, weight_decay: float, reduction: str
) -> float | None:
    """The learning rate at which gradient descent on all rows at once stops converging: 2 / λmax.

    λmax is the largest eigenvalue of the loss's Hessian, which for squared errors is
    2 [x 1]ᵀ[x 1] for each target, over the number of errors if they are averaged, plus the weight
    decay. None if the module is not linear.
    """
    inner = module.module if isinstance(module, Standardized) else module
    if not isinstance(inner, LinearModel):
        return None
    if isinstance(module, Standardized):
        assert module.deviation is not None, "a model that has shipped is trained no more"
        x = (x - _numpy(module.mean)) / _numpy(module.deviation)
    with np.errstate(over="ignore", invalid="ignore"):
        design = x if inner.linear.bias is None else np.hstack([x, np.ones((len(x), 1))])
        # Both products have the same eigenvalues but zeros: the smaller one is enough.
        product = design.T @ design if design.shape[0] > design.shape[1] else design @ design.T
        if not np.isfinite(product).all():
            return None
        errors = design.shape[0] * targets if reduction == "mean" else 1
        curvature = float(2 * np.linalg.eigvalsh(product)[-1] / errors + weight_decay)
    return 2 / curvature if curvature > 0 else None


def _evaluate(module: nn.Module, x: NDArray[np.float64]) -> NDArray[np.float64]:
    dtype = next(module.parameters()).dtype
    with torch.inference_mode():
        y: NDArray[Any] = module.double()(torch.from_numpy(np.ascontiguousarray(x))).numpy()
        module.to(dtype)
    return y.astype(_name(dtype)).astype(np.float64)


def _numpy(tensor: torch.Tensor) -> NDArray[np.float64]:
    return tensor.detach().cpu().to(torch.float64).numpy()


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
