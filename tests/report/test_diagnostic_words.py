"""Each diagnostic has a sentence in both languages, which says what to do about it."""

import re

import pytest

from pipeline.report import diagnostic_words
from pipeline.report.diagnostic_words import SENTENCES, sentences, worrying
from pipeline.settings.keys.sections import Language

TEST = {"statistic": 3.5, "p": 0.004, "size": 0.25, "verdict": "worrying"}
FIGURES = {
    "targets": {
        "y": {
            "breusch_pagan": TEST,
            "jarque_bera": TEST | {"skewness": -0.61, "kurtosis": 4.25, "verdict": "slight"},
            "durbin_watson": TEST | {"verdict": "unknown"},
            "reset": TEST | {"p": 1e-9},
            "influence": {"largest": 1.5, "verdict": "worrying"},
            "clusters": {"number": 12, "size": 2.5, "verdict": "slight"},
        }
    },
    "leverage": {"largest": 1.0, "rows_of_one": 2, "verdict": "worrying"},
    "vif": {"largest": 45.0, "term": "a<b>", "verdict": "worrying"},
}


def test_both_languages_have_the_same_sentences_with_the_same_figures() -> None:
    english, chinese = SENTENCES["en"], SENTENCES["zh"]
    assert english.keys() == chinese.keys()
    for key, template in english.items():
        names, other = (set(re.findall(r"{(\w+)}", text)) for text in (template, chinese[key]))
        assert names == other, key


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_diagnostic_is_said_with_its_figures(language: Language) -> None:
    made = sentences(FIGURES, lambda name: f"[{name}]", language)
    assert [each.name for each in made] == [
        *("reset", "breusch_pagan", "jarque_bera", "durbin_watson", "clusters", "influence"),
        *("leverage", "vif"),
    ]
    whole = "\n".join(each.text for each in made)
    for figure in (
        "p < 0.0001",
        "p = 0.004",
        "25 %",
        "-0.61",
        "4.25",
        "1.5",
        "12",
        "250 %",
        "[a<b>]",
    ):
        assert figure in whole
    assert "{" not in whole


def test_only_the_worrying_ones_are_in_the_summary() -> None:
    assert worrying(FIGURES) == [
        "the line misses a bend (25 % of the squared residuals)",
        "residuals scatter unevenly: take std_error_hc3 (up to 25 % other)",
        "one row moves the fit much (Cook's distance 1.5): reports/influence.csv",
        "rows that each determine a coefficient alone: 2",
        "a<b> nearly repeats other features (VIF 45)",
    ]
    assert worrying({}) == []


def test_of_several_targets_each_sentence_names_its_own() -> None:
    two = {"targets": {"y": {"reset": TEST}, "z": {"reason": "exact_fit"}}}
    first, second = sentences(two)
    assert first.text.startswith("y: The square and the cube")
    assert (second.name, second.text) == (
        "reason",
        "z: The features explain the target exactly: no residual is left to diagnose.",
    )
    assert worrying(two)[0].startswith("y: the line misses")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_how_rows_count_is_said_before_the_diagnostics(language: Language) -> None:
    for kind in ("precision", "frequency"):
        first, second = sentences(
            {"targets": {"y": {"reset": TEST}}, "weights": kind}, str, language
        )
        assert (first.text, first.verdict) == (SENTENCES[language][f"weights.{kind}"], "fine")
        assert second.name == "reset"


def test_every_reason_has_a_sentence() -> None:
    for reason in ("not_linear", "exact_fit", "no_degrees_of_freedom", "rows_not_kept"):
        (one,) = sentences({"reason": reason})
        assert one.text == diagnostic_words.SENTENCES["en"][f"reason.{reason}"]
