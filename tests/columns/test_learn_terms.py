"""Terms are learnt from the training rows alone, and refused where they have no value."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import job
from term_plans import FEATURES, learnt, plan_of_every_term, rows_of_every_kind

from pipeline.columns import learn_terms
from pipeline.columns.plan import Plan
from pipeline.settings.errors import UserError


def refusal(rows: pa.Table, features: Any, terms: list[str], test: pa.Table | None = None) -> str:
    with pytest.raises(UserError) as caught:
        learnt(rows, features, terms, test)
    return str(caught.value)


def numbers(**columns: list[float]) -> pa.Table:
    return pa.table({name: pa.chunked_array([values]) for name, values in columns.items()})


def test_knots_are_quantiles_of_the_training_rows_rounded_once() -> None:
    rows = rows_of_every_kind()
    plan = learnt(rows, FEATURES, ["spline(area, 4)", "spline(seen[hour], 3)"])
    of_area, of_hour = (term.knots for term in plan.terms if term.kind == "spline")
    area = np.array(rows.column("area").to_pylist())
    np.testing.assert_allclose(of_area, np.quantile(area, np.linspace(0, 1, 5)), rtol=1e-15)
    hours = [moment.hour for moment in rows.column("seen").to_pylist()]
    np.testing.assert_allclose(of_hour, np.quantile(hours, np.linspace(0, 1, 4)), rtol=1e-15)
    other = rows.slice(0, 50)
    assert learnt(rows, FEATURES, ["spline(area, 4)"], other).terms[0] == plan.terms[0]


def test_quantiles_are_of_the_values_that_are_not_missing() -> None:
    features = {"a": {"kind": "number", "missing": "mean"}}
    rows = numbers(a=[np.nan, 1.0, 2.0, 3.0, 4.0, 40.0, np.nan])
    (term,) = learnt(rows, features, ["spline(a, 2)"]).terms
    assert term.kind == "spline"
    assert term.knots == (1.0, 3.0, 40.0)


def test_a_spline_stands_in_the_place_of_its_number() -> None:
    plan = learnt(numbers(a=[1.0, 2.0, 4.0], b=[1.0, 2.0, 4.0]), ["a", "b"], ["spline(a, 2)"])
    assert plan.encoded_names == ("b", "spline(a, 2)[1]", "spline(a, 2)[2]")


def test_a_number_in_terms_alone_keeps_its_mean_for_the_contract() -> None:
    plan = learnt(numbers(a=[1.0, 2.0, 4.5]), ["a"], ["log(a)", "-a"])
    assert plan.encoded_names == ("log(a)",)
    (column,) = plan.columns
    assert column.kind == "number"
    assert column.mean == 2.5
    assert learnt(numbers(a=[1.0, 2.0]), ["a"], ["log(a)"]).columns[0].model_dump()["max"] == 2.0
    assert "mean" not in learnt(numbers(a=[1.0, 2.0]), ["a"], []).model_dump_json()


def test_too_few_different_values_for_a_spline() -> None:
    rows = numbers(a=[1.0] * 6 + [2.0, 3.0, 4.0, 5.0])
    assert refusal(rows, ["a"], ["spline(a, 5)"]) == (
        "data.terms: spline(a, 5): its 6 knots are quantiles of the training rows, and some of them"
        " are equal (1, 1, 1, 1.4, 3.2, 5), because many rows have the same value; write a power,"
        " or take a as a category"
    )
    rows = numbers(a=[1.0, 2.0, 2.0, 2.0, 3.0, 4.0, 5.0])
    assert "at most spline(a, 3) is possible" in refusal(rows, ["a"], ["spline(a, 6)"])


def test_a_logarithm_without_a_value_in_rows_that_are_made_or_held_out() -> None:
    good, bad = numbers(a=[1.0, 2.0], b=[4.0, 1.0]), numbers(a=[0.0, 2.0], b=[-1.0, 1.0])
    terms = ["log(a)", "sqrt(b)"]
    assert refusal(good, ["a", "b"], terms, bad).splitlines() == [
        "2 mistakes in data.terms",
        "  data.terms: log(a): found 0 in a test row, which has no logarithm; leave the term out",
        "  data.terms: sqrt(b): found -1 in a test row, which has no square root; leave the term"
        " out",
    ]
    assert "found 0 in a training row" in refusal(bad, ["a", "b"], ["log(a)"])
    learnt(numbers(a=[0.0, 2.0]), ["a"], ["sqrt(a)"])


def test_a_logarithm_of_days_before_1970() -> None:
    rows = pa.table({"d": pa.chunked_array([pa.array([-1, 5], pa.int32()).cast(pa.date32())])})
    features = {"d": {"kind": "date", "parts": ["days"]}}
    assert "log(d[days]): found -1 in a training row" in refusal(rows, features, ["log(d[days])"])


def test_a_category_of_one_level_multiplies_nothing() -> None:
    rows = rows_of_every_kind()
    text = refusal(rows, FEATURES, ["area:only"])
    assert text.startswith("data.terms: area:only: a category with one level alone")


def test_names_that_a_target_has_too() -> None:
    rows = rows_of_every_kind().append_column("y", pa.array(np.zeros(400)))
    with pytest.raises(UserError, match="twice among the names of the model's numbers"):
        learnt(rows, FEATURES, ["area:heating"], data__targets=["area:heating[oil]"])


def test_terms_of_all_columns_of_a_file_are_read_with_its_names() -> None:
    """With `features: []` params.yaml alone does not know them."""
    data = job(
        data__source="data/raw/t.csv",
        data__features=[],
        data__terms=["log(incme)", "age^2"],
        evaluate__queries=[],
    ).data
    known = job(
        data__source="data/raw/t.csv", data__features=["income", "age"], evaluate__queries=[]
    ).data.columns
    with pytest.raises(UserError) as caught:
        learn_terms.declared(data, known)
    assert str(caught.value) == (
        'data.terms[0]: found "log(incme)": it has "incme", which is no feature; did you mean'
        " income?"
    )


def test_the_plan_is_the_same_from_its_file() -> None:
    plan = plan_of_every_term()
    assert Plan.model_validate_json(plan.model_dump_json()) == plan


def test_a_plan_without_terms_has_no_word_of_them() -> None:
    assert "term" not in learnt(numbers(a=[1.0, 2.0]), ["a"], []).model_dump_json()
