"""Queries by name or by place become rows of raw columns, or one message says what is wrong."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from mixed_tables import QUERIES, mixed_plan, mixed_rows, number_plan

from pipeline.columns import queries
from pipeline.columns.plan import Plan
from pipeline.settings.errors import UserError

PLAN = mixed_plan()
GOOD: dict[str, Any] = QUERIES[0]


def refusal(*asked: Any, plan: Plan = PLAN) -> str:
    with pytest.raises(UserError) as caught:
        queries.query_table(asked, plan)
    return str(caught.value)


def test_mappings_become_typed_raw_columns_in_the_order_of_the_features() -> None:
    rows = queries.query_table(QUERIES, PLAN)
    assert rows.schema == mixed_rows().select(PLAN.features).schema
    first = {"age": None, "area": 70.0, "heating": "gas", "district": "north"}
    second = {"age": 3.0, "area": 90.5, "heating": None, "district": "new"}
    wanted = [first | {"sold": "2020-01-05"}, second | {"sold": "2020-02-01"}]
    assert queries.cells(rows, PLAN) == [[row[name] for name in PLAN.features] for row in wanted]
    assert not PLAN.encode(rows)[1].any()


def test_numbers_may_be_given_by_place() -> None:
    plan = number_plan(["a", "b"])
    rows = queries.query_table([[1.0, 2.0], {"b": 4, "a": 3.0}], plan)
    assert queries.cells(rows, plan) == [[1.0, 2.0], [3.0, 4.0]]
    assert queries.query_table([], plan).num_rows == 0
    assert refusal([3.0], plan=plan) == (
        "evaluate.queries[0]: found 1 number; must be 2, one for each feature (a, b), or"
        " evaluate.queries must be []"
    )
    assert "found a list, but not every feature is a number; write a mapping" in refusal([3.0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"area": None}, '"area" is missing; data.features does not say what a missing value'),
        ({"area": "big"}, '"area" is "big"; must be a number, or null'),
        ({"area": True}, '"area" is true; must be a number, or null'),
        ({"heating": "wood"}, '"heating" is "wood", which no training row has; must be "gas",'),
        ({"heating": 3.0}, '"heating" is 3.0, which no training row has'),
        ({"sold": "yesterday"}, '"sold" is "yesterday"; must be a date such as 2024-02-29'),
        ({"sold": 7.0}, '"sold" is 7.0; must be a date'),
        ({"sold": None}, '"sold" is missing; '),
        ({"sold": "2020-07-01"}, '"sold" is "2020-07-01"; its month or its weekday is in no'),
        ({"aera": 3.0}, 'found "aera"; the features are '),
    ],
)
def test_a_value_that_cannot_be_answered_is_named(change: dict[str, Any], message: str) -> None:
    assert refusal(GOOD | change).startswith(f"evaluate.queries[0]: {message}")


def test_all_mistakes_are_told_at_once() -> None:
    told = refusal(GOOD | {"area": None, "heating": "wood"}, {"area": 1.0}, GOOD)
    assert told.startswith("3 mistakes in evaluate.queries\n")
    assert 'evaluate.queries[1]: "' in told
    assert "must be there too; a missing value is written as null" in told


def test_dates_come_as_text_dates_and_times() -> None:
    forms = [
        "2020-01-05",
        date(2020, 1, 5),
        datetime(2020, 1, 5, 23),
        "2020-01-05T23:59:59",
        datetime(2020, 1, 5, 23, tzinfo=UTC),
        "2020-01-06T00:30:00+01:00",
    ]
    rows = queries.query_table([GOOD | {"sold": form} for form in forms], PLAN)
    assert set(rows.column("sold").to_pylist()) == {date(2020, 1, 5)}


def test_true_and_whole_numbers_are_levels_as_people_write_them() -> None:
    values = [True, 3.0, 2.5, "x", None]
    assert [queries._text(value) for value in values] == ["true", "3", "2.5", "x", ""]
