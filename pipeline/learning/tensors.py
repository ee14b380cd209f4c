"""Tables as tensors."""

from collections.abc import Callable

import numpy as np
import torch

from pipeline.learning.weights import DTYPES
from pipeline.settings.params import Params
from pipeline.tables.table import Table

Pair = tuple[torch.Tensor, torch.Tensor]
"""x [rows, features] and y [rows, targets]."""

Prepare = Callable[[Table], Pair]
"""Function from encoded rows to x and y, in train.dtype and on the CPU."""


def of_table(params: Params, rows: Table) -> Pair:
    """Return the features and the targets of `rows`, in train.dtype."""
    dtype = DTYPES[params.train.dtype]
    targets = params.data.targets
    return of_columns(rows, rows.features(targets), dtype), of_columns(rows, targets, dtype)


def with_weights(y: torch.Tensor, rows: Table, unit: float) -> torch.Tensor:
    """Return y with the weights of the rows, in this unit, as a last column, if they have weights.

    y: [rows, targets].
    """
    if rows.weights is None:
        return y
    weights = torch.empty(len(y), 1, dtype=y.dtype)
    with np.errstate(over="ignore"):
        weights.numpy()[:, 0] = rows.weights * unit
    return torch.cat([y, weights], dim=1)


def of_columns(rows: Table, names: tuple[str, ...], dtype: torch.dtype) -> torch.Tensor:
    """Return the columns called `names` as [rows, columns], row-major, rounded once to `dtype`."""
    # A new tensor, for plain strides. With NumPy's strides of a single column, (1, rows), products
    # take routines of MKL that round differently on Intel and AMD.
    result = torch.empty(len(rows.values), len(names), dtype=dtype)
    array = result.numpy()
    places = {name: place for place, name in enumerate(rows.names)}
    with np.errstate(over="ignore"):
        for column, name in enumerate(names):
            array[:, column] = rows.values[:, places[name]]
    return result
