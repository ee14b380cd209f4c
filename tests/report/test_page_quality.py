"""The captions of pictures say what is true of the model."""

from dataclasses import replace

import pytest
from report_facts import coefficients, some_facts, with_metrics, with_params

from pipeline.report import page_quality
from pipeline.report.facts import Facts

PLOTS = dict.fromkeys(("residuals", "quantiles"), b"<svg></svg>")
INTERVAL = {"rows": 99, "coverage": 0.95, "low": {"price": -1.0}, "high": {"price": 1.0}}


def drawn(facts: Facts, *logs: str) -> Facts:
    plan = facts.plan.model_copy(update={"target_scales": dict.fromkeys(logs, "log")})
    return replace(facts, plan=plan, plots=PLOTS)


def test_a_line_of_least_squares_is_advised_as_ever() -> None:
    told = page_quality.section(drawn(some_facts()))
    assert "A bend asks for another term. A funnel asks for the logarithm of the target." in told
    assert "on the diagonal the intervals can be believed" in told


def test_intervals_are_believed_by_the_normal_quantiles_only_where_they_rest_on_them() -> None:
    calibrated = with_metrics(drawn(some_facts()), interval=INTERVAL)
    told = page_quality.section(calibrated)
    assert "can be believed" not in told
    assert "The calibrated interval does not need them to be normal." in told
    sgd = page_quality.section(with_params(drawn(some_facts()), train__optimizer="sgd"))
    assert "interval" not in sgd, "it has none of its own"
    assert "并不要求残差服从正态分布" in page_quality.section(replace(calibrated, language="zh"))


def test_a_logarithm_is_not_asked_for_where_it_is_one() -> None:
    told = page_quality.section(drawn(some_facts(), "price"))
    assert "asks for the logarithm" not in told
    assert "error in per cent is not the same everywhere" in told


def test_of_several_targets_only_those_that_are_no_logarithms_are_asked_for_one() -> None:
    facts = drawn(some_facts(), "price")
    contract = facts.contract
    other = contract.outputs[0].model_copy(update={"name": "y1", "targets": ("rent",)})
    both = contract.model_copy(update={"outputs": (*contract.outputs, other)})
    told = page_quality.section(replace(facts, contract=both))
    assert "the logarithm of a target that is not one already" in told


@pytest.mark.parametrize("is_linear", [True, False])
def test_only_a_line_is_asked_for_another_term(is_linear: bool) -> None:
    facts = drawn(some_facts())
    rows = coefficients(facts.plan) if is_linear else []
    told = page_quality.section(replace(facts, coefficients=rows))
    assert ("asks for another term" in told) == is_linear
    assert ("the model has not learnt all" in told) != is_linear
