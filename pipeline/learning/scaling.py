"""Mean and deviation of each column over the training rows, for model.standardize."""

import numpy as np
import torch

from pipeline.columns.part import Part
from pipeline.columns.summary import Summary
from pipeline.learning.module import Standardized
from pipeline.learning.weights import DTYPES
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.table import Table

Scaling = tuple[torch.Tensor, torch.Tensor]
"""Mean and deviation of each column, [columns] each."""

# The range of float32, with room for a division.
SMALLEST_DEVIATION, LARGEST_DEVIATION = 1e-37, 1e37


def means(params: Params, part: Part, dtype: torch.dtype) -> torch.Tensor:
    """Return the mean of each column, features and targets: [columns], rounded to `dtype`.

    Zeros for a model without bias: with another centre the fit would not go through the origin.
    """
    exact = part.gram.means()
    return torch.from_numpy(exact if params.model.bias else np.zeros_like(exact)).to(dtype)


def of_features(params: Params, summary: Summary) -> Scaling:
    """Return mean and deviation of each feature over the training rows.

    Raises UserError if a column does not vary.
    """
    return _scaling(params, summary, slice(None, len(summary.features)), constant=None)


def of_targets(params: Params, summary: Summary) -> Scaling:
    """Return mean and deviation of each target; 1 for a target that does not vary.

    Raises UserError if float32 cannot be scaled by a deviation.
    """
    return _scaling(params, summary, slice(len(summary.features), None), constant=1.0)


def _scaling(params: Params, summary: Summary, chosen: slice, constant: float | None) -> Scaling:
    """Return mean and deviation of the `chosen` columns over the training rows.

    constant: the deviation to use for a column that does not vary; None to refuse such a column.
    """
    part = summary.train
    # Rounded as in the saved file: the weights are learnt for the mean that will be subtracted.
    mean = means(params, part, _coarser_dtype(params))
    # Root mean square of the distance from that mean, which float32 may have moved.
    deviations = part.gram.deviations(mean.double().numpy())
    for column in range(len(deviations))[chosen]:
        name = (*summary.features, *summary.targets)[column]
        smallest, problem = part.smallest[column], None
        if smallest == part.largest[column]:
            if constant is not None:
                deviations[column] = constant
            elif params.model.bias or not smallest:
                problem = f"is {smallest:g} in every training row"
        deviation = deviations[column]
        if problem is None and not SMALLEST_DEVIATION < deviation < LARGEST_DEVIATION:
            problem = f"has a deviation of {deviation:g} in the training rows"
        if problem:
            cure = "leave it out of data.features" if constant is None else "use another unit"
            raise UserError(
                f"model.standardize: {name} {problem}, by which float32 cannot be scaled; {cure} or"
                " set model.standardize to false"
            )
    return mean[chosen].clone(), torch.from_numpy(deviations[chosen].copy())


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


def _coarser_dtype(params: Params) -> torch.dtype:
    """Return the coarser of train.dtype and model.dtype."""
    return DTYPES[min(params.model.dtype, params.train.dtype)]  # float32 < float64
