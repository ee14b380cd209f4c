"""Checks of the tables before a training starts."""

from pathlib import Path

import numpy as np

from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.table import Table


def check(params: Params, rows: Table, held_out: Table) -> None:
    """Check that the model can be fitted to these tables.

    Raises UserError for a feature called bias, for fewer rows than the closed form needs, and for a
    number too large for model.dtype or train.dtype.
    """
    features = rows.features(params.data.targets)
    # params.yaml alone does not show it: the features may come from a file.
    if params.model.bias and "bias" in features:
        raise UserError(
            f"{files.TRAIN}: found a feature called bias, which coefficients.csv uses for the"
            " intercept; rename the column, or set model.bias to false"
        )
    terms = len(features) + params.model.bias
    # Levels of few rows often depend on each other; train.dependent says what becomes of them.
    is_matrix = not rows.exact
    if params.train.optimizer == "exact" and is_matrix and len(rows.values) < terms:
        raise UserError(
            f"train.optimizer: exact fits {terms} numbers (one for each feature"
            f"{' and the bias' if params.model.bias else ''}) and needs as many rows, but found"
            f" {len(rows.values)} for training; name fewer data.features, or bring more rows"
        )
    # Rows too large for the saved model's dtype could not be sent to it.
    dtypes = {"model.dtype": params.model.dtype}
    if params.train.optimizer != "exact":
        dtypes["train.dtype"] = params.train.dtype
    for key, dtype in dtypes.items():
        for path, table in ((files.TRAIN, rows), (files.TEST, held_out)):
            _refuse_too_large(path, table, dtype, key)


def _refuse_too_large(path: Path, rows: Table, dtype: str, key: str) -> None:
    """Raise UserError if a number is too large for `dtype`, the value of `key`."""
    with np.errstate(over="ignore"):
        largest = np.abs(rows.values).max(axis=0, initial=0).astype(dtype)
    for column in np.flatnonzero(~np.isfinite(largest)):
        values = rows.values[:, column]
        with np.errstate(over="ignore"):
            row = int(np.flatnonzero(~np.isfinite(values.astype(dtype)))[0])
        raise UserError(
            f"{path}: row {row + 1} has {rows.names[column]} = {values[row]:g}, beyond what"
            f" {dtype} holds; set {key} to float64 or scale the column"
        )
