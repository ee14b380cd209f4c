"""A table that is generated: y = x · weight + bias + noise · N(0, 1)."""

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.errors import UserError
from pipeline.settings.params import Data
from pipeline.settings.seeds import stream
from pipeline.tables.table import Table


def generated_table(data: Data, seed: int) -> Table:
    """Return the table that `data.generate` describes.

    Raises UserError if a target is too large for float64.
    """
    settings = data.generate
    features, targets = len(data.features), len(data.targets)
    if settings.x is not None:
        x = np.array(settings.x)
    else:
        x = stream(seed, "x").standard_normal((settings.rows or 0, features))
    weight = (
        stream(seed, "weight").standard_normal((features, targets))
        if settings.weight is None
        else np.array(settings.weight)
    )
    noise = stream(seed, "noise").standard_normal((len(x), targets)) * settings.noise

    with np.errstate(over="ignore", invalid="ignore"):
        y = _product(x, weight) + np.array(settings.bias) + noise
    not_finite = np.argwhere(~np.isfinite(y))
    if len(not_finite):
        row, column = not_finite[0]
        raise UserError(
            f"data.generate: row {row + 1} has {data.targets[column]} = {y[row, column]}, beyond"
            " what float64 holds; use smaller x, weight, bias or noise"
        )
    return Table((*data.columns, *data.targets), np.asfortranarray(np.hstack([x, y])))


def _product(x: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `x @ weight`, summed feature by feature: BLAS rounds differently on another CPU."""
    total = np.zeros((len(x), weight.shape[1]))
    for column, row in zip(x.T, weight, strict=True):
        total += column[:, None] * row
    return total
