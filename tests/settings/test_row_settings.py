"""data.test_fraction and data.folds: a number, or a mapping with a column; what contradicts itself."""

# ruff: noqa: E501 - messages read best one to a line

from typing import Any

import pytest
from conftest import job

from pipeline.settings import params
from pipeline.settings.errors import UserError

OWN = {"data__source": "data/raw/t.csv", "evaluate__queries": []}


@pytest.mark.parametrize("key", ["test_fraction", "folds"])
def test_a_number_is_short_for_a_mapping(key: str) -> None:
    number: Any = 0.3 if key == "test_fraction" else 4
    name = "share" if key == "test_fraction" else "number"
    short, long = (job(**OWN, **{f"data__{key}": value}) for value in (number, {name: number}))
    assert short == long
    assert params.flatten(short)[f"data.{key}"] == number
    chosen = job(**OWN, **{f"data__{key}": {"by": "c", name: number, "gap": 3}})
    settings = getattr(chosen.data, key)
    assert (settings.by, settings.gap, getattr(settings, name)) == ("c", 3, number)
    assert params.flatten(chosen)[f"data.{key}"] == {name: number, "by": "c", "gap": 3}
    usual = job(**OWN, **{f"data__{key}": {"by": "c"}})
    assert params.flatten(usual)[f"data.{key}"] == {
        name: 0.2 if key == "test_fraction" else 5,
        "by": "c",
    }


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"data__folds": 1}, "data.folds: found 1; must be greater than or equal to 2"),
        ({"data__folds": 101}, "data.folds: found 101; must be less than or equal to 100"),
        ({"data__folds": 2.5}, "data.folds: found 2.5; must be an integer"),
        ({"data__folds": True}, "data.folds: found true; must be a number, or a mapping such as {number: 5, by: customer}"),
        ({"data__folds": "customer"}, 'data.folds: found "customer"; must be a number, or a mapping such as {number: 5, by: customer}'),
        ({"data__folds": {"by": "c", "number": 1}}, "data.folds.number: found 1; must be greater than or equal to 2"),
        ({"data__folds": {"by": "c", "gaps": 1}}, "data.folds.gaps: no such key; did you mean data.folds.gap?"),
        ({"data__folds": {"by": "c", "gap": -1}}, "data.folds.gap: found -1; must be greater than or equal to 0"),
        ({"data__folds": {"by": "c", "gap": 1.5}}, "data.folds.gap: found 1.5; must be an integer"),
        ({"data__folds": {"by": ["c"]}}, 'data.folds.by: found ["c"]; must be a string'),
        ({"data__test_fraction": 1.0}, "data.test_fraction: found 1.0; must be less than 1"),
        ({"data__test_fraction": [0.2]}, "data.test_fraction: found [0.2]; must be a number, or a mapping such as {share: 0.2, by: customer}"),
        ({"data__test_fraction": {"by": "c", "shares": 0.3}}, "data.test_fraction.shares: no such key; did you mean data.test_fraction.share?"),
        ({"data__test_fraction": {"by": "c", "share": 0.0}}, 'data.test_fraction.share: found 0.0, which holds out no row, but by is "c"; write `test_fraction: 0.0`, or a share above 0'),
        ({"data__test_fraction": {"gap": 3}}, "data.test_fraction.gap: found 3, but by names no column of dates; add it, such as `by: sold`, or leave the gap out"),
        ({"data__folds": {"by": "c"}, "data__source": "generate"}, 'data.folds.by: found "c", but data.source is generate, whose rows belong together in no way; write `folds: 5`, or name a file in data.source'),
        ({"data__folds": {"by": "y"}}, 'data.folds.by: found "y", which is in data.targets; rows cannot be chosen by what is to be predicted: name another column'),
        ({"data__folds": {"by": "x", "gap": 1}}, 'data.folds.gap: found 1, but "x" is no date in data.features; make it one there (`kind: date`), or leave the gap out, and rows with an equal value stay together'),
        ({"data__clusters": "c", "data__source": "generate"}, 'data.clusters: found "c", but data.source is generate, whose errors depend on each other in no way; set it to null, or name a file in data.source'),
        ({"data__clusters": "y"}, 'data.clusters: found "y", which is in data.targets; rows cannot belong together by what is to be predicted: name another column'),
        ({"data__clusters": "c", "data__keep_rows": False}, "data.clusters: found \"c\", but data.keep_rows is false: clustered errors are made of the residual of each row; set data.keep_rows to true, or data.clusters to null"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError) as refused:
        job(**OWN | {"data__features": ["x"]} | changes)
    assert str(refused.value).partition(": ")[2] == told


def test_what_is_no_contradiction() -> None:
    by_date = {"by": "sold", "gap": 1}
    for features in (["x"], [], {"x": "number", "sold": "date"}):
        job(**OWN, data__features=features, data__folds=by_date, data__test_fraction=by_date)
    job(**OWN, data__features=["x"], data__folds={"by": "x"}, data__test_fraction={"by": "c"})
    job(**OWN, data__features=[], data__exclude=["c"], data__folds={"by": "c"})
