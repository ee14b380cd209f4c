"""Tables as tensors."""

import torch

from pipeline.learning import device
from pipeline.learning.weights import DTYPES
from pipeline.settings.params import Params
from pipeline.tables.table import Table

Pair = tuple[torch.Tensor, torch.Tensor]
"""x [rows, features] and y [rows, targets]."""


def of_table(params: Params, rows: Table) -> Pair:
    """Return the features and the targets of `rows`, in train.dtype and on train.device."""
    place = device.choose(params.train.device)
    dtype = DTYPES[params.train.dtype]
    targets = params.data.targets
    x, y = (of_columns(rows, names, dtype) for names in (rows.features(targets), targets))
    return x.to(place), y.to(place)


def of_columns(rows: Table, names: tuple[str, ...], dtype: torch.dtype) -> torch.Tensor:
    """Return the columns called `names` as [rows, columns], row-major, rounded once to `dtype`."""
    columns = rows.columns(names)
    # Copied into a new tensor, for plain strides. With NumPy's strides of a single column,
    # (1, rows), products take routines of MKL that round differently on Intel and AMD.
    return torch.empty(columns.shape, dtype=dtype).copy_(torch.from_numpy(columns))
