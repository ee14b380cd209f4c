"""Stage `generate`: prepare the dataset.

Reads   params.yaml
Writes  data/train.parquet
"""

import numpy as np
from numpy.typing import NDArray

from pipeline import UserError, files, stage, table
from pipeline.params import Data, Params
from pipeline.streams import stream
from pipeline.table import Table


def generate(data: Data, seed: int) -> Table:
    """The table that `data.generate` describes: y = x · weight + bias + noise · N(0, 1).

    Raises UserError if a target comes out too large for float64.
    """
    asked = data.generate
    features, targets = len(data.features), len(data.targets)
    if asked.x is not None:
        x = np.array(asked.x)
    else:
        x = stream(seed, "x").standard_normal((asked.rows or 0, features))
    weight = (
        stream(seed, "weight").standard_normal((features, targets))
        if asked.weight is None
        else np.array(asked.weight)
    )
    noise = stream(seed, "noise").standard_normal((len(x), targets)) * asked.noise

    with np.errstate(over="ignore", invalid="ignore"):
        y = _product(x, weight) + np.array(asked.bias) + noise
    bad = np.argwhere(~np.isfinite(y))
    if len(bad):
        row, column = bad[0]
        raise UserError(
            f"data.generate: row {row + 1} has {data.targets[column]} = {y[row, column]}, beyond"
            " what float64 holds; use smaller x, weight, bias or noise"
        )
    return Table(data.features + data.targets, np.asfortranarray(np.hstack([x, y])))


def _product(x: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """`x @ weight`, added up feature by feature: BLAS would round differently on another CPU."""
    total = np.zeros((len(x), weight.shape[1]))
    for column, row in zip(x.T, weight, strict=True):
        total += column[:, None] * row
    return total


def main(params: Params) -> None:
    """Write the training table."""
    table.write(files.TRAIN, generate(params.data, params.seed))


if __name__ == "__main__":
    stage.run(main)
