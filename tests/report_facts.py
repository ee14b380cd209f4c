"""Facts of a result for the tests of its card and its report, made by hand: no stage has to run."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from mixed_tables import mixed_plan

from pipeline.columns.plan import Plan
from pipeline.onnx_model.contract import TableContract, validated
from pipeline.report.facts import Facts

QUERY = {"area": "70.0", "age": "", "heating": "gas", "district": "north", "sold": "2020-01-05"}
CHECKS = [{"rows": 40}, {"rows": 2}]


def contract_of(plan: Plan, targets: Sequence[str] = ("price",), **params: Any) -> TableContract:
    """Return the contract of a model that takes the raw columns of a plan."""
    known = {
        "data.source": "data/raw/flats.csv", "data.test_fraction": 0.2, "data.folds": 5, "seed": 0,
        "train.optimizer": "exact", "train.reduction": "sum",
    } | params  # fmt: skip
    contract = validated(
        {
            "version": 2,
            "inputs": [
                {"name": "area", "kind": "number", "dtype": "float32", "shape": ["batch"],
                 "min": 0.0, "max": 1.0, "mean": 0.5, "missing_rows": 0, "fill": None,
                 "indicator": False}
            ],
            "encoded": plan.encoded_names,
            "outputs": [
                {"name": f"y{place}", "meaning": "prediction", "dtype": "float32",
                 "shape": ["batch", 1], "targets": [target]}
                for place, target in enumerate(targets)
            ],
            "golden": {"inputs": {"area": [1.0]}, "outputs": {"y0": [[1.0]]},
                       "bounds": {"y0": [[0.0]]}, "derivation": "by hand"},
            "opset": 20, "ir_version": 10, "test_metrics": {}, "sha256": "a" * 64,
            "onnxruntime": "1.32.0",
            "source": {"training_id": "an id", "params": known, "md5": {
                "data/train.parquet": "1" * 32, "data/test.parquet": "2" * 32}},
        }
    )  # fmt: skip
    assert isinstance(contract, TableContract)
    return contract


def coefficients(plan: Plan, target: str = "price", **notes: str) -> list[dict[str, str]]:
    """Return rows of coefficients.csv: 1, 2, 3 and so on, each with an interval of ±0.5."""
    return [
        {"target": target, "term": term, "value": f"{value}.0", "reference": f"{value}.0",
         "std_error": "0.25", "t": "4", "p": "0.01", "ci_low": f"{value - 0.5}",
         "ci_high": f"{value + 0.5}", "note": notes.get(term, "")}
        for value, term in enumerate([*plan.encoded_names, "bias"], 1)
    ]  # fmt: skip


def some_facts(plan: Plan | None = None, **changes: Any) -> Facts:
    """Return the facts of a good model of a mixed table, with other values where `changes` says."""
    plan = plan or mixed_plan()
    figures = {"rmse": 2.0, "mae": 1.5, "r2": 0.75, "mse": 4.0, "loss": 4.0}
    price = {"price": "123.4", "price reference": "123.5", "price low 95%": "120.0",
             "price high 95%": "127.0"}  # fmt: skip
    facts = Facts(
        plan,
        contract_of(plan),
        {"checks": CHECKS, "training_rows": {"tried": 40, "of": 40}, "model_md5": "b" * 32},
        {
            "train": figures | {"rmse": 1.9},
            "test": figures,
            "reference": figures | {"condition_number": 12.0, "gap": 0.0, "degrees_of_freedom": 30},
        },
        coefficients(plan),
        400,
        100,
        predictions=[QUERY | price],
        queries_in_range=[True],
        deviations=dict.fromkeys(plan.encoded_names, 2.0),
        mean_alone={"train": 4.5, "test": 4.0},
        target_ranges={"price": (80.0, 260.0)},
        test_in_range=(98, 100),
        pins={"torch": "2.13.0"},
    )
    return replace(facts, **changes)


def with_metrics(facts: Facts, **changes: Any) -> Facts:
    """Return facts with other entries in metrics.json."""
    return replace(facts, metrics=dict(facts.metrics) | changes)


def with_params(facts: Facts, **params: Any) -> Facts:
    """Return facts with other parameters: with_params(facts, train__l2="cv")."""
    named = {key.replace("__", "."): value for key, value in params.items()}
    return replace(facts, contract=contract_of(facts.plan, facts.targets, **named))


DIAGNOSTICS = {
    "targets": {
        "price": {
            "reset": {"verdict": "fine", "p": 0.5},
            "breusch_pagan": {"verdict": "worrying", "p": 1e-9, "size": 0.4},
        }
    },
    "vif": {"verdict": "slight", "largest": 6.0, "term": "<b>`area`"},
}


def _influential(place: int, cooks: str) -> dict[str, str]:
    return {
        "target": "price", "file": "data/raw/flats.csv", "row": f"{place}", "actual": "5.0",
        "predicted": "4.0", "residual": "1.0", "leverage": "0.5", "cooks_distance": cooks,
        "studentized_residual": "3.1234",
    }  # fmt: skip


def diagnosed() -> Facts:
    """Return the facts of a model with a worrying diagnostic, and three influential rows."""
    facts = with_metrics(some_facts(), diagnostics=DIAGNOSTICS)
    return some_facts(
        metrics=facts.metrics,
        influence=[_influential(7, "1.5"), _influential(12, "0.25"), _influential(9, "")],
    )
