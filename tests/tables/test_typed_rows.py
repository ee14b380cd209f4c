"""Columns of numbers, categories and dates have the types that the settings ask for."""

# ruff: noqa: E501 - a table of messages reads best one to a line

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from conftest import job
from own_tables import put

from pipeline.settings.errors import UserError
from pipeline.tables import raw_table
from pipeline.tables.raw_table import RawTable

NAN = float("nan")
MIXED = {
    "area": {"kind": "number", "missing": "mean"},
    "heating": {"kind": "category", "missing": "level"},
    "sold": {"kind": "date", "missing": "drop_row"},
}


def table(features: dict[str, Any], path: str = "data/raw/t.csv", **data: Any) -> RawTable:
    """Return a user's table with the target y."""
    settings = {f"data__{name}": value for name, value in data.items()}
    asked = {"data__targets": ["y"], "data__features": features, "evaluate__queries": []}
    return raw_table.find(job(data__source=path, **(asked | settings)).data)


def rows(raw: RawTable) -> dict[str, list[Any]]:
    """Return all rows of a table by column."""
    blocks = list(raw.rows())
    assert all(block.schema.equals(raw.row_schema) for block in blocks)
    columns: dict[str, list[Any]] = pa.concat_tables(blocks).to_pydict()
    return columns


def test_a_csv_has_typed_rows_and_drops_some(workspace: Path) -> None:
    put(
        "y,sold,heating,area,other\n"
        '1, 2019-03-01 ," gas ",NA,\xe9\n'
        "2,NA,oil,3,\n"
        "3,1969-12-31,?,4.5,\n"
        "NA,2020-02-29,oil,5,\n"
    )
    raw = table(MIXED, drop_rows="missing_target")
    assert str(rows(raw)) == str(
        {
            "sold": [date(2019, 3, 1), date(1969, 12, 31)],
            "heating": ["gas", ""],
            "area": [NAN, 4.5],
            "y": [1.0, 3.0],
        }
    )
    assert raw.dropped == {"sold": 1, "y": 1}
    assert raw.excluded == ("other",)


@pytest.mark.parametrize(
    ("form", "texts", "days"),
    [
        (None, ["2019-03-01", "0001-01-01", "9999-12-31", "2019-03-01T23:59:59.9", "2019-03-01 23:00:00-02:00", "2019-03-01 00:30Z"], [17956, -719162, 2932896, 17956, 17957, 17956]),
        ("%d/%m/%Y", ["1/3/2019", "28/02/1900"], [17956, -25509]),
        ("%m/%d/%y %H:%M", ["3/1/19 10:30"], [17956]),
    ],
)  # fmt: skip
def test_dates(workspace: Path, form: str | None, texts: list[str], days: list[int]) -> None:
    put("d,y\n" + "".join(f"{text},1\n" for text in texts))
    raw = table({"d": {"kind": "date", "format": form}})
    known = rows(raw)["d"]
    assert [(each - date(1970, 1, 1)).days for each in known] == days


def test_hours_need_seconds(workspace: Path) -> None:
    put("d,y\n2019-03-01 10:30:59.9,1\n1969-12-31T23:59:59.5+01:00,1\n2019-03-01,1\n")
    raw = table({"d": {"kind": "date", "parts": ["hour"]}})
    assert raw.row_schema.field("d").type == pa.timestamp("s")
    assert rows(raw)["d"] == [
        datetime(2019, 3, 1, 10, 30, 59),
        datetime(1969, 12, 31, 22, 59, 59),
        datetime(2019, 3, 1),
    ]


@pytest.mark.parametrize("text", ["2019-02-31", "0000-01-01", "10000-01-01", "1/3/2019", "x"])
def test_dates_that_are_none(workspace: Path, text: str) -> None:
    put(f"d,y\n2019-03-01,1\n2019-03-02,1\n{text},1\n")
    with pytest.raises(UserError) as caught:
        rows(table({"d": "date"}))
    told = f'data/raw/t.csv:4: "d" is "{text}"; must be a date as ISO 8601 writes it\n    correct the line in "d"'
    assert str(caught.value).startswith(told)


def test_digits_of_a_date_that_may_be_divided_in_two_ways_are_refused(workspace: Path) -> None:
    put("d,y\n20190304,1\n20190305,2\n2019111,3\n")
    with pytest.raises(UserError, match='t.csv:4: "d" is "2019111"; must be a date as %Y%m%d'):
        rows(table({"d": {"kind": "date", "format": "%Y%m%d"}}))


def test_parquet_types(workspace: Path) -> None:
    zone = timezone(timedelta(hours=2))
    moment = datetime(2019, 3, 1, 0, 30, tzinfo=zone)
    columns: dict[str, Any] = {
        "bool": pa.array([True, None]),
        "integer": pa.array([7, None]),
        "whole": pa.array([7.0, None]),
        "text": pa.array([" NA ", "NA"], pa.large_string()),
        "levels": pa.array(["b", None]).dictionary_encode(),
        "decimal": pa.array([Decimal("0.1"), None]),
        "single": pa.array([0.1, None], pa.float32()),
        "stamp": pa.array([moment, None], pa.timestamp("ns", "Europe/Athens")),
        "date64": pa.array([date(1960, 1, 1), None], pa.date64()),
        "y": pa.array([1, 2], pa.int8()),
    }
    put(pa.table(columns), "t.parquet")
    category = {"kind": "category", "missing": "level"}
    number = {"kind": "number", "missing": 0.0}
    day = {"kind": "date", "missing": "drop_row"}
    names = ("bool", "integer", "whole", "text", "levels")
    asked = dict.fromkeys(names, category) | {"decimal": number, "single": number}
    raw = table(asked, "data/raw/t.parquet")
    single = pa.scalar(0.1, pa.float32()).as_py()
    assert str(rows(raw)) == str(
        {
            "bool": ["true", ""],
            "integer": ["7", ""],
            "whole": ["7", ""],
            "text": [" NA ", "NA"],
            "levels": ["b", ""],
            "decimal": [0.1, NAN],
            "single": [single, NAN],
            "y": [1.0, 2.0],
        }
    )
    raw = table({"stamp": day, "date64": day}, "data/raw/t.parquet")
    assert rows(raw) == {
        "date64": [date(1960, 1, 1)],
        "stamp": [moment.astimezone(UTC).date()],
        "y": [1.0],
    }
    assert raw.dropped == {"stamp": 1}


def test_none_and_a_dash_are_levels_among_texts_and_gaps_among_numbers_and_dates(
    workspace: Path,
) -> None:
    put(
        "y,n,c,d\n"
        "1,none,none,2019-03-01\n"
        "2,-,-,None\n"
        "3,.,None,-\n"
        "4,?,NA,2019-03-04\n"
        "5,unknown,unknown,2019-03-05\n"
    )
    kinds = {
        "n": {"kind": "number", "missing": "mean"},
        "c": {"kind": "category", "missing": "level"},
        "d": {"kind": "date", "missing": "drop_row"},
    }
    read = job().data.read.model_dump(mode="json") | {"missing": ["unknown"]}
    assert str(rows(table(kinds, read=read))) == str(
        {
            "n": [NAN, NAN, NAN],
            "c": ["none", "NA", ""],
            "d": [date(2019, 3, 1), date(2019, 3, 4), date(2019, 3, 5)],
            "y": [1.0, 4.0, 5.0],
        }
    )
    put("y,c\n1,none\n2,-\n3,None\n4,NA\n5,null\n6,?\n")
    assert rows(table({"c": kinds["c"]}))["c"] == ["none", "-", "None", "", "", ""]


def test_a_number_for_a_gap_is_found_in_columns_of_single_precision(workspace: Path) -> None:
    put(pa.table({"n": pa.array([-999.9, 1.5], pa.float32()), "y": [1.0, 2.0]}), "t.parquet")
    read = job().data.read.model_dump(mode="json") | {"missing": ["-999.9"]}
    asked = {"n": {"kind": "number", "missing": "mean"}}
    assert str(rows(table(asked, "data/raw/t.parquet", read=read))["n"]) == "[nan, 1.5]"
