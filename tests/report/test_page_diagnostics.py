"""The worrying diagnostics are told first, and the most influential rows with their places."""

from report_facts import DIAGNOSTICS, diagnosed, some_facts, with_metrics, with_params

from pipeline.report import page, page_answer, page_diagnostics
from pipeline.report.diagnostic_words import Sentence


def test_worrying_diagnostics_come_first_and_among_the_worries() -> None:
    text = page_diagnostics.section(diagnosed())
    assert text.index("p &lt; 0.0001") < text.index("RESET p = 0.5")
    assert "<code>std_error_hc3</code>" in text
    assert text.count("Take care.") == 1
    assert "&lt;b&gt;`area` says in part" in text, "a backtick of a name is no code"
    assert "1 diagnostic of the fit is worrying" in page_answer.section(diagnosed())
    assert "worrying" not in page_answer.section(some_facts())


def test_the_most_influential_rows_are_shown_with_their_places() -> None:
    text = page_diagnostics.section(diagnosed())
    assert '<th scope="row" class="num">7</th>' in text
    assert '<td class="num">3.12</td><td class="num">1.5</td>' in text
    assert ">9</th>" not in text, "without a distance it has a leverage of 1"
    assert ">file<" not in text, "there is one"
    assert "influence.csv" not in page_diagnostics.section(some_facts())


def test_a_sentence_is_text_but_for_its_code() -> None:
    said = Sentence("vif", "fine", "`a<b` & \0c\0")
    assert page_diagnostics.as_html(said) == "<code>a&lt;b</code> &amp; `c`"


def test_a_worry_points_to_a_section_that_is_there() -> None:
    """A network has no section on diagnostics, whatever metrics.json has of its columns."""
    kinds = {
        "line": diagnosed(),
        "penalized": with_params(diagnosed(), train__l2=0.1),
        "weighted": with_metrics(diagnosed(), diagnostics=DIAGNOSTICS | {"weights": "precision"}),
        "medians": with_params(diagnosed(), train__loss="absolute"),
        "network": some_facts(metrics=diagnosed().metrics, coefficients=[]),
    }
    for name, facts in kinds.items():
        text = page.page(facts)
        assert ("section on diagnostics" in text) is (name not in ("medians", "network")), name
        assert ('id="diagnostics"' in text) or "section on diagnostics" not in text, name
    reference = dict(diagnosed().metrics["reference"])
    del reference["condition_number"]
    network = with_metrics(kinds["network"], reference=reference)
    assert "condition number" not in page.page(network).lower()
