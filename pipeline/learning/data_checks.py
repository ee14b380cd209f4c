"""Checks of the tables before a training starts."""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.columns.part import Part
from pipeline.columns.summary import Summary
from pipeline.learning import fold_checks
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.table import Table

Blocks = Callable[[], Iterable[Table]]
"""Function that reads the encoded rows of a table, block by block."""


def check(params: Params, summary: Summary, blocks: dict[Path, Blocks]) -> None:
    """Check that the model can be fitted to these tables.

    blocks: of both tables, by path; they are read only to name a row that is refused.
    Raises UserError for a feature called bias, for fewer rows than the closed form or the choice of
    a penalty needs, and for a number too large for model.dtype or train.dtype.
    """
    # params.yaml alone does not show it: the features may come from a file.
    if params.model.bias and "bias" in summary.features:
        raise UserError(
            f"{files.TRAIN}: found a feature called bias, which coefficients.csv uses for the"
            " intercept; rename the column, or set model.bias to false"
        )
    terms, rows = len(summary.features) + params.model.bias, summary.train.rows
    # Levels of few rows often depend on each other; train.dependent says what becomes of them.
    is_matrix = not summary.exact
    # With a penalty there is one solution even of fewer rows.
    is_plain = params.train.optimizer == "exact" and not params.train.penalized
    if is_plain and is_matrix and rows < terms:
        raise UserError(
            f"train.optimizer: exact fits {terms} numbers (one for each feature"
            f"{' and the bias' if params.model.bias else ''}) and needs as many rows, but found"
            f" {rows} for training; name fewer data.features, bring more rows, or set train.l2 to"
            " cv"
        )
    if by_folds := params.train.chosen_by_folds:
        fold_checks.check_choice(by_folds[0], summary)
    # Rows too large for the saved model's dtype could not be sent to it.
    dtypes = {"model.dtype": params.model.dtype}
    if params.train.optimizer != "exact":
        dtypes["train.dtype"] = params.train.dtype
    for key, dtype in dtypes.items():
        for path, part in ((files.TRAIN, summary.train), (files.TEST, summary.test)):
            for column in np.flatnonzero(_too_large(_largest(part), dtype))[:1]:
                name = (*summary.features, *summary.targets)[column]
                where, value = _first_too_large(blocks[path](), name, dtype)
                raise UserError(
                    f"{path}: {where}{name} = {value or _largest(part)[column]:g}, beyond what"
                    f" {dtype} holds; set {key} to float64 or scale the column"
                )


def _largest(part: Part) -> NDArray[np.float64]:
    """Return the number of each column that is farthest from 0: [columns]."""
    smallest, largest = np.array(part.smallest), np.array(part.largest)
    return np.where(-smallest > largest, smallest, largest)


def _too_large(values: NDArray[np.float64], dtype: str) -> NDArray[np.bool_]:
    with np.errstate(over="ignore"):
        infinite: NDArray[np.bool_] = np.isinf(values.astype(dtype))
    return infinite


def _first_too_large(blocks: Iterable[Table], name: str, dtype: str) -> tuple[str, float | None]:
    """Return the beginning of a sentence about the first row too large, and its number.

    None if no row is there: the rows may have been left where they are (data.keep_rows).
    """
    rows = 0
    for block in blocks:
        values = block.columns([name])[:, 0]
        for row in np.flatnonzero(_too_large(values, dtype))[:1]:
            return f"row {rows + row + 1} has ", float(values[row])
        rows += len(values)
    return "found ", None
