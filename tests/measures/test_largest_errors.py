"""The rows with the largest errors are told by their raw values, as the table has them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
from mixed_tables import mixed_plan, mixed_rows, number_plan
from plotted import measured
from raw_plans import a_plan, date

from pipeline.measures import largest_errors
from pipeline.tables import source_numbers


def test_encoded_rows_are_told_by_their_raw_values() -> None:
    rows = mixed_rows()
    plan = mixed_plan(rows)
    encoded, refused = plan.encode(rows)
    assert not refused.any()
    told = [largest_errors.values(plan, row) for row in encoded]
    for place, raw in enumerate(rows.to_pylist()):
        area, age, heating, district, sold = told[place]
        assert area == raw["area"]
        assert age == (None if np.isnan(raw["age"]) else raw["age"])
        assert heating == (raw["heating"] or "(missing)")
        assert district == ("(rare)" if place == 5 else raw["district"])
        assert sold == raw["sold"].isoformat(), "its days tell the month, too"


def test_a_date_without_its_days_is_told_by_its_parts() -> None:
    plan = a_plan(date("sold", "month", "weekday", "year"))
    names = [*plan.encoded_names]
    row = np.zeros(len(names))
    row[names.index("sold[month=7]")] = 1
    row[names.index("sold[year]")] = 1999
    assert largest_errors.values(plan, row) == ["month 7, weekday 3, year 1999"]


def test_the_largest_errors_come_first_with_their_places(tmp_path: Path) -> None:
    plan = number_plan(["x"])
    rows = np.array([[1.0, 1.0], [2.0, 5.0], [4.0, 3.0]])
    split = measured(rows, 1, lambda x: x)
    numbers = tmp_path / "numbers.parquet"
    with source_numbers.writer(["a.csv", "b.csv"], numbers) as file:
        file.write(pa.chunked_array([[4, 9]], pa.int64()), "a.csv")
        file.write(pa.chunked_array([[2]], pa.int64()), "b.csv")
    assert [*largest_errors.rows(plan, ["y"], split, held_out=True, numbers=numbers)] == [
        ["y", "held out", "a.csv", 9, 5.0, 2.0, 3.0, 2.0],
        ["y", "held out", "b.csv", 2, 3.0, 4.0, -1.0, 4.0],
        ["y", "held out", "a.csv", 4, 1.0, 1.0, 0.0, 1.0],
    ]
    # Of rows that stay where they are it is not known.
    assert next(largest_errors.rows(plan, ["y"], split, held_out=False, numbers=None)) == [
        *["y", "training", None, None, 5.0, 2.0, 3.0, 2.0]
    ]
    assert largest_errors.header(["error"])[-1] == "column error"
