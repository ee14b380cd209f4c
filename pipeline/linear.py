"""A linear model as its numbers, in NumPy: what is said of it after training needs no torch.

To import torch takes longer than all else that `evaluate` does.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from pipeline import UserError
from pipeline.params import Model


@dataclass(frozen=True)
class Line:
    """y = x · weightᵀ + bias, in float64."""

    weight: NDArray[np.float64]
    """[targets, features]"""
    bias: NDArray[np.float64]
    """[targets]; zeros if the model has none"""

    def predict(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the line says: x [rows, features] to y [rows, targets].

        Added up feature by feature, without BLAS, so that the figures in the reports are the same
        on every CPU.
        """
        y = np.broadcast_to(self.bias, (len(x), len(self.bias))).copy()
        for column, slopes in zip(x.T, self.weight.T, strict=True):
            y += column[:, None] * slopes
        return y


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
    shapes: dict[str, tuple[int, ...]] = {"linear.weight": (targets, features)}
    if settings.bias:
        shapes["linear.bias"] = (targets,)
    asked = {name: (shape, settings.dtype) for name, shape in shapes.items()}
    there = {name: (value.shape, str(value.dtype)) for name, value in found.items()}
    if there != asked:
        raise UserError(
            f"{path}: not this job's model (found {there}, must be {asked}); `dvc repro` makes it"
        )
    bias = found.get("linear.bias", np.zeros(targets))
    return Line(found["linear.weight"].astype(np.float64), bias.astype(np.float64))
