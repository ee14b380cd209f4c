"""The least-squares solution in closed form, for `train.optimizer: exact`."""

import sys
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.columns.summary import Summary
from pipeline.exact import least_squares
from pipeline.exact.gram import Gram
from pipeline.exact.least_squares import Fit
from pipeline.exact.squared_error import squared_error
from pipeline.learning import construction, fit_messages, scaling, weights
from pipeline.learning.loop import OnEpoch
from pipeline.learning.module import Standardized
from pipeline.learning.progress import Losses
from pipeline.settings.errors import UserError
from pipeline.settings.messages import first_lines
from pipeline.settings.params import Params

MOST_DEPENDENT_SHOWN = 10


def solve(params: Params, summary: Summary, on_epoch: OnEpoch) -> tuple[nn.Module, list[Losses]]:
    """Return the least-squares solution, computed exactly and rounded once to model.dtype.

    summary: of the rows, none of which is read. The module has model.dtype; the losses are the
    losses of a single epoch.
    Raises UserError if the solution is not unique or follows from rounding alone, unless
    train.dependent is drop, and if a weight is too large for model.dtype.
    """
    features, gram = summary.features, summary.train.gram
    fit_messages.announce(len(features))
    fit = least_squares.fit(
        gram,
        features,
        summary.targets,
        params.model.bias,
        roundoff=summary.roundoff(features),
    )
    if params.train.dependent == "refuse":
        _refuse_dependent(fit)
    fit = fit.without_nearly_dependent()
    warnings = [f"{fit_messages.dependent(column)}: its weight is 0" for column in fit.dependent]
    for warning in first_lines(warnings, MOST_DEPENDENT_SHOWN):
        print(f"warning: {warning}", file=sys.stderr)
    dtype = weights.DTYPES[params.model.dtype]
    mean = None
    if params.model.standardize:
        mean = scaling.means(params, summary.train, dtype)[: len(features)].clone()
    centre = mean.double().numpy() if mean is not None else None
    weight, bias = fit.shipped(params.model.dtype, centre)
    module: nn.Module = construction.linear(
        torch.from_numpy(weight), torch.from_numpy(bias), params.model
    )
    if mean is not None:
        module = Standardized(module, mean, None)
    weights.rounded(module, dtype)  # raises with the name of a weight that is too large

    def loss(gram: Gram) -> float:
        return _loss(params.train.reduction, weight, bias, centre, gram)

    squares = squared_error(gram, weight, bias, centre)
    for warning in fit_messages.lost_by_rounding(fit, squares, params.model.dtype):
        print(f"warning: {warning}", file=sys.stderr)
    losses = loss(gram), loss(summary.test.gram) if summary.test.rows else None
    on_epoch(1, *losses)
    return module, [losses]


def _loss(
    reduction: str,
    weight: NDArray[Any],
    bias: NDArray[Any],
    centre: NDArray[np.float64] | None,
    gram: Gram,
) -> float:
    """Return the loss of a linear model on the rows of a Gram matrix."""
    squares = squared_error(gram, weight, bias, centre)
    errors = gram.rows * len(squares) if reduction == "mean" else 1
    try:
        return float(sum(squares) / errors)
    except OverflowError:
        raise UserError(
            "the squared errors are beyond what float64 holds; scale the targets"
        ) from None


def _refuse_dependent(fit: Fit) -> None:
    """Raise UserError if columns depend on others, exactly or to within their rounding."""
    if fit.dependent:
        sentences = [fit_messages.dependent(column) for column in fit.dependent]
        problem = "has more than one solution, because columns say the same as others"
        to_leave_out, result = "them", "them the weight 0"
    elif fit.nearly_dependent:
        sentences = [fit_messages.nearly_dependent(columns) for columns in fit.nearly_dependent]
        problem = (
            "would fit the rounding of the numbers, because columns say the same as others to"
            " within it"
        )
        to_leave_out, result = "one of them", "the last of them the weight 0"
    else:
        return
    shown = "\n  ".join(first_lines(sentences, MOST_DEPENDENT_SHOWN))
    raise UserError(
        f"train.optimizer: exact {problem}:\n  {shown}\nname data.features without {to_leave_out},"
        f" or set train.dependent to drop, which gives {result}"
    )
