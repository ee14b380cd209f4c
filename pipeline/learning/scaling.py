"""Mean and deviation of each column over the training rows, for model.standardize."""

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.module import Standardized
from pipeline.learning.weights import DTYPES
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.table import Table

if TYPE_CHECKING:
    from pipeline.exact.gram import Gram

Scaling = tuple[torch.Tensor, torch.Tensor]
"""Mean and deviation of each column, [columns] each."""

# What float32 holds, with room to divide by.
SMALLEST, LARGEST = 1e-37, 1e37


def means(params: Params, rows: Table, names: tuple[str, ...], dtype: torch.dtype) -> torch.Tensor:
    """The mean of each column called `names`: [columns], in `dtype`.

    Its sum is exactly rounded, divided, and rounded to `dtype`. Zeros for a fit through the origin,
    which another centre would take away from it.
    """
    columns = rows.columns(names).T
    if not params.model.bias:
        return torch.zeros(len(columns), dtype=dtype)
    values = [math.fsum(column.tolist()) / len(column) for column in columns]
    return torch.tensor(values, dtype=torch.float64).to(dtype)


def gram_means(
    params: Params, gram: "Gram", features: int, dtype: torch.dtype
) -> torch.Tensor | None:
    """Return the mean of each feature: [features], in `dtype`; None without model.standardize.

    gram: the Gram matrix of [1 features ...], whose sums are exact. Zeros for a fit through the
    origin, as of `means`.
    """
    if not params.model.standardize:
        return None
    values = gram.means()[:features] if params.model.bias else np.zeros(features)
    return torch.from_numpy(values).to(dtype)


def of_features(params: Params, rows: Table) -> Scaling:
    """Mean of each feature over `rows`, and its deviation from that mean.

    Raises UserError if a column does not vary.
    """
    names = rows.features(params.data.targets)
    # As it ships, already: the weights are learnt for the mean that will be subtracted.
    mean = means(params, rows, names, _coarser(params))
    deviation = []
    for name, column, centre in zip(names, rows.columns(names).T, mean.tolist(), strict=True):
        spread = _deviation(column, centre)
        constant = column.min() == column.max() and (params.model.bias or not column[0])
        if constant or not SMALLEST < spread < LARGEST:
            same = f"is {column[0]:g} in every training row"
            extreme = f"has a deviation of {spread:g} in the training rows"
            raise UserError(
                f"model.standardize: {name} {same if constant else extreme}"
                ", which nothing can be divided by; leave it out of data.features or set"
                " model.standardize to false"
            )
        deviation.append(spread)
    return mean, torch.tensor(deviation, dtype=torch.float64)


def of_targets(params: Params, rows: Table) -> Scaling:
    """Mean of each target over `rows`, and its deviation from that mean, 1 if it does not vary.

    Raises UserError if a deviation is beyond what float32 can be scaled by.
    """
    names = params.data.targets
    mean = means(params, rows, names, _coarser(params))
    deviation = []
    for name, column, centre in zip(names, rows.columns(names).T, mean.tolist(), strict=True):
        spread = 1.0 if column.min() == column.max() else _deviation(column, centre)
        if not SMALLEST < spread < LARGEST:
            raise UserError(
                f"model.standardize: {name} has a deviation of {spread:g} in the training rows,"
                " which float32 cannot be scaled by; give it in another unit or set"
                " model.standardize to false"
            )
        deviation.append(spread)
    return mean, torch.tensor(deviation, dtype=torch.float64)


def standard_targets(
    module: Standardized, params: Params, rows: Table, like: torch.Tensor
) -> torch.Tensor:
    """The targets of `rows` in the units of the module inside: [rows, targets], as `like` is."""
    assert module.target_mean is not None, "a linear model is trained in the table's units"
    assert module.target_deviation is not None
    mean, deviation = (
        each.cpu().double() for each in (module.target_mean, module.target_deviation)
    )
    # From float64: of targets of a million ± 1 float32 has lost too much.
    y = (torch.from_numpy(rows.columns(params.data.targets)) - mean) / deviation
    return torch.empty_like(like).copy_(y)


def _deviation(column: NDArray[np.float64], centre: float) -> float:
    with np.errstate(over="ignore"):
        squares = ((column - centre) ** 2).tolist()
    return math.sqrt(math.fsum(squares) / len(squares))


def _coarser(params: Params) -> torch.dtype:
    """The coarser of the two precisions, of training and of what ships."""
    return DTYPES[min(params.model.dtype, params.train.dtype)]  # float32 < float64
