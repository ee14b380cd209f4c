"""The card says what each term is made of, how its value is read, and what has no answer."""

from term_plans import FEATURES, learnt, plan_of_every_term, rows_of_every_kind

from pipeline.report import card_columns, card_terms

PLAN = plan_of_every_term()


def test_each_term_has_a_row() -> None:
    text = "\n".join(card_columns.tables(PLAN))
    assert "| log(area) | 1 | natural logarithm of area |" in text
    assert "| rooms^3 | 1 | rooms to the power of 3 |" in text
    assert "| heating:rooms | 3 | heating times rooms |" in text
    knots = "natural cubic spline of seen\\[hour\\], straight outside of its knots: 6, 10, 15, 19 |"
    assert f"| spline(seen\\[hour\\], 3) | 3 | {knots}" in text
    assert "In terms alone, without a number of its own: area, rooms, sold\\[month\\], town" in text


def test_values_without_an_answer_are_named() -> None:
    text = card_columns.refused(PLAN)
    assert "a value that is not above 0 in area, sold\\[days\\]; a value below 0 in rooms." in text


def test_only_what_is_there_is_explained() -> None:
    assert len([*card_terms.explained(PLAN)]) == 2
    plain = learnt(rows_of_every_kind(), FEATURES, ["log(area)", "area:age", "roof:heating"])
    assert not [*card_terms.explained(plain)]
    assert not [*card_terms.table(learnt(rows_of_every_kind(), FEATURES, []))]


def test_what_can_change_while_all_else_stays() -> None:
    """The card's example in per cent would mislead of age, where age^2 is in the model, too."""
    assert card_terms.alone(PLAN) == {"only"} & {*PLAN.encoded_names}
    plan = learnt(rows_of_every_kind(), FEATURES, ["age^2", "log(area)", "-area"])
    alone = card_terms.alone(plan)
    assert {"log(area)", "rooms", "heating[oil]"} <= alone
    assert not {"age", "age^2", "sold[days]", "sold[month=2]"} & alone
    assert not [name for name in alone if name.startswith(("age", "sold", "seen"))]
    plan = learnt(rows_of_every_kind(), FEATURES, ["age:area", "sqrt(rooms)", "-rooms", "rooms^2"])
    assert not {"age", "area", "age:area", "sqrt(rooms)", "rooms^2"} & card_terms.alone(plan)
