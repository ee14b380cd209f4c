"""The Python client refuses a number of which the model's logarithm or root has no value."""

from typing import Any

import numpy as np
import pytest
from abline_client._column import WrongValueError
from abline_client._number import NumberColumn
from abline_client._warning import Rounding


def column(**limits: Any) -> NumberColumn:
    entry = {"name": "income", "kind": "number", "dtype": "float32", "min": 1.0, "max": 9.0}
    more = {"fill": None, "indicator": False, "missing_rows": 0, "shape": ["batch"]}
    return NumberColumn(entry | more | limits, Rounding())


def test_a_logarithm_needs_a_number_above_zero() -> None:
    income = column(above=0.0)
    with pytest.raises(WrongValueError) as caught:
        income.array(np.array([1.0, 0.0, -3.0], np.float32))
    assert str(caught.value) == "must be above 0, because the model takes its logarithm; found 0"
    assert (caught.value.row, caught.value.others) == (1, 1)
    with pytest.raises(TypeError):  # then it is read as a column, which says what is wrong
        income.single(-3.0)
    assert income.single(3.0) == 3
    with pytest.raises(WrongValueError, match="found 1e-60"):  # 0 in the model's float32
        income.array(np.array([1e-60], object))


def test_a_square_root_needs_a_number_of_zero_or_more() -> None:
    area = column(at_least=0.0)
    assert area.array(np.array([0.0, 2.0], np.float32)).tolist() == [0, 2]
    with pytest.raises(WrongValueError, match="must be at least 0, because the model takes its s"):
        area.array(np.array([-0.5], np.float32))


def test_a_gap_that_is_filled_has_no_limit() -> None:
    filled = column(above=0.0, fill=2.0)
    assert np.isnan(filled.array(np.array([np.nan, 1.0], np.float32))[0])
    assert np.isnan(filled.single(None)[0])
