"""The contract describes the ONNX file, and its schema the contract."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import onnx
import pytest
from conftest import ROOT
from onnx_files import contract_of

from pipeline.onnx_model import golden
from pipeline.onnx_model.contract import MatrixContract, MatrixTerms, validated
from pipeline.settings import files

SCHEMA = ROOT / "clients" / "contract.schema.json"


def test_the_schema_is_that_of_the_code() -> None:
    command = [sys.executable, "-m", "pipeline.onnx_model.contract"]
    assert subprocess.check_output(command, cwd=ROOT, text=True) == SCHEMA.read_text()


def test_the_tutorials_contract(workspace: Path) -> None:
    contract = contract_of()
    validated(contract)
    content = files.ONNX.read_bytes()
    assert contract["sha256"] == hashlib.sha256(content).hexdigest()
    assert contract["input"] == {
        "name": "x",
        "dtype": "float32",
        "shape": ["batch", 1],
        "features": [{"name": "x", "min": 1.0, "max": 3.0, "mean": 2.0}],
    }
    assert [(out["name"], out["targets"]) for out in contract["outputs"]] == [("y", ["y"])]
    assert contract["test_metrics"] == {}
    assert contract["source"]["params"]["train.lr"] == 0.01
    assert len(contract["golden"]["inputs"]) == golden.VECTOR_COUNT
    assert contract["golden"]["inputs"][0] == [4.0]
    assert contract["golden"]["outputs"]["y"][0] == [pytest.approx(7.5619025, abs=1e-6)]
    # The metadata of the file say the same, except what was added later.
    (entry,) = onnx.load_from_string(content).metadata_props
    terms = json.loads(entry.value)
    assert set(contract) - set(terms) == {"sha256", "onnxruntime", "golden"}
    assert {key: contract[key] for key in terms} == terms
    MatrixTerms.model_validate_json(entry.value)


def test_a_contract_without_means_is_still_one(workspace: Path) -> None:
    contract = contract_of()
    del contract["input"]["features"][0]["mean"]
    assert MatrixContract.model_validate(contract).input.features[0].mean is None
