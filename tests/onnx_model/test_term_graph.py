"""Terms inside an ONNX file are those of the plan, within what their bounds count, and no more."""

from functools import cache
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from raw_plans import expected_of, file_of, linear_for, random_rows
from term_plans import FEATURES, learnt, plan_of_every_term, rows_of_every_kind
from torch import nn

from pipeline.columns.plan import Plan
from pipeline.onnx_model import answer_checks, encoding_check, feed, raw_golden, raw_trials
from pipeline.onnx_model.contract_inputs import Float
from pipeline.onnx_model.expected import Expected
from pipeline.onnx_model.feed import Inputs


@cache
def every_term() -> Plan:
    return plan_of_every_term()


def rows_of(plan: Plan, dtype: Float) -> dict[str, Inputs]:
    """Return rows that are answered, and rows with gaps, levels and numbers without a value."""
    drawn = dict(random_rows(plan, 500, dtype))
    drawn["area"] = np.where(np.arange(500) % 3 == 0, drawn["area"], np.abs(drawn["area"]))
    random = np.random.default_rng(1)
    return {
        "training": feed.inputs_of(rows_of_every_kind(), plan, dtype),
        "random": drawn,
        "odd": raw_trials.one_at_a_time(plan, drawn, dtype, odd=True, random=random),
    }


def problems(content: bytes, expected: Expected, rows: dict[str, Inputs]) -> list[str]:
    checks = encoding_check.run(content, expected, rows)
    return [c.problem for c in checks + answer_checks.run(content, expected, rows) if c.problem]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_every_term_with_every_kind_of_column(dtype: Float) -> None:
    plan = every_term()
    expected = expected_of(linear_for(plan, 2, getattr(torch, dtype)), plan)
    rows = rows_of(plan, dtype)
    for inputs in rows.values():
        assert (~expected.feed(inputs).refused).any()
    assert expected.feed(rows["random"]).refused.any()
    assert not problems(file_of(expected), expected, rows)


def test_a_network_takes_terms_too() -> None:
    plan = learnt(rows_of_every_kind(), FEATURES, ["log(area)", "age:heating", "spline(age, 4)"])
    torch.manual_seed(0)
    layers = nn.Linear(len(plan.encoded_names), 8), nn.Tanh(), nn.Linear(8, 1)
    expected = expected_of(nn.Sequential(*layers).eval(), plan)
    assert not problems(file_of(expected), expected, rows_of(plan, "float32"))


@pytest.mark.parametrize(
    ("operator", "other"), [("Log", "Sqrt"), ("Sqrt", "Log"), ("Mul", "Add"), ("Div", "Mul")]
)
def test_another_function_in_the_file_is_found(operator: str, other: str) -> None:
    plan = every_term()
    expected = expected_of(linear_for(plan, 1, torch.float64), plan)
    proto = onnx.load_from_string(file_of(expected))
    nodes = [n for n in proto.graph.node if n.op_type == operator and n.name.startswith("encoder/")]
    nodes[-1].op_type = other
    assert problems(proto.SerializeToString(), expected, rows_of(plan, "float64"))


def test_a_logarithm_may_differ_by_its_bound_and_no_more() -> None:
    plan = learnt(rows_of_every_kind(), FEATURES, ["log(area)"])
    rows = feed.inputs_of(rows_of_every_kind(), plan, "float64")
    differences = feed.of_table(rows, plan, "float64").differences
    assert differences is not None
    place = plan.encoded_names.index("log(area)")
    logarithms = np.log(rows["area"])
    np.testing.assert_allclose(differences[:, place], 2.0**-50 * np.abs(logarithms), rtol=1e-9)
    assert not np.delete(differences, place, axis=1).any()
    in_float32 = feed.of_table(rows, plan, "float32").differences
    assert in_float32 is not None
    unit = np.spacing(np.abs(logarithms).astype(np.float32))
    assert (in_float32[:, place] >= unit * 0.99).all(), "it may be rounded to the other side"
    assert (in_float32[:, place] <= unit * 2.1).all()


def test_the_bound_of_an_answer_counts_the_terms_by_their_weights() -> None:
    plan = learnt(rows_of_every_kind(), FEATURES, ["log(area)"])
    model = linear_for(plan, 1, torch.float64)
    expected = expected_of(model, plan, ("prediction",))
    rows = expected.feed(feed.inputs_of(rows_of_every_kind(), plan, "float64"))
    y = expected.answers(rows)[0]
    (bound,) = expected.allowed_in(rows, [y])
    (without,) = expected.allowed(rows.x, y)
    assert rows.differences is not None
    weight = np.abs(expected.line.weight) if expected.line else np.empty(0)
    np.testing.assert_allclose(bound - without, rows.differences @ weight.T, rtol=1e-2)


def test_golden_vectors_have_rows_without_a_logarithm() -> None:
    plan = every_term()
    expected = expected_of(linear_for(plan), plan)
    rows = feed.inputs_of(rows_of_every_kind(), plan, "float32")
    vectors: dict[str, Any] = raw_golden.vectors(expected, rows, rows, 0).model_dump()
    answered = [row[0] is not None for row in vectors["outputs"]["y"]]
    area = [np.nan if each is None else each for each in vectors["inputs"]["area"]]
    assert sum(answered) > 20
    for value, has_answer in zip(area, answered, strict=True):
        assert not has_answer or value > 0
    assert any(value <= 0 for value in area)
    assert "a logarithm may be off by 4 units in the last place" in vectors["derivation"]
