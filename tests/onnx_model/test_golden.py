"""The golden vectors are hard, and their answers and bounds are right."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import job
from onnx_files import TWO_TARGETS, contract_of

from pipeline.exact.rounding import nearest
from pipeline.learning import prediction, rounding_bound, weights
from pipeline.learning.line import Line
from pipeline.learning.module import LinearModel
from pipeline.onnx_model import golden
from pipeline.onnx_model.contract import Contract, Float
from pipeline.onnx_model.hard_rows import hard_rows
from pipeline.settings import files


@pytest.mark.parametrize(("dtype", "standardize"), [("float32", True), ("float64", False)])
def test_golden_vectors_are_right_and_hard(
    dtype: Float, standardize: bool, workspace: Path
) -> None:
    found = contract_of(**TWO_TARGETS, model__dtype=dtype, model__standardize=standardize)
    vectors = Contract.model_validate(found).golden
    x, y = np.array(vectors.inputs), np.array(vectors.outputs["y"])
    bounds = np.array(vectors.bounds["y"])
    assert x.shape == (golden.VECTOR_COUNT, 3)
    assert np.array_equal(x, x.astype(dtype)), "numbers that the input holds exactly"
    kind = np.finfo(dtype)
    assert (x == 0).all(axis=1).sum() == 2
    assert ((np.abs(x) <= kind.smallest_normal) & (x != 0)).all(axis=1).sum() == 3
    assert (np.abs(x) > kind.max / 1e3).all(axis=1).sum() == 3
    # What is left of terms that cancel is no more than a few times what rounding does.
    module = weights.load(
        files.MODEL,
        job(**TWO_TARGETS, model__dtype=dtype, model__standardize=standardize).model,
        3,
        2,
    )
    line = prediction.line_of(module)
    assert line is not None
    terms = np.abs(x - line.centre) @ np.abs(line.weight.T) + np.abs(line.bias)
    assert (np.abs(y) < 1e3 * kind.eps * terms).any(axis=1).sum() >= 4
    # Against the definition, number by number.
    for row, right in zip(x.tolist(), y.tolist(), strict=True):
        for target in range(2):
            exact = Fraction(line.bias[target].item()) + sum(
                Fraction(w) * (Fraction(value) - Fraction(c))
                for w, value, c in zip(
                    line.weight[target].tolist(), row, line.centre.tolist(), strict=True
                )
            )
            assert right[target] == nearest(exact, dtype)
    assert (bounds > 0).all()
    assert np.isfinite(bounds).all()
    assert set(found["test_metrics"]) >= {"mse", "r2"}


def test_a_wrong_answer_is_outside_of_the_bounds() -> None:
    """Each vector notices weights that are off by more than their rounding."""
    line = Line(np.array([[1.5, -2.0]]), np.array([0.25]), np.zeros(2))
    low, high, queries = np.zeros(2), np.ones(2), np.empty((0, 2))
    random = np.random.default_rng(0)
    x = hard_rows(golden.VECTOR_COUNT, low, high, queries, line, None, "float32", random)
    module = LinearModel(2, 1)
    with torch.no_grad():
        module.linear.weight.copy_(torch.tensor([[1.5, -2.0]]))
        module.linear.bias.copy_(torch.tensor([0.25]))
    bound = rounding_bound.analytic(module, x)
    assert bound is not None
    y = golden.predictions(line, x, "float32")
    off = golden.predictions(
        Line(line.weight * (1 + 1e-5), line.bias * (1 + 1e-5), line.centre), x, "float32"
    )
    seen = np.abs(off - y) > bound
    assert seen.sum() >= 20, "all except rows that cancel or are tiny"
