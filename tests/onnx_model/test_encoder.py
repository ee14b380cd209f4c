"""The graph of the columns gives the numbers of the plan, bit for bit."""

import numpy as np
import onnxruntime
import pytest
from raw_plans import EVERY_KIND, a_plan, category, date, number, random_rows

from pipeline.columns.plan import Plan
from pipeline.onnx_model import feed
from pipeline.onnx_model.contract_inputs import Float
from pipeline.onnx_model.encoder import encoder
from pipeline.onnx_model.feed import Inputs


def check(plan: Plan, inputs: Inputs, dtype: Float = "float64", opset: int = 19) -> None:
    """Compare the graph with the plan at the first and the last level of optimisation."""
    right = feed.of_table(inputs, plan, dtype)
    content = encoder(plan, dtype, opset, "encoder/", ranges=True).SerializeToString()
    for level in ("ORT_DISABLE_ALL", "ORT_ENABLE_ALL"):
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
        x, refused, inside = onnxruntime.InferenceSession(content, options).run(None, dict(inputs))
        assert refused[:, 0].tolist() == right.refused.tolist()
        assert inside[:, 0].tolist() == right.inside.tolist()
        answered = ~right.refused
        assert x.dtype == dtype
        assert np.array_equal(x[answered], right.x[answered].astype(dtype))


@pytest.mark.parametrize("opset", [19, 20, 26])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_kind_of_column_is_encoded_as_by_the_plan(dtype: Float, opset: int) -> None:
    inputs = random_rows(EVERY_KIND, 3000, dtype)
    right = feed.of_table(inputs, EVERY_KIND, dtype)
    assert 0 < right.refused.sum() < 3000
    assert right.inside.any()
    for rows in (0, 1, 2, 3000):
        check(EVERY_KIND, feed.chosen(inputs, slice(rows)), dtype, opset)


@pytest.mark.parametrize("unit", ["days", "seconds"])
def test_the_calendar_is_right_for_all_of_date32(unit: str) -> None:
    parts = ["days", "year", "month", "weekday"] + (["hour"] if unit == "seconds" else [])
    every = {"levels": {"month": tuple(range(1, 13)), "weekday": tuple(range(1, 8))}}
    plan = a_plan(date("at", *parts, unit=unit, **every))
    days = np.concatenate(
        [
            np.arange(-800_000, 800_000, 97),  # a step without a common factor with a week
            np.arange(-719_900, -718_700),  # the years −1 to 2
            np.array([-(2**31) + 1, -146_097, -1, 0, 1, 146_096, 146_097, 2**31 - 1]),
            np.random.default_rng(0).integers(-(2**31) + 1, 2**31, 5000),
        ]
    )
    check(plan, {"at": days if unit == "days" else days * 86_400 - 1})


def test_seconds_near_the_ends_of_int64_do_not_overflow() -> None:
    plan = a_plan(date("at", "hour", "days", unit="seconds"))
    ends = np.array([-(2**63) + 1, -(2**63) + 86_400, 2**63 - 1])
    check(plan, {"at": ends})


def test_a_thousand_levels() -> None:
    names = sorted((f"level {place} é😀" for place in range(1000)), key=str.encode)
    plan = a_plan(category("c", *names, unseen="reference"), number("x"))
    texts = np.array([*names, "", "level 1", "level 1 é😀 "], np.object_)
    check(plan, {"c": texts, "x": np.ones(len(texts))})


def test_a_level_with_nul_is_another_one() -> None:
    plan = a_plan(category("c", "a", "a\0b"))
    check(plan, {"c": np.array(["a", "a\0b", "a\0", "a\0c", "b"], np.object_)})
