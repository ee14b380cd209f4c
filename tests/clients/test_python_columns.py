"""The Python client takes raw columns in many forms, and names every mistake in others."""

import datetime as dt
import math
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import abline_client
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from abline_client._raw_columns import RawColumns
from raw_column_models import price, write_model

ROWS: list[dict[str, Any]] = [
    {"area": 50.5, "rooms": 3.0, "heating": "gas", "district": "north", "sold": 2},
    {"area": 90.0, "rooms": math.nan, "heating": "Wärme", "district": "", "sold": 701},
    {"area": 10.0, "rooms": 1.0, "heating": "oil", "district": "an odd one", "sold": 0},
]
RIGHT = [price(row) for row in ROWS]
DAYS = [dt.date(1970, 1, 1) + dt.timedelta(row["sold"]) for row in ROWS]
RECORDS = [row | {"sold": day, "id": 7} for row, day in zip(ROWS, DAYS, strict=True)]
COLUMNS = {name: [record[name] for record in RECORDS] for name in reversed(RECORDS[0])}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> abline_client.Model:
    return abline_client.load(write_model(tmp_path_factory.mktemp("model")))


def answers(model: abline_client.Model, rows: Any) -> list[float]:
    y = model.predict(rows)
    assert y.shape == (len(y), 1)
    assert y.dtype == np.float32
    values: list[float] = y[:, 0].tolist()
    return values


class Polars:
    """A table as polars has it: names in `columns`, and columns that NumPy can read."""

    columns = tuple(COLUMNS)

    def __getitem__(self, name: str) -> Any:
        return np.array(COLUMNS[name], object)


def arrow() -> pa.Table:
    table = pa.table(COLUMNS)
    coded = table["heating"].dictionary_encode()
    return table.set_column(table.column_names.index("heating"), "heating", coded)


def frame() -> pd.DataFrame:
    table = pd.DataFrame(COLUMNS)
    table["sold"] = pd.to_datetime(table["sold"])
    table["heating"] = table["heating"].astype("category")
    table["district"] = table["district"].astype("string").replace("", pd.NA)
    return table


@pytest.mark.parametrize(
    "rows",
    [
        RECORDS,
        COLUMNS,
        {name: np.array(values, object) for name, values in COLUMNS.items()},
        Polars(),
        arrow(),
        frame(),
        frame().astype({"rooms": "Float64", "area": "float32"}),
        frame().to_dict("records"),
    ],
    ids=["records", "lists", "objects", "polars", "arrow", "pandas", "nullable", "frame's records"],
)
@pytest.mark.filterwarnings("ignore:float64 is rounded")
def test_rows_come_by_name_in_many_forms(model: abline_client.Model, rows: Any) -> None:
    assert answers(model, rows) == RIGHT
    assert model.in_range(rows).tolist() == [True, False, True]


def test_a_row_alone_is_answered_as_among_others(model: abline_client.Model) -> None:
    """It goes another way through the client."""
    for record, right, inside in zip(RECORDS, RIGHT, [True, False, True], strict=True):
        assert answers(model, [record]) == [right]
        assert model.in_range([record]).tolist() == [inside]


@pytest.mark.parametrize(
    ("name", "gap"),
    [(name, gap) for name in ("rooms", "district") for gap in (None, math.nan, "", pd.NA, pd.NaT)],
)
def test_gaps(model: abline_client.Model, name: str, gap: Any) -> None:
    right = price(ROWS[0] | {name: math.nan if name == "rooms" else ""})
    record = RECORDS[0] | {name: gap}
    assert answers(model, [record]) == [right]
    assert answers(model, [record, RECORDS[0]]) == [right, RIGHT[0]]


SATURDAY = price(ROWS[0])


@pytest.mark.parametrize(
    "moment",
    [
        dt.date(1970, 1, 3),
        dt.datetime(1970, 1, 3, 23, 59, 59),
        dt.datetime(1970, 1, 2, 23, 30, tzinfo=dt.timezone(dt.timedelta(hours=-1))),
        np.datetime64("1970-01-03"),
        np.datetime64("1970-01-03T10:00:00.5"),
        pd.Timestamp("1970-01-03T10:00"),
        pd.Timestamp("1970-01-03T00:30", tz="Europe/Rome") + pd.Timedelta(hours=1),
        "1970-01-03",
        "1970-01-03T10:00:00Z",
        "1970-01-03 10:00",
    ],
)
def test_dates(model: abline_client.Model, moment: Any) -> None:
    record = RECORDS[0] | {"sold": moment}
    assert answers(model, [record]) == [SATURDAY]
    assert answers(model, [record, record]) == [SATURDAY, SATURDAY]


def test_dates_before_1970_are_rounded_down(model: abline_client.Model) -> None:
    """The second before is the day before."""
    for moment in (np.datetime64("1969-12-31T23:59:59"), dt.datetime(1969, 12, 31, 23, 59, 59)):
        with pytest.raises(abline_client.InputError, match="found 1969-12-31, weekday 3"):
            model.predict([RECORDS[0] | {"sold": moment}])


@pytest.mark.parametrize(
    ("levels", "moment", "message"),
    [
        ({}, np.datetime64("NaT"), "found no date"),
        ({"month": [1]}, np.datetime64(10**12, "D"), "month 12, which no training row has"),
    ],
)
def test_a_date_alone_is_refused_as_among_others(
    levels: dict[str, list[int]], moment: np.datetime64, message: str
) -> None:
    entry = {"name": "sold", "kind": "date", "dtype": "int64", "unit": "days", "missing_rows": 0}
    columns = RawColumns([entry | {"levels": levels, "min": 0, "max": 9}])
    for rows in ([{"sold": moment}], [{"sold": moment}] * 2):
        with pytest.raises(abline_client.InputError, match=message):
            columns.feed(rows)


def test_numbers_of_a_category_are_texts(tmp_path: Path) -> None:
    """A table's reader makes integers, floats or truth values of a column of levels."""
    model = abline_client.load(write_model(tmp_path, heating=["true", "3", "2.5", "1", "1.0"]))

    def heating(values: Any) -> list[str]:
        columns = {name: [RECORDS[0][name]] * len(values) for name in COLUMNS}
        y = answers(model, columns | {"heating": values})
        order = ["true", "3", "2.5", "1", "1.0"]
        return [order[round((each - SATURDAY) / 1000)] for each in y]

    assert heating([True, 3, 3.0, 2.5, np.int8(3)]) == ["true", "3", "3", "2.5", "3"]
    assert heating(np.array([True])) == ["true"]
    assert heating(pd.Series([3, 1], dtype="Int64")) == ["3", "1"]
    assert heating(np.array([3.0, 2.5])) == ["3", "2.5"]
    with pytest.raises(abline_client.InputError, match="must be text, found the number 1.0; known"):
        heating([1.0])  # two levels could be meant


BAD = {"area": "5", "rooms": True, "heating": "Gas", "district": ["x"], "sold": "1970-01-05"}


@pytest.mark.parametrize("form", [lambda r: r, lambda r: {k: [x[k] for x in r] for k in r[0]}])
def test_the_mistakes_of_all_columns_are_one_message(
    model: abline_client.Model, form: Callable[[Any], Any]
) -> None:
    with pytest.raises(abline_client.InputError) as refused:
        model.predict(form([ROWS[0] | {"sold": DAYS[0]}, BAD, BAD]))
    assert str(refused.value).splitlines() == [
        "row 1, area: must be a number, found '5' (1 more row like it)",
        "row 1, rooms: must be a number, found True (1 more row like it)",
        "row 1, heating: found 'Gas', which no training row has; known are gas, oil, Wärme; is gas"
        " meant for Gas? (1 more row like it)",
        "row 1, district: must be text, found ['x'] (1 more row like it)",
        "row 1, sold: found 1970-01-05, weekday 1, which no training row has; known are 4, 5, 6"
        " (1 more row like it)",
    ]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"area": None}, "row 0, area: found no value, and the model was made without a fill"),
        ({"area": math.inf}, "row 0, area: found an infinite number$"),
        ({"area": 1e39}, r"row 0, area: 1e\+39 is beyond float32$"),
        ({"area": 10**400}, "row 0, area: 10+ is beyond float32$"),
        ({"heating": None}, "row 0, heating: found no value, and the model was made without a lev"),
        ({"heating": "Wa\u0308rme"}, "W.*rme looks the same but is written with other ch"),
        ({"heating": "gas "}, "found 'gas ', which no training row has; known are gas"),
        ({"heating": b"gas"}, "must be text, found b'gas'$"),
        (
            {"heating": math.inf},
            "row 0, heating: must be text, found the number inf; known are gas",
        ),
        ({"district": "\ud800"}, r"row 0, district: found '.ud800', which is no Unicode text$"),
        ({"sold": None}, "row 0, sold: found no date, and the model was made without gaps here$"),
        ({"sold": 2}, "row 0, sold: must be a date or an ISO text, found 2$"),
        ({"sold": "3/1/1970"}, "row 0, sold: must be a date or an ISO text, found '3/1/1970'$"),
        ({"sold": "1970-02-31"}, "row 0, sold: must be a date or an ISO text"),
    ],
)
def test_a_row_that_it_cannot_answer(
    model: abline_client.Model, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(abline_client.InputError, match=message):
        model.predict([RECORDS[0] | change])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[1.0, 2.0, "gas", "north", 2]], r"rows go by name, .* found \[1.0, 2.0, 'gas'"),
        (
            np.zeros((2, 5)),
            "rows go by name, because columns have kinds: records, .* found ndarray",
        ),
        (ROWS[0], "column area: must be a list, found a single value, 50.5\ncolumn rooms: "),
        ([{"area": 1, "romms": 2}], "row 0: there are no columns rooms, .*; is romms meant for ro"),
        (COLUMNS | {"area": [1.0]}, "columns are lists of one length, found area 1, rooms 3,"),
        (COLUMNS | {"area": [[1.0]] * 3}, r"row 0, area: must be a number, found \[1.0\]"),
        (COLUMNS | {"area": np.ones((3, 1))}, "column area: must be a list, found 2 dimensions"),
        (COLUMNS | {"area": np.array(["1"] * 3)}, "column area: must be numbers, found text"),
        (COLUMNS | {"heating": np.array(["2020"] * 3, "M8[D]")}, "heating: must be text, found d"),
        (COLUMNS | {"sold": [1, 2, 3]}, "row 0, sold: must be a date or an ISO text, found 1 .2 m"),
        (COLUMNS | {"sold": np.arange(3)}, "column sold: must be dates or ISO texts, found int64"),
    ],
)
def test_rows_in_a_wrong_form(model: abline_client.Model, rows: Any, message: str) -> None:
    with pytest.raises(abline_client.InputError, match=message):
        model.predict(rows)


def test_no_rows_have_no_answers(model: abline_client.Model) -> None:
    empty: tuple[Any, ...] = ([], {name: [] for name in COLUMNS}, pa.table(COLUMNS)[:0])
    for rows in empty:
        assert model.predict(rows).shape == (0, 1)
        assert model.in_range(rows).shape == (0,)


def test_zero_bytes_are_part_of_a_text(model: abline_client.Model) -> None:
    with pytest.raises(abline_client.InputError, match=r"found 'gas.x00', which no training row"):
        model.predict([RECORDS[0] | {"heating": "gas\0"}] * 2)


def test_arrays_are_passed_on_unchecked(model: abline_client.Model) -> None:
    feed = {
        "area": np.array([50.5, np.nan], np.float32),
        "rooms": np.array([3, 3], np.float32),
        "heating": np.array(["gas", "gas"], object),
        "district": np.array(["north", "north"], object),
        "sold": np.array([2, 2]),
    }
    y = model.predict(feed, check=False)[:, 0]
    assert y[0] == SATURDAY
    assert np.isnan(y[1])
    (by_name,) = model.answers(feed, check=False).values()
    assert np.array_equal(by_name[:, 0], y, equal_nan=True)


def test_every_target_has_a_column(tmp_path: Path) -> None:
    model = abline_client.load(write_model(tmp_path, ("price", "rent")))
    assert model.targets == ("price", "rent")
    assert model.features == ("area", "rooms", "heating", "district", "sold")
    assert model.predict(RECORDS).tolist() == [[right, 2 * right] for right in RIGHT]
    assert [y.shape for y in model.answers(RECORDS).values()] == [(3, 1), (3, 1)]
    proof = model.conformance()
    assert (proof.ok, proof.vectors, proof.bit_equal) == (True, 6, 6)


def test_it_can_be_pickled(model: abline_client.Model) -> None:
    assert answers(pickle.loads(pickle.dumps(model)), RECORDS) == RIGHT
