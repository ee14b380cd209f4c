"""The least-squares solution in closed form, for `train.optimizer: exact`."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.columns.summary import Summary
from pipeline.exact.gram import Gram
from pipeline.exact.least_squares import Fit
from pipeline.exact.penalties import PenalizedFit, Penalty
from pipeline.exact.squared_error import squared_error
from pipeline.learning import construction, exact_solution, fit_messages, scaling, weights
from pipeline.learning.loop import OnEpoch
from pipeline.learning.module import Standardized
from pipeline.learning.progress import Losses
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params


def solve(
    params: Params, summary: Summary, penalties: Sequence[Penalty], on_epoch: OnEpoch
) -> tuple[nn.Module, list[Losses]]:
    """Return the least-squares solution, computed exactly and rounded once to model.dtype.

    summary: of the rows, none of which is read. penalties: one for each target; not used unless
    train.l1 or train.l2 is set. The module has model.dtype; the losses are those of one epoch.
    Raises UserError if the solution is not unique or follows from rounding alone, unless
    train.dependent is drop, and if a weight is too large for model.dtype.
    """
    features, gram = summary.features, summary.train.gram
    fit_messages.announce(len(features))
    solution: Fit | PenalizedFit
    if params.train.penalized:
        solution = exact_solution.penalized_solution(params, summary, penalties)
    else:
        solution = exact_solution.least_squares_solution(params, summary)
    mean, centre = centre_of(params, summary)
    weight, bias = solution.shipped(params.model.dtype, centre)
    module = module_of(params, weight, bias, mean)

    def loss(gram: Gram) -> float:
        return _loss(params.train.reduction, weight, bias, centre, gram)

    squares = squared_error(gram, weight, bias, centre)
    for warning in fit_messages.lost_by_rounding(
        gram, summary.targets, solution.squares, squares, params.model.dtype
    ):
        print(f"warning: {warning}", file=sys.stderr)
    losses = loss(gram), loss(summary.test.gram) if summary.test.rows else None
    on_epoch(1, *losses)
    return module, [losses]


def centre_of(
    params: Params, summary: Summary
) -> tuple[torch.Tensor | None, NDArray[np.float64] | None]:
    """Return the mean that the model subtracts from the features, as a tensor and in float64.

    None without model.standardize.
    """
    if not params.model.standardize:
        return None, None
    dtype = weights.DTYPES[params.model.dtype]
    mean = scaling.means(params, summary.train, dtype)[: len(summary.features)].clone()
    return mean, mean.double().numpy()


def module_of(
    params: Params, weight: NDArray[Any], bias: NDArray[Any], mean: torch.Tensor | None
) -> nn.Module:
    """Return the linear module. Raises UserError if a weight is too large for model.dtype."""
    module: nn.Module = construction.linear(
        torch.from_numpy(weight), torch.from_numpy(bias), params.model
    )
    if mean is not None:
        module = Standardized(module, mean, None)
    weights.rounded(module, weights.DTYPES[params.model.dtype])
    return module


def _loss(
    reduction: str,
    weight: NDArray[Any],
    bias: NDArray[Any],
    centre: NDArray[np.float64] | None,
    gram: Gram,
) -> float:
    """Return the loss of a linear model on the rows of a Gram matrix."""
    squares = squared_error(gram, weight, bias, centre)
    errors = gram.weight * len(squares) if reduction == "mean" else 1
    try:
        return float(sum(squares) / errors)
    except OverflowError:
        raise UserError(
            "the squared errors are beyond what float64 holds; scale the targets"
        ) from None
