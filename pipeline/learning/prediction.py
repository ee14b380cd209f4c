"""Predictions of a module, computed in float64 and without changing the module."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.learning.line import Line
from pipeline.learning.module import LinearModel, Standardized


def predict(module: nn.Module, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the predictions of `module`, evaluated in float64: x [rows, features] to y.

    y: [rows, targets]. A linear model is evaluated by `Line.predict`. Any other module is evaluated
    by torch, and its predictions are rounded to the module's dtype.
    """
    line = line_of(module)
    if line is not None:
        return line.predict(x)
    dtype = next(module.parameters()).dtype
    with torch.inference_mode():
        y: NDArray[Any] = module.double()(torch.from_numpy(np.ascontiguousarray(x))).numpy()
        module.to(dtype)
    return y.astype(dtype_name(dtype)).astype(np.float64)


def line_of(module: nn.Module) -> Line | None:
    """Return the numbers of a linear module; None if the module is not linear."""
    inner = module.module if isinstance(module, Standardized) else module
    if not isinstance(inner, LinearModel):
        return None
    weight = to_numpy(inner.linear.weight)
    bias = np.zeros(len(weight)) if inner.linear.bias is None else to_numpy(inner.linear.bias)
    if not isinstance(module, Standardized):
        return Line(weight, bias, np.zeros(weight.shape[1]))
    if module.deviation is not None:
        weight = weight / to_numpy(module.deviation)
    return Line(weight, bias, to_numpy(module.mean))


@contextmanager
def eval_mode(module: nn.Module) -> Iterator[None]:
    """Evaluate `module` without gradients and in eval mode; restore each part's mode afterwards.

    In training mode an evaluation would change the module: batch norm updates its statistics, and
    dropout draws from the random numbers of the training.
    """
    modes = [(part, part.training) for part in module.modules()]
    module.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for part, mode in modes:
            part.training = mode


def to_numpy(tensor: torch.Tensor) -> NDArray[np.float64]:
    """Return the values of `tensor` in float64."""
    return tensor.detach().cpu().to(torch.float64).numpy()


def dtype_name(dtype: torch.dtype) -> str:
    """Return the name of `dtype` as NumPy and params.yaml have it: float32."""
    return str(dtype).removeprefix("torch.")
