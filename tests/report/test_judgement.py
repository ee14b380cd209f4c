"""A model is judged by the figure that its loss asks for, in the unit that readers know."""

from dataclasses import replace

import pytest
from report_facts import contract_of, some_facts, with_metrics, with_params

from pipeline.report import judgement, page_quality, page_verdict
from pipeline.report.facts import Facts
from pipeline.settings.keys.weight_settings import Weights

OWN = {"own_unit_rmse": 300.0, "own_unit_mae": 200.0, "own_unit_r2": 0.64}


@pytest.mark.parametrize(
    ("r2", "word"),
    [(1.0, "perfect"), (0.95, "close"), (0.6, "good"), (0.4, "moderate"), (0.01, "weak"),
     (0.0, "none"), (-3.0, "none"), (None, "unknown")],
)  # fmt: skip
def test_grades(r2: float | None, word: str) -> None:
    assert judgement.grade(r2) == word


def of_log(**changes: float) -> Facts:
    facts = some_facts()
    plan = facts.plan.model_copy(update={"target_scales": {"price": "log"}})
    figures = facts.metrics["test"] | OWN | changes
    return replace(with_metrics(facts, test=figures, train=figures), plan=plan)


def of_loss(name: str, **figures: float) -> Facts:
    facts = with_params(some_facts(), train__loss=name)
    parts = {part: facts.metrics[part] | figures for part in ("train", "test")}
    return with_metrics(facts, **parts)


def test_errors_of_a_logarithm_are_in_the_own_unit() -> None:
    judged = judgement.judged(of_log())
    assert (judged.measure, judged.error, judged.r2) == ("rmse", 300.0, 0.64)
    assert judged.alone == pytest.approx(500.0), "300 is 60 % of the deviation if R² is 0.64"
    text = page_verdict.card(of_log())
    assert "off by <strong>300</strong> on rows" in text
    assert "not of the logarithm that is fitted" in page_verdict.note(of_log())


def test_folds_of_a_logarithm_are_told_as_per_cent() -> None:
    cv = {"rmse": {"mean": 0.2, "std": 0.1}, "r2": {"mean": 0.7, "std": 0.1}}
    facts = replace(with_metrics(of_log(), cv=cv), test_rows=0)
    text = page_verdict.card(facts)
    assert "log(price)" in text
    assert "off by <strong>0.2</strong> on rows that were left out in turn" in text
    assert "which is ±22 % of the answer" in text, "exp(0.2) is 1.221"


def test_a_model_of_medians_is_not_compared_with_the_mean() -> None:
    facts = replace(of_loss("absolute", r2=-0.5), constant_loss={"test": 3.0})
    text = page_verdict.card(facts)
    assert "off by <strong>1.5</strong> on average" in text
    assert "always with the median would be off by 3" in text
    assert "error is 50 % smaller" in text
    assert "R²" not in text
    assert judgement.judged(facts).grade == "good", "half the error is a quarter of the squares"
    worse = replace(facts, constant_loss={"test": 1.0})
    assert "<strong>Not better than the median.</strong>" in page_verdict.card(worse)
    unknown = replace(facts, constant_loss={})
    assert "off by <strong>1.5</strong> on average on rows" in page_verdict.card(unknown)


@pytest.mark.parametrize(("below", "grade"), [(0.88, "is as asked"), (0.8, "is not as asked")])
def test_a_quantile_is_judged_by_its_share(below: float, grade: str) -> None:
    facts = replace(of_loss("quantile:0.9", below=below, loss=50.0), constant_loss={"test": 1.0})
    text = page_verdict.card(facts)
    assert f"The share below {grade}" in text
    assert f"<strong>{100 * below:.0f} %</strong> of the values lie at or below" in text
    assert "90 % should" in text
    assert "Its mean quantile loss, 0.5, is 50 % smaller" in text, "50 in 100 rows"
    assert "typical prediction" not in text


def test_rows_on_their_answers_count_as_either_side() -> None:
    """97 % at or below an optimum of 90 % are no fault of it if 88 % lie below."""
    tied = {"below": 0.97, "strictly_below": 0.88, "loss": 50.0}
    facts = replace(of_loss("quantile:0.9", **tied), constant_loss={"test": 1.0})
    text = page_verdict.card(facts)
    assert "The share below is as asked" in text
    assert "88 % of the values lie below their answer, <strong>97 %</strong> at or below it" in text
    assert "should" not in text
    told = page_quality.section(facts)
    assert "88 % of the values lie below their answer and 97 % at or below it" in told
    assert not judgement.is_as_asked(
        of_loss("quantile:0.9", **tied | {"below": 0.99, "strictly_below": 0.98})
    )
    chinese = page_verdict.card(replace(facts, language="zh"))
    assert "88 % 的数值低于其回答" in chinese


def test_the_mean_of_losses_is_unknown_where_only_a_weighted_sum_is_told() -> None:
    facts = of_loss("quantile:0.9", loss=50.0)
    assert facts.mean_loss("test") == 0.5
    weights = Weights(by="w", kind="precision")
    plan = facts.plan.model_copy(update={"weights": weights})
    assert replace(facts, plan=plan).mean_loss("test") is None
    mean = replace(facts, contract=contract_of(facts.plan, **{"train.reduction": "mean"}))
    assert mean.mean_loss("test") == 50.0
