"""A table that is generated: y = x · weight + bias + noise · N(0, 1)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.errors import UserError
from pipeline.settings.params import Data
from pipeline.settings.seeds import stream
from pipeline.tables.table import ROWS_PER_ROW_GROUP, Table


def generated_table(data: Data, seed: int) -> Table:
    """Return the table that `data.generate` describes.

    Raises UserError if a target is too large for float64.
    """
    (whole,) = generated_blocks(data, seed, _row_count(data))
    return whole


def generated_blocks(
    data: Data, seed: int, rows_in_block: int = ROWS_PER_ROW_GROUP
) -> Iterator[Table]:
    """Yield the rows of `generated_table` in blocks: the same numbers, whatever the blocks' size.

    Raises UserError if a target is too large for float64.
    """
    settings = data.generate
    features, targets = len(data.features), len(data.targets)
    weight = (
        stream(seed, "weight").standard_normal((features, targets))
        if settings.weight is None
        else np.array(settings.weight)
    )
    x_draws, noise_draws = stream(seed, "x"), stream(seed, "noise")
    total = _row_count(data)
    for begin in range(0, total, rows_in_block):
        rows = min(rows_in_block, total - begin)
        # Row by row from each stream, so that the numbers do not depend on the blocks.
        if settings.x is not None:
            x = np.array(settings.x[begin : begin + rows])
        else:
            x = x_draws.standard_normal((rows, features))
        noise = noise_draws.standard_normal((rows, targets)) * settings.noise
        with np.errstate(over="ignore", invalid="ignore"):
            y = _product(x, weight) + np.array(settings.bias) + noise
        not_finite = np.argwhere(~np.isfinite(y))
        if len(not_finite):
            row, column = not_finite[0]
            raise UserError(
                f"data.generate: row {begin + row + 1} has {data.targets[column]} ="
                f" {y[row, column]}, beyond what float64 holds; use smaller x, weight, bias or"
                " noise"
            )
        yield Table((*data.columns, *data.targets), np.asfortranarray(np.hstack([x, y])))


def _row_count(data: Data) -> int:
    """Return the number of rows that `data.generate` describes."""
    settings = data.generate
    return (settings.rows or 0) if settings.x is None else len(settings.x)


def _product(x: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `x @ weight`, summed feature by feature: BLAS rounds differently on another CPU."""
    total = np.zeros((len(x), weight.shape[1]))
    for column, row in zip(x.T, weight, strict=True):
        total += column[:, None] * row
    return total
