"""A model of raw columns answers a table, and says which rows it refuses and why."""

import math
from pathlib import Path
from typing import Any

import abline_client
import numpy as np
import pyarrow as pa
import pytest
from answered_tables import answered, read, write
from raw_column_models import price, write_model

from pipeline.onnx_model import text_codes
from pipeline.settings.errors import UserError

ROWS: dict[str, list[Any]] = {
    "area": [50.5, 90.0, 10.0, 50.0, None, 50.0, 50.0],
    "rooms": [3.0, None, 1.0, 2.0, 2.0, 2.0, 2.0],
    "heating": ["gas", "Wärme", "oil", "coal", "gas", "", "gas"],
    "district": ["north", "", "an odd one", "north", "north", "north", "north"],
    "sold": ["1970-01-03", "1971-12-03", "1970-01-01", *["1970-01-03"] * 3, "1970-01-04"],
}
DAYS = [2, 701, 0]
RIGHT = [
    price(
        {name: math.nan if values[row] is None else values[row] for name, values in ROWS.items()}
        | {"sold": DAYS[row]}
    )
    for row in range(3)
]


@pytest.fixture(params=["codes", "texts"])
def model(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of a model, which is asked by codes or by texts."""
    if request.param == "texts":
        monkeypatch.setattr(text_codes, "coded", lambda _: None)
    return write_model(tmp_path / "model", ("price", "rent"))


@pytest.mark.parametrize("kind", ["csv", "parquet", "dictionary"])
def test_raw_rows_are_answered(kind: str, model: Path, tmp_path: Path) -> None:
    columns: dict[str, Any] = dict(ROWS)
    if kind != "csv":
        columns["sold"] = np.array(ROWS["sold"], "M8[D]").astype("M8[s]")
        columns["heating"] = pa.array([text or None for text in ROWS["heating"]])
    if kind == "dictionary":
        columns["heating"] = columns["heating"].dictionary_encode()
    rows = write(tmp_path / ("rows.csv" if kind == "csv" else "rows.parquet"), **columns)
    told = answered(model, rows, tmp_path / "out.parquet")
    table = read(tmp_path / "out.parquet").to_pydict()
    assert table["price"] == [*RIGHT, None, None, None, None]
    assert table["rent"] == [2 * right for right in RIGHT] + [None] * 4
    assert (told.rows, told.refused, told.outside) == (7, 4, 1)
    places = ("line {}", 2) if kind == "csv" else ("row {}", 1)
    warning, outside = [line for line in told.notes() if line.startswith("warning")]

    def place(row: int) -> str:
        return "(1, in " + places[0].format(row + places[1]) + ")"

    assert warning == (
        "warning: 4 of 7 rows have no answer, and get an empty field:"
        f' "area" is missing {place(4)};'
        f' "heating" is missing {place(5)};'
        f' "heating" has a level that no training row has, such as "coal" {place(3)};'
        f' "sold" has a weekday that no training row has, such as "{ROWS["sold"][6]}'
        f'{"" if kind == "csv" else " 00:00:00"}" {place(6)}'
    )
    assert outside.endswith("error of the answers is unknown: district (1)")


def test_the_answers_are_those_of_the_client(model: Path, tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    count = 70_000
    columns = {
        "area": random.uniform(10, 90, count).astype("f4"),
        "rooms": random.integers(1, 5, count),
        "heating": random.choice(["gas", "oil", "Wärme"], count),
        "district": random.choice(["north", "centre", "", "x"], count),
        "sold": random.choice([0, 1, 2], count).astype("M8[D]"),
    }
    rows = write(tmp_path / "rows.parquet", **columns)
    told = answered(model, rows, tmp_path / "out.parquet")
    right = abline_client.load(model).predict(columns)
    table = read(tmp_path / "out.parquet")
    assert np.array_equal(np.array(table["price"]), right[:, 0])
    assert np.array_equal(np.array(table["rent"]), right[:, 1])
    assert told.refused == 0


def test_a_value_of_another_kind_is_no_gap_to_fill(model: Path, tmp_path: Path) -> None:
    """A gap in rooms is filled, but "many" is no gap."""
    text = "area,rooms,heating,district,sold\n50,many,gas,north,1970-01-03\n"
    text += "50,,gas,north,1970-01-03\n50,1,gas,north,soon\n50,inf,gas,north,1970-01-03\n"
    (tmp_path / "rows.csv").write_text(text)
    told = answered(model, tmp_path / "rows.csv", tmp_path / "out.parquet")
    y = read(tmp_path / "out.parquet").to_pydict()["price"]
    assert [value is None for value in y] == [True, False, True, True]
    (warning,) = [line for line in told.notes() if "empty field" in line]
    assert '"rooms" is no finite number, such as "many", "inf" (2, in lines 2, 5)' in warning
    assert '"sold" is no date, such as "soon" (1, in line 4)' in warning


def test_strict_names_all_reasons(model: Path, tmp_path: Path) -> None:
    rows = write(tmp_path / "rows.csv", **ROWS)
    with pytest.raises(UserError) as refused:
        answered(model, rows, tmp_path / "out.csv", strict=True)
    told = str(refused.value)
    assert told.startswith(f"{rows}: 4 of 7 rows cannot be answered: ")
    for name in ("area", "heating", "sold"):
        assert f'"{name}"' in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "rows.csv"]
