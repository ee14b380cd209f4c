"""A linear model as its numbers, in NumPy and without torch.

Importing torch takes longer than everything else that `evaluate` does.
"""

import json
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from pipeline.settings.errors import UserError
from pipeline.settings.params import Model as Settings


@dataclass(frozen=True)
class Line:
    """y = (x − centre) · weightᵀ + bias, in float64."""

    weight: NDArray[np.float64]
    """[targets, features]"""
    bias: NDArray[np.float64]
    """[targets]; zeros if the model has no bias"""
    centre: NDArray[np.float64]
    """[features]; zeros if the model does not standardize its inputs"""

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the predictions: x [rows, features] to y [rows, targets].

        The sum runs feature by feature, without BLAS, so that the figures in the reports are the
        same on every CPU.
        """
        y = np.broadcast_to(self.bias, (len(x), len(self.bias))).copy()
        for column, slopes, centre in zip(x.T, self.weight.T, self.centre, strict=True):
            y += (column - centre)[:, None] * slopes
        return y

    def intercepts(self) -> NDArray[np.float64]:
        """Return the predictions at x = 0: [targets], exactly rounded."""
        centre = [Fraction(value) for value in self.centre.tolist()]
        exact = [
            Fraction(bias) - sum(Fraction(w) * c for w, c in zip(slopes, centre, strict=True))
            for slopes, bias in zip(self.weight.tolist(), self.bias.tolist(), strict=True)
        ]
        return np.array([float(value) for value in exact])


def load_line(path: Path, settings: Settings, features: int, targets: int) -> Line | None:
    """Return the line in a model.safetensors; None if the trained model is not linear.

    Raises UserError if the file is missing, damaged or of another model.
    """
    try:
        with safetensors.safe_open(path, framework="np") as file:
            # Not by the tensors' names: any module may have a tensor called linear.weight.
            if not json.loads(file.metadata()["abline"])["linear"]:
                return None
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: not this job's model ({error}); `dvc repro` makes it") from None
    inner = "module." if settings.standardize else ""
    shapes: dict[str, tuple[int, ...]] = {f"{inner}linear.weight": (targets, features)}
    if settings.bias:
        shapes[f"{inner}linear.bias"] = (targets,)
    if settings.standardize:
        shapes["mean"] = (features,)
    expected = {name: (shape, settings.dtype) for name, shape in shapes.items()}
    actual = {name: (value.shape, str(value.dtype)) for name, value in tensors.items()}
    if actual != expected:
        raise UserError(
            f"{path}: not this job's model (found {actual}, must be {expected}); `dvc repro` makes"
            " it"
        )
    return Line(
        tensors[f"{inner}linear.weight"].astype(np.float64),
        tensors.get(f"{inner}linear.bias", np.zeros(targets)).astype(np.float64),
        tensors.get("mean", np.zeros(features)).astype(np.float64),
    )
