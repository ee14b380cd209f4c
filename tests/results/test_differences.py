"""Differences between two results as short texts."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.results import differences
from pipeline.results.place import Place
from pipeline.results.provenance import one_line
from pipeline.results.recorded import Opened, Recorded

CODE = {"pipeline/exact": "e", "pipeline/train.py": "t", "data/raw": "r"}
OUTS = {"data/train.parquet": "a", "data/test.parquet": "b", "data/summary.json": "c"}


def opened(
    outs: dict[str, str] = OUTS,
    deps: dict[str, str] | None = CODE,
    pins: list[str] | None = None,
    rows: dict[str, int] | None = None,
    **params: Any,
) -> Opened:
    values = {key.replace("__", "."): value for key, value in params.items()}
    result = Recorded("a result", Place("0" * 32), "0" * 32, values, outs, deps)
    return Opened(result, Path(), [], {}, ["torch==2.1"] if pins is None else pins, rows or {})


def test_equal_results_differ_in_nothing() -> None:
    assert not any(differences.between(opened(seed=0), opened(seed=0)).values())


@pytest.mark.parametrize(
    ("before", "after", "text"),
    [
        (0.01, 0.02, "x: 0.01 → 0.02"),
        ("sgd", "exact", "x: sgd → exact"),
        (["a", "b"], ["b", "c"], "x: + c, − a"),
        (["a", "b"], ["b", "a"], 'x: ["a", "b"] → ["b", "a"]'),
        (["a"], {"a": {"kind": "number"}, "b": {"kind": "date"}}, "x: + b, a otherwise"),
        ({"a": 1, "b": 2}, {"a": 1, "b": 3}, "x: b otherwise"),
        ([[1.0]], [[2.0]], "x: [[1.0]] → [[2.0]]"),
        (None, 5, "x: null → 5"),
        ("0" * 60, "1", f"x: {'0' * 40}... → 1"),
    ],
)
def test_a_parameter(before: Any, after: Any, text: str) -> None:
    assert differences.between(opened(x=before), opened(x=after))["params"] == [text]


def test_a_value_of_a_run_is_text_that_may_be_cut() -> None:
    long = ["a" * 20] * 100
    text = one_line(long)
    cut = f"{text[:500]}... ({len(text)} characters)"
    assert not differences.between(opened(x=long), opened(x=cut))["params"]
    assert not differences.between(opened(x=cut), opened(x=cut))["params"]
    assert differences.between(opened(x=[*long, "a"]), opened(x=cut))["params"]


def test_long_values_are_compared_to_their_ends() -> None:
    names = [f"measurement_{index:03}" for index in range(40)]
    assert differences.between(opened(x=names), opened(x=names[:-1]))["params"] == [
        "x: − measurement_039"
    ]


def test_a_key_that_came_with_the_code_is_named_apart() -> None:
    texts = differences.between(opened(seed=0), opened(seed=0, train__l2=0.0))["params"]
    assert texts == ["only the other one has train.l2=0.0"]


def test_tables() -> None:
    def texts(first: Opened, other: Opened) -> list[str]:
        return differences.between(first, other)["data"]

    other = OUTS | {"data/train.parquet": "x"}
    rows = {"training": 800, "test": 200}
    assert texts(opened(), opened(deps=CODE | {"data/raw": "x"})) == ["other files in data/raw"]
    assert texts(opened(rows=rows), opened(other, rows=rows)) == [
        "other values or columns in the training rows"
    ]
    assert texts(opened(rows=rows), opened(other, rows={"training": 1800, "test": 200})) == [
        "800 → 1,800 training rows"
    ]
    changed_code = OUTS | {"data/summary.json": "x"}
    assert not texts(opened(), opened(changed_code)), "the table is the same"
    in_place = [opened(outs, data__keep_rows=False) for outs in (OUTS, changed_code)]
    assert texts(*in_place), "train.parquet has no rows"


def test_code_and_packages() -> None:
    new = CODE | {"pipeline/exact": "x", "pipeline/sweep.py": "s", "data/raw": "y"}
    texts = differences.between(opened(), opened(deps=new, pins=["torch==2.2", "numpy==2"]))
    assert texts["code"] == ["pipeline/exact, pipeline/sweep.py"]
    assert texts["packages"] == ["numpy none → 2, torch 2.1 → 2.2"]


def test_of_a_run_alone_the_code_is_unknown() -> None:
    assert "only the run is left" in differences.between(opened(), opened(deps=None))["code"][0]


def test_folds_are_the_same_of_the_same_rows_seed_and_number() -> None:
    rows = {"training": 80, "test": 20}
    keys: dict[str, Any] = {"seed": 0, "data__folds": 5, "data__source": "a.csv"}
    first = opened(rows=rows, **keys)
    other_columns = OUTS | {"data/train.parquet": "x", "data/summary.json": "y"}
    assert differences.have_same_folds(first, opened(rows=rows, **keys))
    assert differences.have_same_folds(first, opened(other_columns, rows=rows, **keys))
    for other in (
        opened(rows=rows, **keys | {"seed": 1}),
        opened(rows=rows, **keys | {"data__folds": 4}),
        opened(other_columns, CODE | {"data/raw": "x"}, rows=rows, **keys),
        opened(other_columns, rows=rows | {"training": 81}, **keys),
        opened(other_columns, None, rows=rows, **keys),
        opened(rows=rows, **keys | {"data__folds": {"number": 5, "by": "customer"}}),
        opened(rows=rows, **keys | {"data__test_fraction": 0.2}),
    ):
        assert not differences.have_same_folds(first, other)


def test_a_number_is_short_for_a_choice_of_rows() -> None:
    rows = {"training": 80, "test": 20}
    for number, mapping in ((5, {"number": 5}), (5, {"number": 5, "by": None, "gap": None})):
        keys: dict[str, Any] = {"seed": 0, "data__source": "a.csv"}
        short = opened(rows=rows, data__folds=number, **keys)
        long = opened(rows=rows, data__folds=mapping, **keys)
        assert differences.have_same_folds(short, long)
        assert not differences.between(short, long)["params"]
    by = [{"by": "customer"}, {"number": 5, "by": "customer"}, {"number": 5, "by": "shop"}]
    first, same, other = (opened(rows=rows, seed=0, data__folds=each) for each in by)
    assert differences.have_same_folds(first, same)
    assert not differences.have_same_folds(first, other)
    assert differences.between(same, other)["params"] == [
        'data.folds: {"number": 5, "by": "customer"} → {"number": 5, "by": "shop"}'
    ]


def test_the_seed_chooses_rows_unless_dates_do() -> None:
    other_table = OUTS | {"data/test.parquet": "x"}

    def otherwise(before: Any, after: Any) -> list[str]:
        first, other = (
            opened(seed=0, data__test_fraction=before).recorded,
            opened(other_table, seed=1, data__test_fraction=after).recorded,
        )
        return differences.held_out_otherwise(first, other)

    in_time = {"share": 0.2, "by": "sold", "gap": 0}
    assert otherwise(0.2, 0.2) == ["seed"]
    assert otherwise({"share": 0.2, "by": "customer"}, {"by": "customer"}) == ["seed"]
    assert otherwise(in_time, in_time) == []
    assert otherwise(in_time, in_time | {"gap": 7}) == ["data.test_fraction"]
    assert otherwise(in_time, 0.2) == ["data.test_fraction", "seed"]
