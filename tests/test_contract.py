"""The contract says what the ONNX file is, and its golden vectors are hard and right."""

import hashlib
import json
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

import numpy as np
import onnx
import pytest
import torch
from conftest import ROOT, job

from pipeline import contract, evaluate, export, files, generate, model, train, verification
from pipeline.balls import nearest
from pipeline.contract import Contract, Float, Terms
from pipeline.linear import Line

SCHEMA = ROOT / "clients" / "contract.schema.json"

WIDE: dict[str, Any] = {
    "data__features": ["a", "b", "c"],
    "data__targets": ["u", "v"],
    "data__test_fraction": 0.25,
    "data__generate__x": None,
    "data__generate__rows": 60,
    "data__generate__weight": None,
    "data__generate__bias": [0.5, -1.0],
    "data__generate__noise": 0.5,
    "train__lr": 0.001,
    "train__epochs": 5,
    "evaluate__queries": [],
}


def made(**changes: Any) -> dict[str, Any]:
    """The contract of a job in the working directory."""
    asked = job(**changes)
    for stage in (generate, train, evaluate, export):
        stage.main(asked)
    content: dict[str, Any] = json.loads(files.CONTRACT.read_text())
    return content


def test_the_schema_is_that_of_the_code() -> None:
    command = [sys.executable, "-m", "pipeline.contract"]
    assert subprocess.check_output(command, cwd=ROOT, text=True) == SCHEMA.read_text()


def test_the_tutorials_contract(workspace: Path) -> None:
    found = made()
    Contract.model_validate(found)
    content = files.ONNX.read_bytes()
    assert found["sha256"] == hashlib.sha256(content).hexdigest()
    assert found["input"] == {
        "name": "x",
        "dtype": "float32",
        "features": [{"name": "x", "min": 1.0, "max": 3.0}],
    }
    assert [(out["name"], out["targets"]) for out in found["outputs"]] == [("y", ["y"])]
    assert found["test_metrics"] == {}
    assert found["source"]["params"]["train.lr"] == 0.01
    assert len(found["golden"]["inputs"]) == contract.VECTORS
    assert found["golden"]["inputs"][0] == [4.0]
    assert found["golden"]["outputs"]["y"][0] == [pytest.approx(7.5619025, abs=1e-6)]
    # The file alone says the same, but for what came after it.
    (entry,) = onnx.load_from_string(content).metadata_props
    terms = json.loads(entry.value)
    assert set(found) - set(terms) == {"sha256", "onnxruntime", "golden"}
    assert {key: found[key] for key in terms} == terms
    Terms.model_validate_json(entry.value)


@pytest.mark.parametrize("dtype", get_args(Float))
@pytest.mark.parametrize("standardize", [False, True])
def test_golden_vectors_are_right_and_hard(
    dtype: Float, standardize: bool, workspace: Path
) -> None:
    found = made(**WIDE, model__dtype=dtype, model__standardize=standardize)
    golden = Contract.model_validate(found).golden
    x, y = np.array(golden.inputs), np.array(golden.outputs["y"])
    bounds = np.array(golden.bounds["y"])
    assert x.shape == (contract.VECTORS, 3)
    assert np.array_equal(x, x.astype(dtype)), "numbers that the input holds exactly"
    kind = np.finfo(dtype)
    assert (x == 0).all(axis=1).sum() == 2
    assert ((np.abs(x) <= kind.smallest_normal) & (x != 0)).all(axis=1).sum() == 3
    assert (np.abs(x) > kind.max / 1e3).all(axis=1).sum() == 3
    # What is left of terms that cancel is no more than a few times what rounding does.
    module = model.load(
        files.MODEL, job(**WIDE, model__dtype=dtype, model__standardize=standardize).model, 3, 2
    )
    line = model.coefficients(module)
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
    x = contract.hard_rows(
        np.zeros(2), np.ones(2), np.empty((0, 2)), line, "float32", np.random.default_rng(0)
    )
    module = model.LinearModel(2, 1)
    with torch.no_grad():
        module.linear.weight.copy_(torch.tensor([[1.5, -2.0]]))
        module.linear.bias.copy_(torch.tensor([0.25]))
    bound = model.rounding_bound(module, x)
    assert bound is not None
    y = contract.answers(line, x, "float32")
    off = contract.answers(
        Line(line.weight * (1 + 1e-5), line.bias * (1 + 1e-5), line.centre), x, "float32"
    )
    seen = np.abs(off - y) > bound
    assert seen.sum() >= 20, "but for rows that cancel or are next to nothing"


def test_the_vectors_find_a_file_of_other_weights(workspace: Path) -> None:
    found = made()
    proto = onnx.load(files.ONNX)
    for tensor in proto.graph.initializer:
        values = onnx.numpy_helper.to_array(tensor) * np.float32(1 + 1e-5)
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    golden = Contract.model_validate(found).golden
    assert verification.conforms(files.ONNX.read_bytes(), golden).problem is None
    problem = verification.conforms(proto.SerializeToString(), golden).problem
    assert problem is not None
    assert problem.startswith("y of vector 0 is [7.56")


def test_a_column_of_the_training_rows_is_in_its_own_range() -> None:
    """0.1 as float32 is more than 0.1: the range is rounded as the rows are."""
    low, high = np.array([0.1]), np.array([0.7])
    (feature,) = contract.features(["a"], low, high, "float32")
    assert feature.min <= np.float32(0.1) <= np.float32(0.7) <= feature.max
