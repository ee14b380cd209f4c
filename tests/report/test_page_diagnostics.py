"""The worrying diagnostics are told first, and the most influential rows with their places."""

from report_facts import diagnosed, some_facts

from pipeline.report import page_answer, page_diagnostics
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
