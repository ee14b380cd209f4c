"""Split of a table into rows for training and rows held out for the test table."""

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.errors import UserError
from pipeline.settings.messages import count


def split(
    values: NDArray[np.float64], fraction: float, draws: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the rows for training and the rows held out, in their order, column-major.

    values: [rows, columns]. fraction: the share to hold out, approximately.
    draws: gives one number for each row, in order. So the side of a row depends only on the seed
    and on the number of rows before it: rows that are appended later do not change it.
    """
    if fraction == 0:
        return values, values[:0]
    is_held_out = draws.random(len(values)) < fraction
    # Along each column, as the numbers are in memory. Not by an index, whose result is row-major.
    columns = values.T
    return columns.compress(~is_held_out, axis=1).T, columns.compress(is_held_out, axis=1).T


def check_sides(fraction: float, training_rows: int, test_rows: int) -> None:
    """Raise UserError if no row is left for training, or no row is held out for a share above 0."""
    rows = count(training_rows + test_rows, "row")
    if training_rows == 0:
        raise UserError(
            f"data.test_fraction: found {fraction}, which leaves none of {rows} for training; make"
            " it smaller, or change the seed"
        )
    if fraction > 0 and test_rows == 0:
        raise UserError(
            f"data.test_fraction: found {fraction}, which holds out none of {rows}; make it larger,"
            " set it to 0.0, or change the seed"
        )
