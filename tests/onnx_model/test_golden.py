"""The golden vectors are hard, and their answers and bounds are right."""

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from conftest import job
from onnx_files import TWO_TARGETS, contract_of

from pipeline.exact.rounding import nearest
from pipeline.learning import prediction, weights
from pipeline.onnx_model import golden
from pipeline.onnx_model.contract import MatrixContract
from pipeline.onnx_model.contract_inputs import Float
from pipeline.settings import files


@pytest.mark.parametrize(("dtype", "standardize"), [("float32", True), ("float64", False)])
def test_golden_vectors_are_right_and_hard(
    dtype: Float, standardize: bool, workspace: Path
) -> None:
    contract = contract_of(**TWO_TARGETS, model__dtype=dtype, model__standardize=standardize)
    vectors = MatrixContract.model_validate(contract).golden
    x, y = np.array(vectors.inputs), np.array(vectors.outputs["y"])
    bounds = np.array(vectors.bounds["y"])
    assert x.shape == (golden.VECTOR_COUNT, 3)
    assert np.array_equal(x, x.astype(dtype)), "numbers that the input holds exactly"
    kind = np.finfo(dtype)
    assert (x == 0).all(axis=1).sum() == 2
    assert ((np.abs(x) <= kind.smallest_normal) & (x != 0)).all(axis=1).sum() == 3
    assert (np.abs(x) > kind.max / 1e3).all(axis=1).sum() == 3
    # In some rows the terms cancel: the answer is not much larger than its rounding error.
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
    # Compare with the definition, number by number.
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
    assert set(contract["test_metrics"]) >= {"mse", "r2"}
