"""The way from the fitted scale to the targets' own units, in the graph of the ONNX file.

columns/target_scale.py has it for the reports. Here it is a part of the torch module that is
exported, the right answer in balls of real numbers, and the bound of its rounding.
"""

from collections.abc import Collection
from typing import Any

import numpy as np
import torch
from flint import arb
from numpy.typing import NDArray

from pipeline.exact import elementary
from pipeline.exact.interval import EPS

Floats = NDArray[np.float64]
Places = Collection[int]
"""Places of the targets of which the logarithm is fitted."""

EXP_ULPS = 4
"""By how many units of the last place an `exp` of float64 may be wrong. `benchmarks/exponential.py`
measures onnxruntime's in Python, in Node and in WebAssembly, and torch's: 2 at the most."""

DERIVATION = (
    ". Of a target that is fitted as a logarithm: e to the power of each of these, rounded once."
    " bounds: times e^(y + bound), by the mean value theorem, plus"
    f" {2 * EXP_ULPS} units of the last place of float64 for two runtimes' exp and one rounding to"
    " the output's dtype"
)

BEYOND = 1000
"""e to the power of it is beyond float64, and of its opposite below the smallest number."""


def own_unit(values: torch.Tensor, logs: Places, dtype: torch.dtype) -> torch.Tensor:
    """Return fitted numbers [batch, targets] in the own units, as numbers of `dtype`.

    In float64: an exp of float32 would lose as many digits as log(price) has before its point.
    """
    if not logs:
        return values.to(dtype)
    if len(logs) == values.shape[1]:
        return values.double().exp().to(dtype)
    columns = [values[:, [place]] for place in range(values.shape[1])]
    own = [
        (each.double().exp() if place in logs else each).to(dtype)
        for place, each in enumerate(columns)
    ]
    return torch.cat(own, dim=1)


def exactly(ball: Any, place: int, logs: Places) -> Any:
    """Return a fitted number, a ball, in the own unit of the target at `place`, as a ball."""
    if place not in logs:
        return ball
    if abs(ball) > BEYOND:  # a ball of such a size would be slow, and rounds to infinity or zero
        return (arb(BEYOND) if ball > 0 else arb(-BEYOND)).exp()
    return ball.exp()


def in_float64(fitted: Floats, logs: Places) -> Floats:
    """Return fitted numbers [rows, targets] in the own units."""
    own = fitted.copy()
    for place in logs:
        own[:, place] = elementary.exp(fitted[:, place])
    return own


def allowed(fitted: Floats, bound: Floats, logs: Places, dtype: torch.dtype) -> Floats:
    """Return the difference that is allowed in the own units: [rows, targets].

    fitted: numbers on the fitted scale. bound: the difference that is allowed there.
    """
    kind = torch.finfo(dtype)
    allowed_here = bound.copy()
    for place in logs:
        with np.errstate(over="ignore", invalid="ignore"):
            largest = elementary.exp(fitted[:, place] + bound[:, place])
            relative = bound[:, place] + 2 * EXP_ULPS * EPS + kind.eps
            # Below the smallest normal number an error is not relative to the number.
            tiny = kind.smallest_normal * kind.eps + torch.finfo(torch.float64).smallest_normal
            own = largest * relative + tiny
        allowed_here[:, place] = np.where(largest < kind.max / 2, own, np.inf)
    return allowed_here
