"""A linear model as its numbers, in NumPy: what is said of it after training needs no torch.

To import torch takes longer than all else that `evaluate` does.
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
from pipeline.settings.params import Model


@dataclass(frozen=True)
class Line:
    """y = (x − centre) · weightᵀ + bias, in float64."""

    weight: NDArray[np.float64]
    """[targets, features]"""
    bias: NDArray[np.float64]
    """[targets]; zeros if the model has none"""
    centre: NDArray[np.float64]
    """[features]; zeros if the model does not standardize its inputs"""

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the line says: x [rows, features] to y [rows, targets].

        Added up feature by feature, without BLAS, so that the figures in the reports are the same
        on every CPU.
        """
        y = np.broadcast_to(self.bias, (len(x), len(self.bias))).copy()
        for column, slopes, centre in zip(x.T, self.weight.T, self.centre, strict=True):
            y += (column - centre)[:, None] * slopes
        return y

    def intercepts(self) -> NDArray[np.float64]:
        """What the line says where every feature is zero: [targets], exactly rounded."""
        centre = [Fraction(value) for value in self.centre.tolist()]
        exact = [
            Fraction(bias) - sum(Fraction(w) * c for w, c in zip(slopes, centre, strict=True))
            for slopes, bias in zip(self.weight.tolist(), self.bias.tolist(), strict=True)
        ]
        return np.array([float(value) for value in exact])


def read(path: Path, settings: Model, features: int, targets: int) -> Line | None:
    """The line in a model.safetensors; None if what was trained is not linear.

    Raises UserError if the file is missing, damaged or of another model.
    """
    try:
        with safetensors.safe_open(path, framework="np") as file:
            # Whoever saved the module knew. Tensors may be called linear.weight in any module.
            if not json.loads(file.metadata()["abline"])["linear"]:
                return None
            found = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
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
    asked = {name: (shape, settings.dtype) for name, shape in shapes.items()}
    there = {name: (value.shape, str(value.dtype)) for name, value in found.items()}
    if there != asked:
        raise UserError(
            f"{path}: not this job's model (found {there}, must be {asked}); `dvc repro` makes it"
        )
    return Line(
        found[f"{inner}linear.weight"].astype(np.float64),
        found.get(f"{inner}linear.bias", np.zeros(targets)).astype(np.float64),
        found.get("mean", np.zeros(features)).astype(np.float64),
    )
