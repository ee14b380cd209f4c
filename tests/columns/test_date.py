"""Dates become integers by the calendar, also before 1970; months and weekdays are levels."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pipeline.columns.column import EmptyColumnError
from pipeline.columns.date import DateColumn, DateStatistics
from pipeline.settings.keys.column_settings import DateSettings

ALL_PARTS = ["days", "year", "month", "weekday", "hour"]


def days(*values: date | None) -> pa.Array:
    return pa.array([*values], pa.date32())


def learnt(values: pa.Array, **settings: Any) -> DateColumn:
    asked = DateSettings(kind="date", **settings)
    return DateColumn.learnt("d", asked, DateStatistics.of(asked, values))


def encoded(column: DateColumn, values: pa.Array) -> dict[str, list[float]]:
    out = np.full((len(values), len(column.encoded_names)), 9.0, order="F")
    column.encode(values, out)
    return dict(zip(column.encoded_names, out.T.tolist(), strict=True))


def test_the_parts_are_those_of_pandas() -> None:
    random = np.random.default_rng(0)
    seconds = random.integers(-(2**36), 2**36, 5000)
    values = pa.array(seconds).cast(pa.timestamp("s"))
    column = learnt(values, parts=ALL_PARTS)
    peer = pd.Series(seconds.astype("datetime64[s]")).dt
    numbers = encoded(column, values)
    np.testing.assert_array_equal(numbers.pop("d[days]"), seconds // 86_400)
    np.testing.assert_array_equal(numbers.pop("d[year]"), peer.year)
    np.testing.assert_array_equal(numbers.pop("d[hour]"), peer.hour)
    for month in set(range(1, 13)) - {column.references["month"]}:
        np.testing.assert_array_equal(numbers.pop(f"d[month={month}]"), peer.month == month)
    for weekday in set(range(1, 8)) - {column.references["weekday"]}:
        is_day = peer.day_of_week + 1 == weekday
        np.testing.assert_array_equal(numbers.pop(f"d[weekday={weekday}]"), is_day)
    assert not numbers


def test_days_around_the_epoch() -> None:
    values = [date(1969, 12, 31), date(1970, 1, 1), date(1, 1, 1), date(9999, 12, 31)]
    column = learnt(days(*values), parts=["days", "year"])
    numbers = encoded(column, days(*values))
    assert numbers["d[days]"] == [(value - date(1970, 1, 1)).days for value in values]
    assert numbers["d[year]"] == [value.year for value in values]
    assert (column.min, column.max) == (-719_162, 2_932_896)


def test_what_is_refused_and_what_is_out_of_range() -> None:
    column = learnt(days(date(2020, 1, 1), date(2020, 2, 5), None), parts=["days", "month"])
    assert column.levels == {"month": (1, 2)}
    assert column.references == {"month": 1}
    assert column.encoded_names == ("d[days]", "d[month=2]")
    assert column.missing_rows == 1
    values = days(date(2020, 1, 9), date(2021, 1, 9), date(2020, 3, 1), None)
    out = np.empty((4, 2), order="F")
    assert column.encode(values, out).tolist() == [False, False, True, True]
    assert np.isnan(out[2:]).all()
    assert column.in_range(values).tolist() == [True, False, False, False]
    asked: dict[str, Any] = {"kind": "date", "parts": ["days", "month"]}
    settings = DateSettings(**asked)
    assert column.unseen_parts(DateStatistics.of(settings, values)) == {"month": {3: 1}}


def test_hours_count_seconds_in_utc() -> None:
    moment = datetime(2020, 5, 17, 23, 59, 59, tzinfo=UTC)
    moments = pa.array([moment, moment + timedelta(seconds=1)], pa.timestamp("s"))
    column = learnt(moments, parts=["hour", "days"])
    assert column.unit == "seconds"
    assert encoded(column, moments) == {"d[hour]": [23, 0], "d[days]": [18_399, 18_400]}


def test_a_column_without_a_date() -> None:
    with pytest.raises(EmptyColumnError):
        learnt(days(None, None))
