"""A column's settings: the short form, the likely meaning of a wrong word, and what ids see."""

import json

import pytest
from conftest import ROOT, job

from pipeline.settings import params
from pipeline.settings.errors import UserError
from pipeline.settings.params import flatten, parse

TEXT = (ROOT / "params.yaml").read_text()


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ("{x: categroy}", 'data.features.x: found "categroy"; must be number, category, date or a mapping such as {kind: category}; did you mean category?'),
        ("{x: {kind: categroy}}", "data.features.x.kind: found \"categroy\"; must be 'number', 'category' or 'date'; did you mean category?"),
        ("{x: {knd: category}}", "data.features.x: found a mapping of knd; must have a kind: number, category or date"),
        ("{x: {kind: number, mising: mean}}", "data.features.x.mising: no such key; did you mean data.features.x.missing?"),
        ("{x: {kind: number, missing: mena}}", 'data.features.x.missing: found "mena"; must be refuse, drop_row, mean, median or a number; did you mean mean?'),
        ("{x: {kind: number, missing: true}}", "data.features.x.missing: found true; must be refuse, drop_row, mean, median or a number"),
        ("{x: {kind: category, missing: mean}}", 'data.features.x.missing: found "mean"; must be refuse, drop_row or level'),
        ("{x: {kind: category, min_count: 0}}", "data.features.x.min_count: found 0; must be greater than or equal to 1"),
        ("{x: {kind: date, parts: [moth]}}", "data.features.x.parts[0]: found \"moth\"; must be 'days', 'year', 'month', 'weekday' or 'hour'; did you mean month?"),
        ("{x: {kind: date, parts: month}}", 'data.features.x.parts: found "month"; must be a list'),
        ("{x: 3}", "data.features.x: found 3; must be number, category, date or a mapping such as {kind: category}"),
        ("{1: number}", 'data.features[1]: found 1; must be a string; write "1"'),
        ("[2019-03-01]", 'data.features[0]: found "2019-03-01"; must be a string; write "2019-03-01"'),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_one_line_with_the_likely_meaning(features: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        parse(TEXT.replace("features: [x]", f"features: {features}"))
    line = TEXT[: TEXT.index("features: [x]")].count("\n") + 1
    assert str(caught.value) == f"params.yaml:{line}: {message}"


def test_a_date_in_a_query_is_written_in_quotes() -> None:
    """DVC refuses a date in params.yaml, with a message that helps nobody."""
    with pytest.raises(
        UserError, match='must be in quotes, because DVC has no dates: "2019-03-01"'
    ):
        parse(TEXT.replace("[[4.0]]", "[{x: 2019-03-01}]"))


def test_ids_and_runs_see_a_column_as_its_kind_and_what_is_no_default() -> None:
    long = {"x": {"kind": "number", "missing": "refuse", "indicator": False}}
    own = {"data__source": "data/raw/t.csv", "evaluate__queries": []}
    flat = [flatten(job(**own, data__features=features)) for features in ({"x": "number"}, long)]
    assert flat[0] == flat[1]
    assert flat[0]["data.features"] == {"x": {"kind": "number"}}
    settings = {"kind": "category", "min_count": 3, "unseen": "rare"}
    asked = job(**own, data__features={"x": settings})
    assert flatten(asked)["data.features"] == {"x": settings}
    json.dumps(flatten(asked), allow_nan=False)


def test_the_order_of_the_features_is_that_of_params_yaml() -> None:
    names = ["z", "a", "m"]
    asked = job(
        data__source="data/raw/t.csv",
        data__features=dict.fromkeys(names, "category"),
        evaluate__queries=[],
    )
    assert [*asked.data.columns] == names


def test_editors_know_both_forms_of_a_column() -> None:
    schema = json.loads(params.schema())
    features = json.dumps(schema["$defs"]["Data"]["properties"]["features"])
    for word in ('"enum": ["number", "category", "date"]', "NumberSettings", "DateSettings"):
        assert word in features
