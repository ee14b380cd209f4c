"""Queries by name or by place become rows of raw columns, or one message says what is wrong."""

from datetime import date
from typing import Any

import pyarrow as pa
import pytest
from mixed_tables import QUERIES, mixed_job, mixed_plan, mixed_rows, number_plan
from term_plans import learnt

from pipeline.columns import queries
from pipeline.columns.plan import Plan
from pipeline.settings.errors import UserError
from pipeline.settings.keys.column_settings import ColumnSettings, DateSettings

PLAN = mixed_plan()
GOOD: dict[str, Any] = QUERIES[0]


SETTINGS = mixed_job().data.columns


def query_table(*asked: Any, plan: Plan = PLAN, **changed: ColumnSettings) -> pa.Table:
    """Return the queries as a table; changed: settings of columns."""
    settings = {name: each for name, each in SETTINGS.items() if plan is PLAN} | changed
    return queries.query_table(asked, plan, settings)


def refusal(*asked: Any, plan: Plan = PLAN) -> str:
    with pytest.raises(UserError) as caught:
        query_table(*asked, plan=plan)
    return str(caught.value)


def test_mappings_become_typed_raw_columns_in_the_order_of_the_features() -> None:
    rows = query_table(*QUERIES)
    assert rows.schema == mixed_rows().select(PLAN.features).schema
    first = {"age": None, "area": 70.0, "heating": "gas", "district": "north"}
    second = {"age": 3.0, "area": 90.5, "heating": None, "district": "new"}
    wanted = [first | {"sold": "2020-01-05"}, second | {"sold": "2020-02-01"}]
    assert queries.cells(rows, PLAN) == [[row[name] for name in PLAN.features] for row in wanted]
    assert not PLAN.encode(rows)[1].any()


def test_numbers_may_be_given_by_place() -> None:
    plan = number_plan(["a", "b"])
    rows = query_table([1.0, 2.0], {"b": 4, "a": 3.0}, plan=plan)
    assert queries.cells(rows, plan) == [[1.0, 2.0], [3.0, 4.0]]
    assert query_table(plan=plan).num_rows == 0
    assert refusal([3.0], plan=plan).startswith(
        "evaluate.queries[0]: found 1 value; must be 2, one"
    )
    by_place = query_table([GOOD[name] for name in PLAN.features])
    assert queries.cells(by_place, PLAN) == queries.cells(query_table(GOOD), PLAN)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"area": None}, ".area: found null; must be a value: "),
        ({"area": "big"}, '.area: found "big"; must be a number'),
        ({"heating": "wood"}, ': "heating" is "wood", which no training row has; must be "gas",'),
        ({"heating": 3.0}, ': "heating" is 3.0, which no training row has'),
        ({"sold": "yesterday"}, '.sold: found "yesterday"; must be a date'),
        ({"sold": None}, ".sold: found null; must be a value: "),
        ({"sold": "2020-07-01"}, ': "sold" is "2020-07-01"; its month or its weekday is in no'),
        ({"aera": 3.0}, ".aera: no such feature"),
    ],
)
def test_a_value_that_cannot_be_answered_is_named(change: dict[str, Any], message: str) -> None:
    assert refusal(GOOD | change).startswith(f"evaluate.queries[0]{message}")


def test_all_mistakes_are_told_at_once() -> None:
    told = refusal(GOOD | {"heating": "wood", "sold": "2020-07-01"}, GOOD, GOOD | {"heating": "x"})
    assert told.startswith("3 mistakes in evaluate.queries\n")
    assert 'evaluate.queries[2]: "heating" is "x", ' in told


def test_dates_are_read_by_iso_and_by_the_columns_format() -> None:
    forms = ["2020-01-05", "2020-01-05T23:59:59", "2020-01-06T00:30:00+01:00"]
    rows = query_table(*[GOOD | {"sold": form} for form in forms])
    assert set(rows.column("sold").to_pylist()) == {date(2020, 1, 5)}
    form = DateSettings(kind="date", format="%d/%m/%Y")
    rows = query_table(GOOD | {"sold": "05/02/2020"}, sold=form)
    assert rows.column("sold").to_pylist() == [date(2020, 2, 5)]


def test_true_and_whole_numbers_are_levels_as_people_write_them() -> None:
    values = [True, 3.0, 2.5, "x", None]
    assert [queries._text(value) for value in values] == ["true", "3", "2.5", "x", ""]


def test_a_term_without_a_value_at_a_query() -> None:
    rows = pa.table({"a": pa.chunked_array([[1.0, 2.0]]), "b": pa.chunked_array([[1.0, 3.0]])})
    plan = learnt(rows, ["a", "b"], ["log(a)", "a:b"])
    assert query_table([1.0, 2.0], plan=plan).num_rows == 1
    assert refusal([1.0, 2.0], [-3.0, 1.0], [1e300, 1e300], plan=plan).splitlines() == [
        "2 mistakes in evaluate.queries",
        '  evaluate.queries[1]: log(a) has no value where "a" is -3',
        '  evaluate.queries[2]: a:b has no value where "a" is 1e+300 and "b" is 1e+300',
    ]
