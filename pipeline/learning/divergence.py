"""Divergence of a fit: how it is noticed, and the learning rate above which it must happen."""

import numpy as np
from numpy.typing import NDArray
from torch import nn

from pipeline.learning.inference import to_numpy
from pipeline.learning.module import LinearModel, Standardized


def largest_lr(
    module: nn.Module, x: NDArray[np.float64], targets: int, weight_decay: float, reduction: str
) -> float | None:
    """Return the learning rate at which gradient descent on all rows stops converging: 2 / λmax.

    λmax is the largest eigenvalue of the loss's Hessian. For squared errors the Hessian is
    2 [x 1]ᵀ[x 1] for each target, divided by the number of errors if the loss is their mean, plus
    the weight decay. None if the module is not linear.
    """
    inner = module.module if isinstance(module, Standardized) else module
    if not isinstance(inner, LinearModel):
        return None
    if isinstance(module, Standardized):
        assert module.deviation is not None, "a model loaded from its file is not trained again"
        x = (x - to_numpy(module.mean)) / to_numpy(module.deviation)
    with np.errstate(over="ignore", invalid="ignore"):
        design = x if inner.linear.bias is None else np.hstack([x, np.ones((len(x), 1))])
        # Both products have the same eigenvalues except zeros: the smaller one is enough.
        product = design.T @ design if design.shape[0] > design.shape[1] else design @ design.T
        if not np.isfinite(product).all():
            return None
        errors = design.shape[0] * targets if reduction == "mean" else 1
        curvature = float(2 * np.linalg.eigvalsh(product)[-1] / errors + weight_decay)
    return 2 / curvature if curvature > 0 else None
