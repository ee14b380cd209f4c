"""Terms are read as people write them, and a mistake is told with its cure before anything runs."""

from typing import Any

import pytest
from conftest import job

from pipeline.settings import term_settings
from pipeline.settings.errors import UserError

FEATURES: dict[str, Any] = {
    "income": "number",
    "age": {"kind": "number", "missing": 0.0},
    "smoker": "category",
    "sold": {"kind": "date", "parts": ["days", "month"]},
    "at": {"kind": "date", "parts": ["hour"]},
    "size (m²)": "number",
    "a:b": "number",
    "a": "number",
    "b": "number",
    "b:a": "number",
}


def asked(*terms: str, **changes: Any) -> Any:
    changes = {"data__source": "data/raw/t.csv", "evaluate__queries": []} | changes
    return job(**{"data__features": FEATURES, "data__terms": list(terms)} | changes).data


def names(*terms: str) -> list[str]:
    data = asked(*terms)
    return [term.name for term in term_settings.read(data.terms, data.columns, data.targets)[0]]


def test_each_term_has_one_spelling() -> None:
    assert names(" log( income )", "age ^ 2", "smoker :age", "spline(income,4)", "- income") == [
        "log(income)",
        "age^2",
        "smoker:age",
        "spline(income, 4)",
        "-income",
    ]
    assert names("smoker:sold[month]", "sqrt(sold[days])", "-sold") == [
        "smoker:sold[month]",
        "sqrt(sold[days])",
        "-sold",
    ]


def test_a_name_may_hold_any_character() -> None:
    assert names("log(size (m²))", "size (m²):smoker", "a:b:income", "a:b^2") == [
        "log(size (m²))",
        "size (m²):smoker",
        "a:b:income",
        "a:b^2",
    ]


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("log(incme)", 'it has "incme", which is no feature; did you mean income?'),
        ("smokr:incom", 'it has "smokr", which is no feature; did you mean smoker?, and has "incom", which is no feature; did you mean income?'),
        ("log(log(income))", "it has the term log(income) inside a term; terms are made of columns alone"),
        ("log(income):smoker", "it has the term log(income) inside a term"),
        ("income^2:smoker", "it has the term income^2 inside a term"),
        ("income", "it is a column of the table, and no term"),
        ("y", "it is a target, and no term; leave it out here"),
        ("log(y)", 'it has "y", which is a target; a term is made of features, and the logarithm of a target is written {y: log} in data.targets'),
        ("income:y", 'it has "y", which is a target; a term is made of features'),
        ("income*age", "it must be written with : for a product: income:age"),
        ("smoker * sold[days]", "it must be written with : for a product: smoker:sold[days]"),
        ("income/age", "it is a quotient, which no term is; put a column of income divided by age into the table"),
        ("income + age", "it is a sum, which no term is; income and age have a coefficient each, as features"),
        ("income*what", "it must be log(a), sqrt(a), a^2, a:b, spline(a, 5) or -a"),
        ("sqrt(smoker)", "it needs a number, but smoker has levels"),
        ("smoker^2", "it needs a number, but smoker has levels"),
        ("spline(sold[month], 3)", "it needs a number, but sold[month] has levels"),
        ("log(sold)", "it needs a part of the date sold: sold[days] or sold[month]"),
        ("log(sold[year])", "it needs a part that sold has in data.features (days, month)"),
        ("log(at[hour])", "it has no value at midnight, hour 0"),
        ("log(age)", "it has no value at 0, which takes the place of gaps (missing: 0)"),
        ("age**2", "it must be written with ^ for a power: age^2"),
        ("age^1", "it must have a power from 2 to 10"),
        ("age^11", "it must have a power from 2 to 10"),
        ("age^-1", "it must have a power from 2 to 10"),
        ("age^0.5", "it must have an integer for a power, from 2 to 10"),
        ("age:age", "it is a power; write age^2"),
        ("smoker:smoker", "it is a product of the levels of one column"),
        ("spline(income)", "it must have the number of its columns, such as spline(income, 5)"),
        ("spline(income, 1)", "it must have the number of its columns after the comma, from 2 to 30"),
        ("spline(income, many)", "it must have the number of its columns after the comma, from 2 to 30"),
        ("ln(income)", "it has no known function ln; write log(a), the natural logarithm"),
        ("bs(income, 4)", "it has no known function bs; write spline(a, 5)"),
        ("lag(income)", "it has no known function lag; did you mean log? must be log(a), sqrt(a)"),
        ("what?", "it must be log(a), sqrt(a), a^2, a:b, spline(a, 5) or -a"),
        ("-income", "it takes out income, which is in no other term; leave it out of data.features instead"),
        ("-sold[month]", "it takes out sold[month], which is in no other term; leave it out of the parts of sold instead"),
        ("b:a:b", "it can be read in two ways, as product of b and a:b or product of b:a and b"),
    ],
)  # fmt: skip
def test_a_mistake_names_the_term_and_the_cure(term: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        asked(term)
    assert f'data.terms[0]: found "{term}": {message}' in str(caught.value)


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(UserError) as caught:
        asked("log(x)", "age^2", "age ^2", "a:income", "income:a")
    first, *lines = str(caught.value).splitlines()
    assert first == "3 mistakes in params.yaml"
    assert 'data.terms[0]: found "log(x)"' in lines[0]
    assert 'data.terms[2]: found "age ^2": it is the same as "age^2"; write it once' in lines[1]
    assert 'data.terms[4]: found "income:a": it is the same as "a:income"' in lines[2]


def test_two_splines_of_a_number_would_say_the_same() -> None:
    with pytest.raises(UserError, match="is a second spline of income; write one, with more"):
        asked("spline(income, 3)", "spline(income, 4)")


def test_a_column_with_the_name_of_a_term() -> None:
    features = ["age", "age^2"]
    with pytest.raises(UserError, match="is a column of the table, and no term"):
        asked("age^2", data__features=features)
    with pytest.raises(UserError, match="has the name of a column of the table; rename the col"):
        asked("age ^2", data__features=features)


def test_terms_need_an_opset_that_takes_columns() -> None:
    with pytest.raises(UserError, match="export.opset: found 18; must be at least 19, because dat"):
        asked("x^2", data__features=["x"], export__opset=18)


def test_what_the_terms_have_in_place_of_a_feature() -> None:
    data = asked("log(income)", "-income", "smoker:sold[month]", "-sold", "spline(age, 3)")
    terms, _ = term_settings.read(data.terms, data.columns, data.targets)
    assert term_settings.only_in_terms(terms, data.columns) == (
        "income",
        "sold[days]",
        "sold[month]",
        "age",
    )
