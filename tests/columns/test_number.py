"""A gap gets a number that is learnt exactly, or is refused; the indicator says where it was."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.columns.column import EmptyColumnError, Values
from pipeline.columns.number import NumberColumn, NumberStatistics
from pipeline.settings.keys.column_settings import NumberSettings
from pipeline.tables import table

NAN = math.nan


def numbers(*values: float, kind: pa.DataType | None = None) -> pa.ChunkedArray:
    array = pa.array([*values], kind or pa.float64(), from_pandas=False)
    return pa.chunked_array([array.slice(0, 1), array.slice(1)])


def of_rows(settings: NumberSettings, values: Values) -> NumberColumn:
    statistics = NumberStatistics.of(settings, values)
    return NumberColumn.learnt(
        "n", settings, statistics, lambda search: search.counts(table.numbers(values))
    )


def learnt(*values: float, **settings: Any) -> NumberColumn:
    return of_rows(NumberSettings(kind="number", **settings), numbers(*values))


def encoded(column: NumberColumn, *values: float) -> tuple[list[list[float]], list[bool]]:
    out = np.full((len(values), len(column.encoded_names)), 9.0, order="F")
    refused = column.encode(numbers(*values), out)
    return out.tolist(), refused.tolist()


def test_a_column_as_it_is() -> None:
    column = learnt(3, -1, 2.5)
    assert (column.min, column.max, column.missing_rows, column.fill) == (-1, 3, 0, None)
    assert column.encoded_names == ("n",)
    rows, refused = encoded(column, 7.0, NAN)
    assert rows[0] == [7.0]
    assert math.isnan(rows[1][0])
    assert refused == [False, True]
    assert column.in_range(numbers(-1, 3, 3.1, NAN)).tolist() == [True, True, False, False]


@pytest.mark.parametrize(("missing", "fill"), [("mean", 4.0), ("median", 2.5), (-1.5, -1.5)])
def test_a_gap_gets_its_number(missing: Any, fill: float) -> None:
    column = learnt(1, 2, NAN, 3, 10, missing=missing, indicator=True)
    assert column.fill == fill
    assert column.missing_rows == 1
    assert column.encoded_names == ("n", "n[missing]")
    assert encoded(column, NAN, 5) == ([[fill, 1.0], [5.0, 0.0]], [False, False])
    assert column.in_range(numbers(NAN, 11)).tolist() == [True, False]
    whole = learnt(1, 2, missing=missing)
    assert whole.in_range(numbers(NAN, 1)).tolist() == [False, True], "no training row had a gap"


def test_the_mean_and_the_median_are_rounded_once() -> None:
    values = (np.random.default_rng(0).normal(size=1001) * 1e9 + 1e-9).tolist()
    for some in (values, values[:-1], [1e308, 1.5e308], [5e-324, 1e-323], [0.1] * 10):
        exact = sum(map(Fraction, some)) / len(some)
        assert learnt(*some, NAN, missing="mean").fill == float(exact)
        ordered = sorted(map(Fraction, some))
        half = len(some) // 2
        middle = ordered[half] if len(some) % 2 else (ordered[half - 1] + ordered[half]) / 2
        assert learnt(*some, NAN, missing="median").fill == float(middle)


def test_the_order_of_the_rows_does_not_matter() -> None:
    values = np.random.default_rng(1).normal(size=5000) * 10.0 ** np.arange(5000 // 1).clip(0, 15)
    fills = {learnt(*np.random.default_rng(seed).permutation(values), missing="mean").fill
             for seed in range(5)}  # fmt: skip
    assert len(fills) == 1


def test_single_precision_is_read_as_it_is() -> None:
    settings = NumberSettings(kind="number", missing="mean")
    column = of_rows(settings, numbers(0.1, NAN, kind=pa.float32()))
    assert column.fill == float(np.float32(0.1))


def test_a_column_without_a_number() -> None:
    with pytest.raises(EmptyColumnError):
        learnt(NAN, NAN, missing=0.0)
