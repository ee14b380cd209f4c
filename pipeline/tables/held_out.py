"""Split of a table into rows for training and rows held out for the test table."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.settings.errors import UserError
from pipeline.settings.messages import count
from pipeline.tables.table import array


def parted(rows: pa.Table, is_held_out: NDArray[np.bool_]) -> tuple[pa.Table, pa.Table]:
    """Return the rows for training and the rows held out, in their order."""
    sides = (array(~is_held_out, pa.bool_()), array(is_held_out, pa.bool_()))
    training, test = (rows.filter(side) for side in sides)
    return training, test


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
