"""Each encoded column is known by what it stands for, with the reference of its levels."""

import itertools
from types import SimpleNamespace

from mixed_tables import mixed_plan
from raw_plans import EVERY_KIND

from pipeline.report import line_terms
from pipeline.report.line_terms import Term


def test_every_encoded_column_is_a_term_once_and_in_order() -> None:
    for plan in (mixed_plan(), EVERY_KIND):
        terms = itertools.chain(*line_terms.groups(plan))
        assert [term.encoded for term in terms if term.encoded] == [*plan.encoded_names]


def test_levels_stand_with_their_reference() -> None:
    groups = [*line_terms.groups(mixed_plan())]
    assert groups[1] == [
        Term("age", "number", "age"), Term("age", "gap", "age[missing]"),
    ]  # fmt: skip
    gas, oil, missing = groups[2]
    assert gas == Term("heating", "level", None, "gas", reference="gas")
    assert oil == Term("heating", "level", "heating[oil]", "oil", reference="gas")
    assert missing.level == "(missing)"
    (days,), (january, *_) = groups[4:]
    assert days == Term("sold", "part", "sold[days]", part="days")
    assert january == Term("sold", "part_level", None, "1", "month", "1")


def test_terms_of_the_settings_have_a_line_each_and_columns_only_in_them_have_none() -> None:
    made = SimpleNamespace(names=("log(area)",))
    plan = mixed_plan()
    without = plan.model_construct(
        **dict(plan) | {"terms": (made,), "only_in_terms": ("area", "heating")}
    )
    groups = [*line_terms.groups(without)]
    assert groups[0][0].column == "age"
    assert {term.column for group in groups for term in group} == {
        *("age", "district", "sold", "log(area)")
    }
    assert groups[-1] == [Term("log(area)", "term", "log(area)")]
    encoded = [term.encoded for group in groups for term in group if term.encoded]
    assert encoded == [*without.encoded_names]
