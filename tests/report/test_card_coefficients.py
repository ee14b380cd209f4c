"""The card's coefficients: notes where there are any."""

from mixed_tables import mixed_plan, number_plan

from pipeline.report import card_coefficients


def row(term: str, reference: str, std_error: str, **more: str) -> dict[str, str]:
    return {
        "target": "total", "term": term, "value": "1.0", "reference": reference,
        "std_error": std_error, "ci_low": "", "ci_high": "",
    } | more  # fmt: skip


def test_notes_have_a_column_if_there_are_any() -> None:
    rows = [row("a", "1.0", "0.1", note=""), row("b", "", "", note="b is a copy of a")]
    text = "\n".join(card_coefficients.section(rows, number_plan(["a", "b"])))
    assert "| total | b | 1.0 |  |  |  |  | b is a copy of a |" in text
    assert "reference level" not in text
    plain = "\n".join(card_coefficients.section(rows[:1], number_plan(["a"])))
    assert "note" not in plain
    assert "reference level" in "\n".join(card_coefficients.section(rows, mixed_plan()))
