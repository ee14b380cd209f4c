"""The report reads the same in both languages, and nothing from the table is markup in it."""

import re
import string
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from mixed_tables import mixed_plan, number_plan
from raw_plans import a_plan, category, number
from report_facts import (
    coefficients,
    contract_of,
    diagnosed,
    some_facts,
    with_metrics,
    with_params,
)

from pipeline.report import (
    loss_words,
    page,
    page_again,
    page_answer,
    page_data,
    page_diagnostics,
    page_effect_lines,
    page_effects,
    page_importance,
    page_limits,
    page_path,
    page_quality,
    page_queries,
    page_rows,
    page_verdict,
    row_words,
    words,
)
from pipeline.report.facts import Facts
from pipeline.settings.keys.sections import Language

WORDED = (
    page, page_again, page_answer, page_data, page_diagnostics, page_effect_lines,
    page_effects, page_importance, page_limits, page_path, page_quality, page_queries, page_rows,
    page_verdict, loss_words, row_words, words,
)  # fmt: skip

KNOWN = frozenset(
    re.findall(
        "[a-z]+",
        "abline dvc mlflow numpy onnx onnxruntime torch python pipeline track find make repro md an"
        " conformance training id sha json yaml csv html safetensors model models contract columns"
        " coefficients predictions verification metrics reports data test train parquet params"
        " float rmse cv lasso price breusch pagan reset std error hc influence cook",
    )
)
"""Names of files, packages, commands and terms, which a Chinese report has in English."""

SCRIPT, IMAGE = "<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'


class Read(HTMLParser):
    """Tags of a page, and the text that a reader sees."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.opened: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in ("meta", "img"):
            self.opened.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.opened.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.opened:
            self.text += data + " "


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("module", WORDED, ids=lambda module: module.__name__.rpartition(".")[2])
def test_each_sentence_is_there_in_both_languages(module: object) -> None:
    english, chinese = (vars(module)["SENTENCES"][language] for language in ("en", "zh"))
    assert english.keys() == chinese.keys()
    for key, sentence in english.items():
        wanted = placeholders(sentence) - {"s"} | ({"n"} if " | " in sentence else set())
        assert placeholders(chinese[key]) | {"n"} == wanted | {"n"}, key
        assert re.search("[一-鿿]", sentence) is None, key


def variants() -> Iterator[Facts]:
    """Yield the facts of results that have little in common."""
    good = some_facts()
    yield good
    yield diagnosed()
    yield some_facts(test_rows=0, test_in_range=(0, 0))
    cv = {"rmse": {"mean": 2.5, "std": 0.4}, "r2": {"mean": -0.2, "std": None}}
    penalty = {"l1": {"price": 0.0}, "l2": {"price": 0.02}}
    chosen = with_params(good, train__l2="cv", train__choose="best")
    path = [
        {"target": "price", "l1": "0.0", "l2": f"{l2}", "mse": f"{mse}", "chosen": chosen}
        for l2, mse, chosen in ((1.0, 9.0, "0"), (0.02, 4.0, "1"), (0.001, 16.0, "0"))
    ]
    folded = with_metrics(chosen, cv=cv, penalty=penalty)
    yield some_facts(
        metrics=folded.metrics, contract=folded.contract, test_rows=0, path=path,
        queries_in_range=[False], plots={"path": b'<svg viewBox="0 0 9 9"></svg>'},
    )  # fmt: skip
    yield some_facts(number_plan(["a"]), predictions=[], coefficients=[])
    reference = good.metrics["reference"] | {"condition_number": None, "degrees_of_freedom": 0}
    exact = coefficients(good.plan, bias="price = 2·area in every row: a formula")
    odd = with_metrics(good, reference=reference, train=good.metrics["train"] | {"rmse": 0.1})
    errors = [
        {"target": "price", "rows": "held out", "file": "data/raw/flats.csv", "row": "7",
         "actual": "9", "predicted": "1", "error": "8",
         **{f"column {name}": "" for name in good.plan.features}}
    ] * 2  # fmt: skip
    yield some_facts(
        metrics=odd.metrics, coefficients=exact, training_rows=20, largest_errors=errors,
        test_in_range=(1, 2),
    )  # fmt: skip


def test_no_sentence_is_left_in_the_other_language() -> None:
    # What both have: names of columns and levels, paths, parameters, packages, and terms.
    for facts in variants():
        known = {*re.findall("[a-z]+", f"{facts.plan} {facts.params}".lower())}
        known |= KNOWN | {32 * "b", 64 * "a"}
        chinese = Read(page.page(in_language("zh", facts))).text
        english = Read(page.page(facts)).text
        assert re.search("[一-鿿]", english) is None
        left = {*re.findall("[a-z]{2,}", chinese.lower())} - known
        assert not left, left
        # And the same figures, in the same form.
        figures = r"(?a)(?<![\w=/.])−?\d+(?:,\d{3})*(?:\.\d+)?(?!\w|\.\d)"
        assert sorted(re.findall(figures, english)) == sorted(re.findall(figures, chinese))


def in_language(language: Language, facts: Facts) -> Facts:
    return replace(facts, language=language)


def test_names_and_levels_are_text() -> None:
    plan = a_plan(
        category(SCRIPT, IMAGE, "b&amp;`**{0}**`", missing_rows=1, has_missing=True), number(IMAGE)
    )
    row = {SCRIPT: IMAGE, IMAGE: "1.5"}
    price = {f"{SCRIPT}{end}": "1.0" for end in ("", " reference", " low 95%", " high 95%")}
    facts = some_facts(
        plan,
        contract=contract_of(plan, [SCRIPT], **{"data.source": SCRIPT}),
        coefficients=coefficients(plan, SCRIPT, bias=f"{SCRIPT} = 2·{IMAGE} in every row: a"),
        predictions=[row | price],
        target_ranges={SCRIPT: (1.0, 2.0)},
        language="zh",
    )
    for told in (facts, in_language("en", facts)):
        read = Read(page.page(told))
        assert not {"script", "img", "iframe", "link", "object"} & read.tags
        assert not [name for name, _ in read.attributes if name.startswith("on")]
        addresses = [value for name, value in read.attributes if name in ("src", "href")]
        assert all(value.startswith("#") for value in addresses)
        for text in (SCRIPT, IMAGE, "b&amp;`**{0}**`"):
            assert text in read.text


def test_sections_without_content_are_not_in_the_contents() -> None:
    linear = page.page(some_facts())
    assert 'href="#effects"' in linear
    assert 'id="path"' not in linear
    assert 'href="#path"' not in linear
    module = page.page(some_facts(coefficients=[], predictions=[]))
    assert 'id="queries"' not in module
    assert 'id="diagnostics"' not in module
    assert "The model is not linear" in module


def test_the_page_says_what_it_is_and_loads_nothing() -> None:
    text = page.page(some_facts())
    assert text.startswith('<!doctype html>\n<html lang="en"><head><meta charset="utf-8">')
    assert "default-src &#x27;none&#x27;" in text
    assert "width=device-width" in text
    assert "http" not in text.replace("http-equiv", "")
    assert "url(" not in text
    assert '<html lang="zh-Hans">' in page.page(some_facts(language="zh"))
    assert page.page(some_facts()) == text
    assert mixed_plan().features[0] in text
