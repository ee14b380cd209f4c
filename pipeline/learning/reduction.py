"""Training on a few rows that have the loss and the gradient of all rows at every weight.

For a linear model on all rows at once: the rows of `exact.reduced_rows`, from the summary alone.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pipeline.columns.part import Part
from pipeline.columns.summary import Summary
from pipeline.exact.reduced_rows import reduced_rows
from pipeline.learning import device
from pipeline.learning.batches import InMemory
from pipeline.learning.module import LinearModel
from pipeline.learning.prediction import to_numpy
from pipeline.learning.scaling import Scaling
from pipeline.learning.weights import DTYPES
from pipeline.settings.params import Params

FEWEST_ROWS = 10_000
"""Training rows from which `auto` reduces: below, an epoch takes as long as its bookkeeping."""


def is_wanted(params: Params, module: nn.Module, summary: Summary) -> bool:
    """True if `module` is to be trained on reduced rows."""
    settings, rows = params.train, summary.train.table_rows
    if (
        not isinstance(module, LinearModel)
        or settings.batch_size is not None
        or settings.reduce_rows is False
    ):
        return False
    if not settings.loss_kind.is_squared:  # only squared errors follow from the sums
        return False
    if settings.reduce_rows is True or not params.data.keep_rows:
        return True
    # The reduction takes the cube of the columns, an epoch on all rows their product with the rows.
    return rows >= max(FEWEST_ROWS, _count(summary) ** 2)


def announce(summary: Summary) -> None:
    """Print what is trained on."""
    print(
        f"trains on {_count(summary)} rows with the same loss and gradient as"
        f" {summary.train.table_rows:,} (train.reduce_rows)"
    )


def reduced(params: Params, part: Part, features: int, scaling: Scaling | None) -> InMemory:
    """Return the reduced rows of a part, which has at least one row.

    features: number of columns that are features. scaling: mean and deviation of each, by which
    they are scaled, or None.
    """
    dtype, place = DTYPES[params.train.dtype], device.choose(params.train.device)
    if scaling is not None:  # rounded as in the module: its weights are divided by it for the file
        scaling = scaling[0], scaling[1].to(dtype)
    rows = _rows(part, features, scaling)
    x, y = (
        # A new tensor, for plain strides: see tensors.of_columns.
        torch.empty(columns.shape, dtype=dtype).copy_(torch.from_numpy(columns)).to(place)
        for columns in (rows[:, :features], rows[:, features:])
    )
    return InMemory(x, y, float(part.weight / len(rows)))


def _rows(part: Part, features: int, scaling: Scaling | None) -> NDArray[np.float64]:
    """Return the reduced rows, scaled: [rows, columns]."""
    if scaling is None:
        return reduced_rows(part.gram)
    mean, deviation = map(to_numpy, scaling)
    # The mean is subtracted without rounding error: a column of 2000 ± 5 keeps all its digits, also
    # in float32, which the rows themselves lose before they are scaled.
    targets = len(part.gram.exponents) - 1 - features
    rows = reduced_rows(part.gram.centred(np.append(mean, np.zeros(targets))))
    rows[:, :features] /= deviation
    return rows


def _count(summary: Summary) -> int:
    """Return the number of reduced rows."""
    return len(summary.features) + 1 + len(summary.targets)
