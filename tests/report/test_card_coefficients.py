"""The card's coefficients: notes where there are any, and a loud word about an exact target."""

from mixed_tables import mixed_plan, number_plan

from pipeline.report import card_coefficients


def row(term: str, reference: str, std_error: str, **more: str) -> dict[str, str]:
    return {
        "target": "total", "term": term, "value": "1.0", "reference": reference,
        "std_error": std_error, "ci_low": "", "ci_high": "",
    } | more  # fmt: skip


def test_a_target_that_is_a_sum_of_features_is_said_loudly() -> None:
    dependent = row("b", "", "", note="b = 2·a; weight 0")
    formula = row("bias", "0.0", "0.0", note="total = a + c in every row: a formula")
    rows = [row("a", "1.0", "0.0"), dependent, formula]
    (sentence,) = card_coefficients.exact_targets(rows)
    assert sentence == "**Take care: total = a + c in every row: a formula.**"
    rows = [row("a", "1.0", "0.1"), dependent]
    assert [*card_coefficients.exact_targets(rows)] == [], "also if it is the last term"
    rows[0] = row("a", "2.0", "0.0", note="total is 5 in every row")
    (sentence,) = card_coefficients.exact_targets(rows)
    assert sentence == "**Take care: total is 5 in every row.**"
    assert [*card_coefficients.exact_targets([row("a", "1.0", "0.1", note="")])] == []


def test_notes_have_a_column_if_there_are_any() -> None:
    rows = [row("a", "1.0", "0.1", note=""), row("b", "", "", note="b is a copy of a")]
    text = "\n".join(card_coefficients.section(rows, number_plan(["a", "b"])))
    assert "| total | b | 1.0 |  |  |  |  | b is a copy of a |" in text
    assert "reference level" not in text
    plain = "\n".join(card_coefficients.section(rows[:1], number_plan(["a"])))
    assert "note" not in plain
    assert "reference level" in "\n".join(card_coefficients.section(rows, mixed_plan()))
