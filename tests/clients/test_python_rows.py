"""The Python client takes rows in many forms, and names the mistake in others."""

import unicodedata
import warnings
from pathlib import Path
from typing import Any

import abline_client
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from conftest import job, make


@pytest.fixture
def model(models: Path) -> abline_client.Model:
    return abline_client.load(models)


def test_columns_come_in_any_order_and_more_of_them(model: abline_client.Model) -> None:
    rows = [[70.0, 12.0, 3.0], [35.5, 40.0, 1.0]]
    named = {"id": ["a", "b"], "rooms": [3, 1], "size": [70.0, 35.5], "age": [12, 40]}
    assert np.array_equal(model.predict(named), model.predict(rows))


def test_tables_of_other_libraries_go_by_their_names(model: abline_client.Model) -> None:
    named = {"rooms": [3.0, 1.0], "age": [12.0, 40.0], "size": [70.0, 35.5]}
    right = model.predict(named)
    assert np.array_equal(model.predict(pa.table(named)), right)
    with pytest.warns(UserWarning, match="float64 is rounded") as said:
        assert np.array_equal(model.predict(pd.DataFrame(named)), right)
    assert [Path(each.filename) for each in said] == [Path(__file__)]


def test_arrays_are_taken_as_they_are(model: abline_client.Model) -> None:
    x = np.array([[70, 12, 3]], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        right = model.predict(x)
        assert np.array_equal(model.predict(x, check=False), right)
        assert np.array_equal(model.predict(np.asfortranarray(x)), right)
        assert model.predict(np.empty((0, 3), np.float32)).shape == (0, 1)
        assert model.predict([]).shape == (0, 1)
        huge = np.full((1, 3), 3e38, np.float32)  # its squares are infinite, but not it
        assert model.predict(huge).shape == (1, 1)


def test_float64_is_rounded_and_that_is_said_once(model: abline_client.Model) -> None:
    x = np.array([[0.1, 0.2, 0.3]])
    with pytest.warns(UserWarning, match="float64 is rounded to the model's float32") as said:
        first, again = (model.predict(x) for _ in range(2))
    assert len(said) == 1
    assert np.array_equal(first, again)
    assert Path(said[0].filename) == Path(__file__)
    assert np.array_equal(first, model.predict(x.astype(np.float32)))


def test_integers_that_are_rounded_are_named(model: abline_client.Model) -> None:
    model.predict([[2**24, 0, 0]])
    with pytest.warns(UserWarning, match="integers are rounded to the model's float32"):
        model.predict({"size": [2**24 + 1], "age": [0], "rooms": [0]})


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([70.0, 12.0, 3.0], "found 1 dimension; .* a single row is ..size, age, rooms..$"),
        (5.0, "found 0 dimensions"),
        ([[1.0, 2.0]], "found rows of 2 numbers; the model has 3 features: size, age, rooms"),
        ([[1.0, 2.0, "3"]], "the rows: must be numbers, found text"),
        ([[1.0, 2.0, None]], "the rows: must be numbers, found something else, such as null"),
        (
            np.ma.array([[1.0, 2.0, 999.0]], mask=[[False, False, True]]),
            "the rows: found masked values; fill",
        ),
        ([[True, False, True]], "the rows: must be numbers, found booleans"),
        ([[1.0, 2.0], [1.0]], "the rows: not all of one length"),
        ([[1.0, 2.0, float("nan")]], "row 0, rooms: found nan$"),
        ([[1, 2, 3], [1, float("-inf"), 3], [np.nan, 1, 1]], "row 1, age: found -inf .1 more"),
        ([[1.0, 2.0, 1e39]], "the rows: 1e.39 is beyond float32"),
        ({"size": [1.0], "age": [2.0]}, "there is no column rooms; found size, age"),
        ({"size": [1.0], "age": [2.0], "rooms": ["3"]}, 'column "rooms": must be numbers'),
        ({"size": [1.0], "age": [2.0], "rooms": [3.0, 4.0]}, "column rooms: .* one length"),
        ({"size": 1.0, "age": 2.0, "rooms": 3.0}, "column size: must be a list, found a single"),
        ({"size": [1.0], "age": [2.0], "Rooms": [3.0]}, "is Rooms meant for rooms.$"),
        ([{"size": 1, "age": 2, "romms": 3}], "row 0: there is no column rooms.*; is romms meant"),
        ([{"size": 1, "age": 2, "rooms": 3}, {}], "row 1: there are no columns size, age, rooms"),
        ([{"size": 1, "age": 2, "rooms": 3}, [1]], "row 1: must be values by name, found .1.$"),
        ([{"size": 1, "age": None, "rooms": 3}], "row 0, age: must be a number, found None"),
        ([{"size": 1, "age": True, "rooms": 3}], "row 0, age: must be a number, found True"),
        ([{"size": 1, "age": "2", "rooms": 3}], "row 0, age: must be a number, found '2'"),
        ([{"size": 1, "age": 10**400, "rooms": 3}], "row 0, age: 10+ is beyond float32"),
        ([{"size": 1, "age": float("nan"), "rooms": 3}], "row 0, age: found nan"),
        ({"a\x1b[31m": [1.0]}, r"found a.x1b.31m"),
    ],
)
def test_rows_that_it_cannot_answer(model: abline_client.Model, rows: Any, message: str) -> None:
    with pytest.raises(abline_client.InputError, match=message):
        model.predict(rows)


def test_records_are_rows_by_name(model: abline_client.Model) -> None:
    records: list[dict[str, Any]] = [
        {"rooms": 3, "id": "a", "age": 12, "size": 70.0},
        {"size": 35.5, "age": 40, "rooms": 1},
    ]
    right = model.predict([[70.0, 12.0, 3.0], [35.5, 40.0, 1.0]])
    assert np.array_equal(model.predict(records), right)
    assert np.array_equal(model.predict(pd.DataFrame(records).to_dict("records")), right)
    assert model.in_range(records).shape == (2,)


def test_one_is_singular(workspace: Path) -> None:
    make(job())
    with pytest.raises(
        abline_client.InputError, match="rows of 2 numbers; the model has 1 feature: "
    ):
        abline_client.load("models").predict([[1.0, 2.0]])


def test_names_that_only_look_alike_are_told(workspace: Path) -> None:
    make(job(data__features=["größe"]))
    rows = {unicodedata.normalize("NFD", "größe"): [1.0]}
    with pytest.raises(abline_client.InputError, match="looks the same but is written with other"):
        abline_client.load("models").predict(rows)
