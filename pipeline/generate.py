"""Stage `generate`: prepare the dataset.

Reads   params.yaml, data/raw/
Writes  data/train.parquet, data/test.parquet
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.settings import files, messages, runner
from pipeline.settings.errors import UserError
from pipeline.settings.params import GENERATE, Data, Params
from pipeline.settings.seeds import stream
from pipeline.tables import source, table
from pipeline.tables.table import Table


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


def split(
    values: NDArray[np.float64], fraction: float, draws: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Divide rows into those to fit and those held out, in their order, column-major.

    values: [rows, columns]. fraction: the share to hold out, about.
    draws: one number a row, in order. So a row's side depends on the seed and on how many rows are
    before it, on nothing else: rows that are appended later leave it where it is.
    """
    if fraction == 0:
        return values, values[:0]
    held_out = draws.random(len(values)) < fraction
    # Along each column, which is how the numbers lie in memory.
    columns = values.T
    return columns[:, ~held_out].T, columns[:, held_out].T


def main(params: Params) -> None:
    """Write the training table and the test table, both or none.

    Raises UserError if one has no rows that should have some.
    """
    data = params.data
    if data.source == GENERATE:
        made = generate(data, params.seed)
        names, float32, blocks = made.names, made.float32, iter([made.values])
    else:
        found = source.find(data)
        names, float32 = found.features + found.targets, found.float32
        blocks = found.blocks()

    draws = stream(params.seed, "split")
    with (
        table.writer(files.TRAIN, names, float32) as train,
        table.writer(files.TEST, names, float32) as test,
    ):
        for block in blocks:
            fit, held_out = split(block, data.test_fraction, draws)
            train.write(fit)
            test.write(held_out)
        _check_sides(data.test_fraction, train.rows, test.rows)
        # Both before either has its name: the disk may be full only now.
        train.finish()
        test.finish()


def _check_sides(fraction: float, train: int, test: int) -> None:
    rows = messages.count(train + test, "row")
    if train == 0:
        raise UserError(
            f"data.test_fraction: found {fraction}, which leaves none of {rows} to fit; make it"
            " smaller, or change the seed"
        )
    if fraction > 0 and test == 0:
        raise UserError(
            f"data.test_fraction: found {fraction}, which holds out none of {rows}; make it larger,"
            " set it to 0.0, or change the seed"
        )


if __name__ == "__main__":
    runner.run(main)
