"""The report says what is true of each kind of job: networks, quantiles, clusters, weights."""

from dataclasses import replace

import pytest
from report_facts import QUERY, coefficients, some_facts, with_metrics, with_params
from term_plans import FEATURES, learnt, rows_of_every_kind

from pipeline.exact import student
from pipeline.report import (
    page_data,
    page_effects,
    page_importance,
    page_quality,
    page_queries,
    term_intervals,
)
from pipeline.report.facts import Facts
from pipeline.settings.keys.sections import Language
from pipeline.settings.keys.weight_settings import Weights


def clustered() -> Facts:
    clusters = {"targets": {"price": {"clusters": {"number": 11, "verdict": "fine"}}}}
    rows = [row | {"std_error_clustered": "0.5"} for row in coefficients(some_facts().plan)]
    facts = with_params(with_metrics(some_facts(), diagnostics=clusters), data__clusters="street")
    return replace(facts, coefficients=rows)


def test_intervals_are_clustered_where_the_job_asks_for_it() -> None:
    facts = clustered()
    rows = {row["term"]: row for row in facts.coefficients}
    shown = term_intervals.shown(facts, "price", rows)["area"]
    t = float(student.quantile(term_intervals.CONFIDENCE, 10))
    assert float(shown["ci_low"]) == pytest.approx(1 - 0.5 * t)
    assert t == pytest.approx(2.228, abs=0.001), "the usual table, 10 degrees of freedom"
    assert "an equal <bdi>street</bdi> may depend" in page_effects.section(facts)


def test_effects_of_a_quantile_have_no_intervals_of_means() -> None:
    facts = with_params(some_facts(), train__loss="quantile:0.9")
    text = page_effects.section(facts)
    assert "How much higher the 0.9 quantile of" in text
    assert "95 % interval" not in text
    assert "belong to least squares, which answers with means" in text


def test_effects_on_a_logarithm_are_per_cent() -> None:
    plan = some_facts().plan.model_copy(update={"target_scales": {"price": "log"}})
    rows = [row | {"value": "0.5", "ci_low": "", "ci_high": ""} for row in coefficients(plan)]
    text = page_effects.section(replace(some_facts(), plan=plan, coefficients=rows))
    assert "By how many per cent" in text
    assert ">171.8<" in text, "two more of area: exp(2 · 0.5) is 2.718"
    assert ">64.872<" in text, "one more: exp(0.5) is 1.6487"


def test_the_columns_that_count_most_for_a_network_are_first() -> None:
    facts = replace(some_facts(), coefficients=[])
    facts = with_metrics(facts, importance={"age": 1.0, "area": 5.0, "heating": 2.0})
    text = page_importance.section(facts)
    places = [text.index(f"<bdi>{name}</bdi>") for name in ("area", "heating", "age")]
    assert places == sorted(places)


def test_an_answer_has_the_interval_of_its_model() -> None:
    ends = {"price model low 95%": "100", "price model high 95%": "150"}
    price = {"price": "123", "price reference": "1", "price low 95%": "2", "price high 95%": "3"}
    interval = {"rows": 99, "coverage": 0.95, "low": {"price": -1.0}, "high": {"price": 1.0}}
    facts = with_metrics(some_facts(predictions=[QUERY | price | ends]), interval=interval)
    text = page_queries.section(facts)
    assert "95 % prediction interval: 100 to 150" in text
    assert "calibrated on 99 held-out rows" in text
    beside = {"price reference low 95%": "4", "price reference high 95%": "5"}
    trained = replace(
        with_params(some_facts(), train__optimizer="sgd"),
        predictions=[QUERY | {"price": "123", "price reference": "1"} | beside],
    )
    text = page_queries.section(trained)
    assert "least squares: 1, 95 % prediction interval 4 to 5" in text
    assert "The interval belongs to the least-squares line beside the model" in text
    quantile = replace(with_params(facts, train__loss="quantile:0.9"), predictions=[QUERY | price])
    text = page_queries.section(quantile)
    assert "0.9 quantile of" in text
    assert "2 to 3" not in text, "the interval of a mean"


def test_weights_are_told_with_the_rows_that_have_none() -> None:
    plan = some_facts().plan
    counted = plan.rows.model_copy(update={"dropped": {"w": 3}})
    weighted = plan.model_copy(
        update={"weights": Weights(by="w", kind="precision"), "rows": counted}
    )
    text = page_data.section(replace(some_facts(), plan=weighted))
    assert "Rows are weighted by <bdi>w</bdi>" in text
    assert "because their weight, <bdi>w</bdi>, was missing or 0" in text


@pytest.mark.parametrize(
    ("loss", "language", "told"),
    [
        ("squared", "en", "on the diagonal the model would be right"),
        ("quantile:0.9", "en", "whose value is at most its answer, 90 % of them"),
        ("absolute", "en", "whose value is at most its answer, 50 % of them"),
        ("quantile:0.9", "zh", "这样的行占 90 %"),
    ],
)
def test_the_diagonal_is_told_by_what_the_model_answers(
    loss: str, language: Language, told: str
) -> None:
    facts = some_facts(plots={"predicted": b'<svg viewBox="0 0 9 9"></svg>'}, language=language)
    text = str(page_quality.section(with_params(facts, train__loss=loss)))
    assert told in text
    assert ("would be right" in text) == (loss == "squared")


@pytest.mark.parametrize("scale", ["none", "log"])
def test_a_column_with_several_terms_is_said_to_change_them_all(scale: str) -> None:
    plan = learnt(rows_of_every_kind(), FEATURES, ["age^2"])
    plan = plan.model_copy(update={"target_scales": {"price": "log"} if scale == "log" else {}})
    text = page_effects.section(some_facts(plan))
    assert "A column with several terms changes them all" in text
    assert ("its effect is the sum of their lines" in text) is (scale == "none")
    assert "several terms" not in page_effects.section(some_facts())
