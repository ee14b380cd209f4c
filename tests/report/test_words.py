"""Sentences take names as text, and write figures in one form, as people do."""

import math

import pytest

from pipeline.report import words
from pipeline.report.markup import Html
from pipeline.report.words import Words, number

SENTENCES: words.Sentences = {
    "en": {"rows": "{n} row of `{name}` | {n} **rows** of `{name}`"},
    "zh": {"rows": "`{name}` 的 {n} **行**"},
}


def test_values_are_text_and_only_the_template_is_markup() -> None:
    say = Words("en", SENTENCES)
    told = say("rows", n=2_000, name="<b>`**{n}|")
    assert told == "2,000 <strong>rows</strong> of <code>&lt;b&gt;`**{n}|</code>"
    assert say("rows", n=1, name=Html("<bdi>x</bdi>")) == "1 row of <code><bdi>x</bdi></code>"
    assert Words("zh", SENTENCES)("rows", n=1, name="x").endswith("的 1 <strong>行</strong>")


def test_long_lists_are_cut() -> None:
    names = [*"abcde"]
    assert Words("en", SENTENCES).names(names, 2).endswith("<bdi>b</bdi> and 3 more")
    assert Words("zh", SENTENCES).names(names, 2).endswith("、<bdi>b</bdi> 等（另有 3 项）")
    assert " more" not in Words("en", SENTENCES).names(names, 5)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "0"), (7, "7"), (1234567, "1,234,567"), (12.345678, "12.346"),
        (-0.00123, "−0.00123"), (99999.96, "100,000"), (1234.5678, "1,234.6"), (3e-7, "3·10⁻⁷"),
        (-2.5e20, "−2.5·10²⁰"), (1e15, "1·10¹⁵"), (None, "–"), (math.nan, "–"), (-math.inf, "−∞"),
        (0.1 + 0.2, "0.3"), (123456.789, "123,457"),
    ],
)  # fmt: skip
def test_figures(value: float | None, text: str) -> None:
    assert number(value) == text


def test_shares_keep_a_decimal_near_their_ends() -> None:
    assert [words.percent(share) for share in (0.5, 0.004, 0.998, 0.0, 1.0)] == [
        *("50 %", "0.4 %", "99.8 %", "0 %", "100 %")
    ]
