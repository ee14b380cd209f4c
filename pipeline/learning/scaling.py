"""Mean and deviation of each column over the training rows, for model.standardize."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.learning.module import Standardized
from pipeline.learning.weights import DTYPES
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.table import Table

Scaling = tuple[torch.Tensor, torch.Tensor]
"""Mean and deviation of each column, [columns] each."""

# The range of float32, with room for a division.
SMALLEST_DEVIATION, LARGEST_DEVIATION = 1e-37, 1e37


def means(
    params: Params,
    columns: Iterable[Any],
    sum_of: Callable[[Any], float],
    rows: int,
    dtype: torch.dtype,
) -> torch.Tensor:
    """Return the mean of each column: [columns], in `dtype`.

    sum_of: returns the sum of one of `columns`, exactly rounded. It is divided in float64, and the
    quotient is rounded to `dtype`. Zeros for a model without bias: with another centre the fit
    would not go through the origin.
    """
    values = [sum_of(column) / rows if params.model.bias else 0.0 for column in columns]
    return torch.tensor(values, dtype=torch.float64).to(dtype)


def of_features(params: Params, rows: Table) -> Scaling:
    """Return mean and deviation of each feature over `rows`.

    Raises UserError if a column does not vary.
    """
    return _scaling(params, rows, rows.features(params.data.targets), constant=None)


def of_targets(params: Params, rows: Table) -> Scaling:
    """Return mean and deviation of each target over `rows`; 1 for a target that does not vary.

    Raises UserError if float32 cannot be scaled by a deviation.
    """
    return _scaling(params, rows, params.data.targets, constant=1.0)


def _scaling(
    params: Params, rows: Table, names: tuple[str, ...], constant: float | None
) -> Scaling:
    """Return mean and deviation of the columns called `names`.

    constant: the deviation to use for a column that does not vary; None to refuse such a column.
    """
    columns = rows.columns(names).T
    # Rounded as in the saved file: the weights are learnt for the mean that will be subtracted.
    mean = means(
        params,
        columns,
        lambda column: math.fsum(column.tolist()),
        len(rows.values),
        _coarser_dtype(params),
    )
    deviations = []
    for name, column, centre in zip(names, columns, mean.tolist(), strict=True):
        deviation = _deviation(column, centre)
        problem = None
        if column.min() == column.max():
            if constant is not None:
                deviation = constant
            elif params.model.bias or not column[0]:
                problem = f"is {column[0]:g} in every training row"
        if problem is None and not SMALLEST_DEVIATION < deviation < LARGEST_DEVIATION:
            problem = f"has a deviation of {deviation:g} in the training rows"
        if problem:
            cure = "leave it out of data.features" if constant is None else "use another unit"
            raise UserError(
                f"model.standardize: {name} {problem}, by which float32 cannot be scaled; {cure} or"
                " set model.standardize to false"
            )
        deviations.append(deviation)
    return mean, torch.tensor(deviations, dtype=torch.float64)


def standard_targets(
    module: Standardized, params: Params, rows: Table, like: torch.Tensor
) -> torch.Tensor:
    """Return the targets of `rows` in standard units: [rows, targets], of the dtype of `like`."""
    assert module.target_mean is not None, "a linear model is trained in the table's units"
    assert module.target_deviation is not None
    mean, deviation = (
        each.cpu().double() for each in (module.target_mean, module.target_deviation)
    )
    # Computed in float64: in float32, targets of a million ± 1 have lost too many digits.
    y = (torch.from_numpy(rows.columns(params.data.targets)) - mean) / deviation
    return torch.empty_like(like).copy_(y)


def _deviation(column: NDArray[np.float64], centre: float) -> float:
    """Return the root mean square of the distance from `centre`; its sum is exactly rounded."""
    with np.errstate(over="ignore"):
        squares = ((column - centre) ** 2).tolist()
    return math.sqrt(math.fsum(squares) / len(squares))


def _coarser_dtype(params: Params) -> torch.dtype:
    """Return the coarser of train.dtype and model.dtype."""
    return DTYPES[min(params.model.dtype, params.train.dtype)]  # float32 < float64
