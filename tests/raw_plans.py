"""A plan of columns of every kind, made by hand, and raw rows for it."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sums import part_of
from torch import nn

from pipeline.columns.category import CategoryColumn, Level
from pipeline.columns.date import GAP, DateColumn
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import AnyColumn, Plan, RowCounts
from pipeline.learning.module import LinearModel
from pipeline.onnx_model import contract, feed, table_exporter, terms
from pipeline.onnx_model.contract import Lineage, TableTerms
from pipeline.onnx_model.contract_inputs import Float
from pipeline.onnx_model.expected import IR_VERSION, Expected
from pipeline.onnx_model.feed import Inputs

LEVELS = ("gas", "gas ", "größe", "oil", "🔥")


def a_plan(*columns: AnyColumn) -> Plan:
    rows = RowCounts(source=9, dropped={}, training=9, test=0)
    return Plan(rows=rows, excluded=(), columns=columns)


def number(name: str, **changes: Any) -> NumberColumn:
    about = {"missing_rows": 0, "fill": None, "indicator": False, "min": -1.0, "max": 9.0}
    return NumberColumn.model_validate({"name": name} | about | changes)


def category(name: str, *levels: str, **changes: Any) -> CategoryColumn:
    counted = tuple(Level(name=level, rows=2) for level in levels or LEVELS)
    about = {"missing_rows": 0, "levels": counted, "reference": counted[0].name}
    about |= {"unseen": "refuse", "has_missing": False, "rare_rows": 0}
    return CategoryColumn.model_validate({"name": name} | about | changes)


def date(name: str, *parts: str, **changes: Any) -> DateColumn:
    levels = {"month": (1, 2, 3, 5, 7, 12), "weekday": (1, 2, 3, 4, 5, 6)}
    kept = {part: levels[part] for part in parts if part in levels}
    about = {"missing_rows": 0, "unit": "days", "parts": parts, "levels": kept}
    about |= {"references": dict.fromkeys(kept, 3), "min": -400, "max": 20_000}
    return DateColumn.model_validate({"name": name} | about | changes)


EVERY_KIND = a_plan(
    category("heating"),
    number("area"),
    date("sold", "days", "year", "month", "weekday"),
    number("age", fill=0.1, indicator=True, missing_rows=3),
    category("town", unseen="rare", rare_rows=2),
    category("roof", unseen="reference", has_missing=True, missing_rows=2),
    category("wall", unseen="rare", has_missing=True, reference="(rare)"),
    category("floor", unseen="reference"),
    category("only", "one"),
    number("rooms", fill=3.0),
    date("seen", "hour", "month", unit="seconds", min=-(10**9), max=10**9),
)


def random_rows(plan: Plan, rows: int, dtype: Float = "float64", seed: int = 0) -> Inputs:
    """Return random raw rows, with gaps, unseen levels and dates of many centuries."""
    random = np.random.default_rng(seed)

    def values(column: AnyColumn) -> NDArray[Any]:
        if isinstance(column, NumberColumn):
            drawn = random.normal(3, 4, rows).astype(dtype)
            return np.where(random.random(rows) < 0.1, np.nan, drawn).astype(dtype)
        if isinstance(column, CategoryColumn):
            texts = [level.name for level in column.levels] * 5 + ["", "Gas", "oil ", "gr"]
            return random.choice(np.array(texts, np.object_), rows)
        near = random.integers(-400, 20_000, rows)
        far = random.integers(-(2**31) + 1, 2**31, rows)
        days = np.where(random.random(rows) < 0.8, near, far)
        seconds = days * 86_400 + random.integers(0, 86_400, rows)
        moments = days if column.unit == "days" else seconds
        return np.where(random.random(rows) < 0.02, GAP, moments)

    return {column.name: values(column) for column in plan.columns}


def linear_for(plan: Plan, targets: int = 1, dtype: torch.dtype = torch.float32) -> nn.Module:
    torch.manual_seed(0)
    return LinearModel(len(plan.encoded_names), targets).to(dtype).eval()


def expected_of(
    module: nn.Module, plan: Plan, asked: tuple[str, ...] = ("prediction", "in_range")
) -> Expected:
    targets = [f"t{place}" for place in range(1, targets_of(module) + 1)]
    return Expected(module, plan.encoded_names, targets, 20, 0, 0, plan, asked)


def targets_of(module: nn.Module) -> int:
    return [each for each in module.modules() if isinstance(each, nn.Linear)][-1].out_features


def file_of(expected: Expected, opset: int = 20) -> bytes:
    """Return the file of a module and a plan, with terms of made-up numbers."""
    assert expected.plan is not None
    metadata = contract.metadata(terms_of(expected, expected.plan))
    outputs, precision = expected.outputs, expected.precision
    return table_exporter.export(
        expected.module, expected.plan, outputs, precision, opset, metadata
    )


def terms_of(expected: Expected, plan: Plan) -> TableTerms:
    numbers, _ = plan.encode(feed.arrow(random_rows(plan, 9), plan))
    return TableTerms(
        version=2,
        inputs=terms.raw_columns(plan, part_of(np.nan_to_num(numbers)), expected.precision),
        encoded=plan.encoded_names,
        outputs=expected.outputs,
        opset=expected.opset,
        ir_version=IR_VERSION,
        source=Lineage(training_id="an id", md5={}, params={}),
        test_metrics={},
    )
