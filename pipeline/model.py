"""The model as a class, how it is saved, and what follows from its being linear.

The functions that know that it is linear answer None for any other module.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.torch
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline import UserError, files
from pipeline.linear import Line
from pipeline.params import Model as ModelParams

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


def build(settings: ModelParams, features: int, targets: int) -> nn.Module:
    """The module to train, untrained. Another regression module may stand here."""
    return LinearModel(features, targets, settings.bias)


def save(path: Path, module: nn.Module, dtype: torch.dtype, training_id: str) -> None:
    """Write the module's parameters and buffers, rounded once to `dtype`.

    The file's metadata say what made them, `training_id`, and whether the module is linear, under
    one key, because safetensors writes several in a random order.
    Raises UserError if a value is beyond what `dtype` holds.
    """
    state = {}
    for name, value in module.state_dict().items():
        rounded = value.detach().cpu()
        if rounded.is_floating_point():
            rounded = rounded.to(dtype)
            if not bool(torch.isfinite(rounded).all()):
                raise UserError(
                    f"model.dtype: {name} has values beyond what {_name(dtype)} holds;"
                    " use float64 or scale the data"
                )
        state[name] = rounded.contiguous()
    about = {"linear": coefficients(module) is not None, "training_id": training_id}
    content = safetensors.torch.save(state, metadata={"abline": json.dumps(about)})
    files.write_bytes(path, content)


def load(path: Path, settings: ModelParams, features: int, targets: int) -> nn.Module:
    """Read what `save` wrote: the module, in `model.dtype`.

    Raises UserError if the file is missing, damaged or of another model.
    """
    try:
        module = build(settings, features, targets).to(DTYPES[settings.dtype])
        module.load_state_dict(safetensors.torch.load_file(path))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None
    except (safetensors.SafetensorError, RuntimeError) as error:
        raise UserError(f"{path}: not this job's model ({error}); `dvc repro` makes it") from None
    return module.eval()


def predict(module: nn.Module, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the module answers, evaluated in float64: x [rows, features] to y [rows, targets].

    A linear model as `Line.predict`. Another module is evaluated by torch, and its answers are
    rounded to the precision that the module has.
    """
    line = coefficients(module)
    return _evaluate(module, x) if line is None else line.predict(x)


def coefficients(module: nn.Module) -> Line | None:
    """The numbers of a linear model; None for another."""
    if not isinstance(module, LinearModel):
        return None
    weight = _numpy(module.linear.weight)
    bias = module.linear.bias
    return Line(weight, np.zeros(len(weight)) if bias is None else _numpy(bias))


def rounding_bound(module: nn.Module, x: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """How far two correct evaluations of a linear model may differ: [rows, targets].

    2(p + 2) u (|x| |weight|ᵀ + |bias|) for p features that are not zero and the unit roundoff u of
    the module's precision, whatever the order of the sums and with or without fused multiply-add
    (Higham, *Accuracy and Stability of Numerical Algorithms*, 2002, section 3.1), plus what
    products lose that fall below the smallest normal number. Infinite where a sum may overflow.
    None if the module is not linear.
    """
    line = coefficients(module)
    if line is None:
        return None
    kind = torch.finfo(next(module.parameters()).dtype)
    # A zero adds nothing, not even an error.
    terms = np.count_nonzero(x, axis=1)[:, None] + 2
    with np.errstate(over="ignore", invalid="ignore"):
        magnitude = Line(np.abs(line.weight), np.abs(line.bias)).predict(np.abs(x))
        # eps is 2u; an operation that underflows errs by less than smallest_normal · eps.
        bound: NDArray[np.float64] = kind.eps * terms * (magnitude + kind.smallest_normal)
        # Half of the largest number leaves room for the roundings on the way.
        return np.where(magnitude < kind.max / 2, bound, np.inf)


def largest_lr(
    module: nn.Module, x: NDArray[np.float64], targets: int, weight_decay: float, reduction: str
) -> float | None:
    """The learning rate at which gradient descent on all rows at once stops converging: 2 / λmax.

    λmax is the largest eigenvalue of the loss's Hessian, which for squared errors is
    2 [x 1]ᵀ[x 1] for each target, over the number of errors if they are averaged, plus the weight
    decay. None if the module is not linear.
    """
    if not isinstance(module, LinearModel):
        return None
    with np.errstate(over="ignore", invalid="ignore"):
        design = x if module.linear.bias is None else np.hstack([x, np.ones((len(x), 1))])
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
