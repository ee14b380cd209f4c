"""The numbers of terms are right to the last bit where one rounding makes them."""

import math
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from term_plans import FEATURES, TERMS, learnt, plan_of_every_term, rows_of_every_kind

from pipeline.columns.category import MISSING, RARE
from pipeline.columns.plan import Plan

ROWS = rows_of_every_kind()


def columns(plan: Plan, rows: pa.Table = ROWS) -> dict[str, NDArray[np.float64]]:
    x, refused = plan.encode(rows)
    assert not refused.any()
    return dict(zip(plan.encoded_names, x.T, strict=True))


def raw(name: str) -> NDArray[Any]:
    return np.array(ROWS.column(name).to_pylist())


def test_each_number_is_that_of_its_formula() -> None:
    plan = plan_of_every_term()
    x = columns(plan)
    area, rooms = raw("area"), raw("rooms")
    age = raw("age")
    age = np.where(np.isnan(age), plan.column("age").model_dump()["fill"], age)
    np.testing.assert_allclose(x["log(area)"], [math.log(each) for each in area], rtol=2e-16)
    np.testing.assert_array_equal(x["sqrt(rooms)"], [math.sqrt(each) for each in rooms])
    np.testing.assert_array_equal(x["age^2"], age * age)
    np.testing.assert_array_equal(x["rooms^3"], [int(each) ** 3 for each in rooms])
    np.testing.assert_array_equal(x["area:age"], area * age)
    days = [day.toordinal() - 719_163 for day in ROWS.column("sold").to_pylist()]
    np.testing.assert_allclose(x["log(sold[days])"], np.log(days), rtol=2e-16)


def test_a_product_with_levels_is_the_number_in_their_rows() -> None:
    x = columns(plan_of_every_term())
    heating, rooms = raw("heating"), raw("rooms")
    # rooms itself is taken out, so that the reference level has a number, too.
    for level in ("gas", "oil", "größe"):
        expected = np.where(heating == level, rooms, 0)
        np.testing.assert_array_equal(x[f"heating[{level}]:rooms"], expected)
    roof, town = raw("roof"), raw("town")
    roofs = {MISSING: "", "steep": "steep"}
    towns = {"west": "west", "b": "b", "c:d[e]": "c:d[e]", RARE: "rare"}
    made = {name for name in x if name.startswith("roof[") and ":town[" in name}
    assert len(made) == 2 * 3
    for label, text in roofs.items():
        for town_label, town_text in towns.items():
            if (name := f"roof[{label}]:town[{town_label}]") in made:
                np.testing.assert_array_equal(x[name], (roof == text) & (town == town_text))


def test_what_a_column_refuses_every_term_of_it_refuses() -> None:
    plan = learnt(ROWS, FEATURES, ["heating:rooms", "area:age", "heating:town"])
    coal = np.array(["coal"] * 3).tolist()
    place = ROWS.schema.get_field_index("heating")
    rows = ROWS.slice(0, 3).set_column(place, "heating", pa.chunked_array([coal]))
    x, refused = plan.encode(rows)
    assert refused.all()
    of_heating = [name.startswith("heating") for name in plan.encoded_names]
    assert np.isnan(x[:, of_heating]).all()
    assert not np.isnan(x[:, plan.encoded_names.index("area:age")]).any()


def test_a_row_without_a_logarithm_is_refused_and_not_in_range() -> None:
    plan = learnt(ROWS, FEATURES, ["log(area)", "age^2"])
    place = ROWS.schema.get_field_index("area")
    area = pa.chunked_array([[0.0, -1.0, 1e-300, 50.0]])
    rows = ROWS.slice(0, 4).set_column(place, "area", area)
    x, refused = plan.encode(rows)
    assert refused.tolist() == [True, True, False, False]
    assert not np.isfinite(x[:2, plan.encoded_names.index("log(area)")]).any()


def test_an_hour_beyond_the_knots_is_not_in_range() -> None:
    plan = learnt(ROWS, FEATURES, ["spline(seen[hour], 3)"])
    assert plan.in_range(ROWS).all()
    place = ROWS.schema.get_field_index("seen")
    seen = pa.array([1_600_000_000 // 86_400 * 86_400 + hour * 3600 for hour in (3, 12, 23)])
    rows = ROWS.slice(0, 3).set_column(place, "seen", pa.chunked_array([seen.cast("timestamp[s]")]))
    assert plan.in_range(rows).tolist() == [False, True, False]
    assert not plan.encode(rows)[1].any(), "they are answered, on the straight line"


def test_blocks_of_rows_have_the_numbers_of_all_rows() -> None:
    plan = learnt(ROWS, FEATURES, TERMS)
    whole, _ = plan.encode(ROWS)
    parts = [plan.encode(ROWS.slice(at, 77))[0] for at in range(0, 400, 77)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_products_of_levels_are_exact_and_logs_of_float32_as_uncertain_as_it() -> None:
    plan = plan_of_every_term()
    assert "roof[steep]:town[west]" in plan.exact
    assert "heating[gas]:sold[month=1]" in plan.exact
    assert not {"heating[gas]:rooms", "area:age", "log(area)", "spline(age, 4)[1]"} & plan.exact
    schema = ROWS.schema.set(0, pa.field("area", pa.float32()))
    assert plan.float32(schema, []) == {"log(area)"}
