"""Settings of columns that contradict each other are told in one line, before anything is read."""

from typing import Any

import pytest
from conftest import job

from pipeline.settings.errors import UserError

OWN = {"data__source": "data/raw/t.csv", "evaluate__queries": []}


def told(features: Any, **changes: Any) -> str:
    with pytest.raises(UserError) as caught:
        job(**OWN | {"data__features": features} | changes)
    return str(caught.value).partition(": ")[2]


def category(**settings: Any) -> dict[str, Any]:
    return {"h": {"kind": "category", **settings}}


@pytest.mark.parametrize(
    ("features", "changes", "message"),
    [
        (["a"], {"data__exclude": ["a", "b"]}, 'data.exclude: found "a", also in data.features; a column'),
        (["a"], {"data__exclude": ["y"]}, 'data.exclude: found "y", also in data.targets; a column is'),
        (["a"], {"data__exclude": ["b", "b"]}, 'data.exclude: found ["b", "b"]; each name must be there once'),
        ({"y": "number"}, {}, "data.targets: found 'y', which is in data.features too; a column is"),
        (category(min_count=5, unseen="reference"), {}, "data.features.h.unseen: found reference with min_count 5, which folds rare levels into one; a level that no training row has is rare too: write `unseen: rare`"),
        (category(min_count=5, unseen="refuse"), {}, "data.features.h.unseen: found refuse with min_count 5"),
        (category(unseen="rare"), {}, "data.features.h.unseen: found rare, but no min_count says which levels are rare; add `min_count: 10`"),
        ({"n": {"kind": "number", "indicator": True}}, {}, "data.features.n.indicator: found true, but with `missing: refuse` no row has a gap"),
        ({"n": {"kind": "number", "missing": -1e39}}, {}, "data.features.n.missing: found -1e+39, which is beyond what float32 holds; write a number nearer to 0, or set model.dtype to float64"),
        ({"d": {"kind": "date", "parts": ["hour"], "format": "%d/%m/%Y"}}, {}, 'data.features.d.format: found "%d/%m/%Y", but hour is one of the parts; add the hour'),
        ({"d": {"kind": "date", "format": "%d/%m"}}, {}, 'data.features.d.format: found "%d/%m"; must have the year and the month'),
        ({"d": {"kind": "date", "format": "%Q"}}, {}, 'data.features.d.format: found "%Q"; must be a format: '),
        ({"d": {"kind": "date", "parts": ["days", "days"]}}, {}, 'data.features.d.parts: found ["days", "days"]; each must be there once'),
        ({"d": "date", "d[days]": "number"}, {}, 'data.features: found "d[days]", which is also the name of a number made from "d"; rename'),
        ({"h": "category"}, {"export__opset": 18}, 'export.opset: found 18; must be at least 19, because "h" is no column of complete numbers'),
        ({"bias": "number"}, {}, "data.features: found 'bias', which coefficients.csv uses"),
        ({"h": "category"}, {"data__source": "generate"}, 'data.features: found a mapping of h, but data.source is generate, which makes numbers alone; write `features: ["h"]`'),
    ],
)  # fmt: skip
def test_a_contradiction_is_one_line(features: Any, changes: dict[str, Any], message: str) -> None:
    text = told(features, **changes)
    assert text.startswith(message)
    assert "\n" not in text


def test_what_is_no_contradiction() -> None:
    job(**OWN, data__features={"bias": "category", "h": "category"})
    job(**OWN, data__features={"n": {"kind": "number", "missing": "drop_row"}}, export__opset=13)
    job(
        **OWN, data__features={"d": {"kind": "date", "parts": ["hour"], "format": "%d.%m.%y %H:%M"}}
    )
    wide = {"n": {"kind": "number", "missing": -1e39}}
    job(**OWN, data__features=wide, model__dtype="float64")
    job(**OWN, data__features=["a"], data__exclude=["b"])
    job(**OWN, data__features={"x": "number"})


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"area": 1}, 'evaluate.queries[0]: found no value for "heating", "sold"; add it, or null if it is missing'),
        ({"aera": 1, "heating": "gas", "sold": "2020-01-01"}, "evaluate.queries[0].aera: no such feature; did you mean area?"),
        ({"area": "12", "heating": "gas", "sold": "2020-01-01"}, 'evaluate.queries[0].area: found "12"; must be a number; write 12'),
        ({"area": None, "heating": "gas", "sold": "2020-01-01"}, "evaluate.queries[0].area: found null; must be a value: its `missing` would have to be mean"),
        ({"area": 1, "heating": "gas", "sold": "31 May"}, 'evaluate.queries[0].sold: found "31 May"; must be a date in quotes, such as "2019-03-01"'),
        ([1, "gas"], "evaluate.queries[0]: found 2 values; must be 3, one for each feature (area, heating, sold)"),
        ([1, "gas", 2020], 'evaluate.queries[0][2]: found 2020.0; must be a date in quotes'),
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_of_these_columns(query: Any, message: str) -> None:
    features = {"area": "number", "heating": "category", "sold": "date"}
    assert told(features, evaluate__queries=[query]).startswith(message)
    job(**OWN | {"evaluate__queries": [[1, 3, "2020-01-31"]]}, data__features=features)
