"""The rows with the largest errors are told by their raw values, as the table has them."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from mixed_tables import mixed_plan, mixed_rows
from plotted import measured
from term_plans import FEATURES, learnt, rows_of_every_kind

from pipeline.columns.queries import cells
from pipeline.measures import largest_errors
from pipeline.settings.errors import UserError
from pipeline.tables import source_numbers


def test_values_are_those_of_the_table(tmp_path: Path) -> None:
    """Of a rare level its name, of a gap nothing; from several row groups."""
    rows = mixed_rows()
    plan = mixed_plan(rows)
    path = tmp_path / "train.parquet"
    pq.write_table(rows, path, row_group_size=6)
    told = largest_errors.values_in(path, plan, [39, 5, 0])
    assert told.keys() == {0, 5, 39}
    for place, values in told.items():
        raw = rows.slice(place, 1).to_pylist()[0]
        area, age, heating, district, sold = values
        assert area == raw["area"]
        assert age == (None if np.isnan(raw["age"]) else raw["age"])
        assert heating == (raw["heating"] or None)
        assert district == raw["district"]
        assert sold == raw["sold"].isoformat()
    assert told[5][3] == "once", "the model knows it as a rare one"
    assert largest_errors.values_of(rows, plan, [39, 5, 0]) == told
    with pytest.raises(UserError, match="it has no row 41; `dvc repro -f generate`"):
        largest_errors.values_in(path, plan, [0, 40])


def test_columns_that_are_only_in_terms_have_their_values() -> None:
    rows = rows_of_every_kind()
    terms = ["log(area)", "-area", "spline(age, 3)", "heating:roof", "-heating"]
    plan = learnt(rows, FEATURES, terms)
    assert not {"area", "age", "heating[oil]"} & {*plan.encoded_names}, "none has its numbers"
    (told,) = largest_errors.values_of(rows, plan, [1]).values()
    row = dict(zip(plan.features, told, strict=True))
    raw = rows.slice(1, 1).to_pylist()[0]
    for name in ("area", "age", "heating"):
        assert row[name] == raw[name]


def test_the_largest_errors_come_first_with_their_places(tmp_path: Path) -> None:
    rows = np.array([[1.0, 1.0], [2.0, 5.0], [4.0, 3.0]])
    split = measured(rows, 1, lambda x: x)
    values = {place: [x] for place, (x, _) in enumerate(rows.tolist())}
    numbers = tmp_path / "numbers.parquet"
    with source_numbers.writer(["a.csv", "b.csv"], numbers) as file:
        file.write(pa.chunked_array([[4, 9]], pa.int64()), "a.csv")
        file.write(pa.chunked_array([[2]], pa.int64()), "b.csv")
    told = largest_errors.rows(["y"], split, lambda _: values, held_out=True, numbers=numbers)
    assert [*told] == [
        ["y", "held out", "a.csv", 9, 5.0, 2.0, 3.0, 2.0],
        ["y", "held out", "b.csv", 2, 3.0, 4.0, -1.0, 4.0],
        ["y", "held out", "a.csv", 4, 1.0, 1.0, 0.0, 1.0],
    ]
    # Of rows that stay where they are it is not known.
    in_place = largest_errors.rows(["y"], split, lambda _: values, held_out=False, numbers=None)
    assert next(in_place) == ["y", "training", None, None, 5.0, 2.0, 3.0, 2.0]
    assert largest_errors.header(["error"])[-1] == "column error"


def test_values_of_a_row_are_those_of_its_own_place() -> None:
    """Read in the order of the places, told in the order of the errors."""
    rows = mixed_rows()
    numbers = np.column_stack([np.arange(40.0), np.random.default_rng(0).normal(size=40)])
    split = measured(numbers, 1, np.zeros_like)
    plan = mixed_plan(rows)
    told = [
        *largest_errors.rows(
            ["y"],
            split,
            lambda places: largest_errors.values_of(rows, plan, places),
            held_out=False,
            numbers=None,
        )
    ]
    every = cells(rows, plan)
    for row, place in zip(told, split.errors.largest[0].places.tolist(), strict=True):
        assert row[len(largest_errors.FIGURES) :] == every[place]
