"""A table that the model cannot be fitted to is refused before the training."""

import numpy as np
import pytest
from conftest import job

from pipeline.columns import in_memory
from pipeline.learning import data_checks
from pipeline.learning.data_checks import Blocks
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables.table import Table

NO_ROWS = Table(("x", "y"), np.empty((0, 2)))


def table(*rows: tuple[float, ...], names: tuple[str, ...] = ("x", "y")) -> Table:
    return Table(names, np.array(rows))


def check(params: Params, rows: Table, held_out: Table, kept: bool = True) -> None:
    """Check tables of one block for each row. kept: False if the files have no rows."""

    def blocks(whole: Table) -> Blocks:
        return lambda: [Table(whole.names, row[None]) for row in whole.values if kept]

    summary = in_memory.summary_of(rows, held_out, params.data.targets)
    tables = {files.TRAIN: blocks(rows), files.TEST: blocks(held_out)}
    data_checks.check(params, summary, tables)


def test_a_table_that_can_be_fitted_passes() -> None:
    check(job(), table((1, 2), (1e38, 3)), NO_ROWS)
    check(job(train__optimizer="exact"), table((1, 2), (2, 3)), NO_ROWS)
    without_bias = job(model__bias=False)
    check(without_bias, table((1, 2), names=("bias", "y")), NO_ROWS)


@pytest.mark.parametrize(
    ("changes", "rows", "test_rows", "told"),
    [
        ({"train__optimizer": "exact"}, table((1, 2)), NO_ROWS,
         "train.optimizer: exact fits 2 numbers (one for each feature and the bias) and needs as"
         " many rows, but found 1 for training; name fewer data.features, bring more rows, or set"
         " train.l2 to cv"),
        ({}, table((1, 2), names=("bias", "y")), NO_ROWS,
         "data/train.parquet: found a feature called bias, which coefficients.csv uses for the"
         " intercept; rename the column, or set model.bias to false"),
        ({}, table((1, 2), (3, 1e39)), NO_ROWS,
         "data/train.parquet: row 2 has y = 1e+39, beyond what float32 holds; set model.dtype to"
         " float64 or scale the column"),
        ({"model__dtype": "float64"}, table((1, 2)), table((1e39, 2)),
         "data/test.parquet: row 1 has x = 1e+39, beyond what float32 holds; set train.dtype to"
         " float64 or scale the column"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_fitted_is_refused(
    changes: dict[str, str], rows: Table, test_rows: Table, told: str
) -> None:
    with pytest.raises(UserError) as caught:
        check(job(**changes), rows, test_rows)
    assert str(caught.value) == told


def test_rows_that_were_left_where_they_are_are_refused_without_their_number() -> None:
    with pytest.raises(UserError) as caught:
        check(job(), table((1, 2), (3, -1e39), (3, 1e38)), NO_ROWS, kept=False)
    assert str(caught.value) == (
        "data/train.parquet: found y = -1e+39, beyond what float32 holds; set model.dtype to"
        " float64 or scale the column"
    )
