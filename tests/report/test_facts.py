"""The facts say by which rows a model is judged, and what there is to worry about."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from conftest import job, make
from mixed_tables import number_plan
from report_facts import coefficients, some_facts, with_metrics, with_params

from pipeline.columns.plan import read_plan
from pipeline.columns.sample import read_sample
from pipeline.columns.summary import read_summary
from pipeline.onnx_model.contract import validated
from pipeline.report import facts as report_facts
from pipeline.settings import files
from pipeline.settings.errors import UserError

FOLDS = {"rmse": {"mean": 3.0, "std": 0.5}, "r2": {"mean": 0.5, "std": 0.1}}


def test_rows_held_out_judge_before_folds_and_folds_before_training_rows() -> None:
    held_out = with_metrics(some_facts(), cv=FOLDS)
    assert (held_out.evidence, held_out.rmse, held_out.r2) == ("test", 2.0, 0.75)
    assert held_out.rmse_of_mean == 4.0
    folds = replace(held_out, test_rows=0)
    assert (folds.evidence, folds.rmse, folds.r2) == ("folds", 3.0, 0.5)
    assert folds.rmse_of_mean == 4.5
    nothing = {"mean": None, "std": None}
    own = with_metrics(folds, cv={"rmse": nothing, "r2": nothing})
    assert (own.evidence, own.rmse, own.r2) == ("train", 1.9, 0.75)


def test_only_the_least_squares_solution_has_errors_of_its_own() -> None:
    assert some_facts().is_least_squares
    penalized = with_metrics(some_facts(), penalty={"l1": {}, "l2": {}})
    descent = with_params(some_facts(), train__optimizer="sgd")
    for other in (penalized, descent, some_facts(coefficients=[])):
        assert not other.is_least_squares


def test_what_worries() -> None:
    good = some_facts()
    assert [good.condition_is_high, good.few_rows, good.is_learnt_by_heart] == [False] * 3
    reference = good.metrics["reference"]
    for condition in (31, None):
        high = with_metrics(good, reference=reference | {"condition_number": condition})
        assert high.condition_is_high
        assert not replace(high, coefficients=[]).condition_is_high, "there are no effects"
    assert replace(good, training_rows=109).few_rows, "11 numbers with the bias"
    assert not replace(good, training_rows=110).few_rows
    assert with_metrics(good, train=good.metrics["train"] | {"rmse": 1.3}).is_learnt_by_heart


def test_a_target_that_is_a_formula_is_known_from_its_note() -> None:
    plan = number_plan(["a", "b"])
    dependent = coefficients(plan, "total", b="b = 2·a; weight 0")
    assert some_facts(plan, coefficients=dependent).exact_notes == {}
    for note in ("total = a + b in every row: a formula", "total is 5 in every row"):
        exact = coefficients(plan, "total", bias=note, b="b = 2·a; weight 0")
        assert some_facts(plan, coefficients=exact).exact_notes == {"total": note}


def test_the_files_of_a_result_are_gathered(workspace: Path) -> None:
    params = job(
        data__features=["a"],
        data__generate__x=None,
        data__generate__rows=60,
        data__generate__noise=0.5,
        data__test_fraction=0.3,
        train__optimizer="exact",
        evaluate__queries=[[0.0], [50.0]],
        report__language="zh",
    )
    make(params)
    plan, summary = read_plan(), read_summary()
    sample = read_sample(summary, plan, params.data.targets)
    contract = validated(json.loads(files.CONTRACT.read_text()))
    metrics = report_facts.read_metrics()
    asked: Any = (params, plan, summary, sample, contract, {}, metrics)
    facts = report_facts.gather(*asked)
    assert facts.language == "zh"
    assert facts.queries_in_range == [True, False]
    assert facts.test_rows == facts.test_in_range[1] > facts.test_in_range[0] - 1
    # R² is what the model takes off the error of the mean.
    mean = facts.rmse_of_mean
    assert mean is not None
    assert facts.r2 == pytest.approx(1 - (facts.rmse / mean) ** 2, rel=1e-12)
    errors = [abs(float(row["error"])) for row in facts.largest_errors]
    assert errors == sorted(errors, reverse=True)
    assert {row["rows"] for row in facts.largest_errors} == {"held out"}
    assert facts.pins["torch"]
    files.PREDICTIONS.unlink()
    with pytest.raises(UserError, match=r"^reports/predictions.csv: there is no such file; `dvc"):
        report_facts.gather(*asked)
