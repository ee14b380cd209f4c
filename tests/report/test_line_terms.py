"""Each encoded column is known by what it stands for, with the reference of its levels."""

import itertools

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
