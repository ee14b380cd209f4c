"""The check with the Python client finds each mistake that a client would find."""

import hashlib
from pathlib import Path
from typing import Any

import onnx
import pytest
from conftest import job
from onnx_files import ALL_OUTPUTS, contract_of, replace, scale_weights

from pipeline.columns.summary import read_summary
from pipeline.learning import weights
from pipeline.onnx_model import answer_checks, conformance, golden, outputs, structure_checks
from pipeline.onnx_model.contract import MatrixContract, MatrixVectors
from pipeline.onnx_model.expected import Expected
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tables import table


def problem_of(content: bytes, contract: MatrixContract) -> str | None:
    """Return the problem of a file that comes with a contract of the right sha256."""
    sha256 = hashlib.sha256(content).hexdigest()
    return conformance.check(content, contract.model_copy(update={"sha256": sha256})).problem


def test_the_vectors_find_a_file_of_other_weights(workspace: Path) -> None:
    contract = MatrixContract.model_validate(contract_of())
    content = files.ONNX.read_bytes()
    check = conformance.check(content, contract)
    assert (check.problem, check.rows) == (None, golden.VECTOR_COUNT)
    assert check.bound == max(bound for (bound,) in contract.golden.bounds["y"])
    assert 0 < check.used <= 1
    proto = onnx.load_from_string(content)
    scale_weights(proto)
    problem = problem_of(proto.SerializeToString(), contract)
    assert problem is not None
    assert problem.startswith("y of vector 0 is [7.56")
    assert ", must be [7.5619025230407715]" in problem


def test_a_file_of_another_contract_is_refused_as_by_a_client(workspace: Path) -> None:
    contract = MatrixContract.model_validate(contract_of())
    content = files.ONNX.read_bytes()
    other_digest = contract.model_copy(update={"sha256": "0" * 64})
    problem = conformance.check(content, other_digest).problem
    assert problem is not None
    assert problem.startswith("model.onnx is not the file that contract.json describes: its sha256")
    other_terms = contract.model_copy(update={"opset": 7})
    assert conformance.check(content, other_terms).problem == (
        "contract.json contradicts the terms in model.onnx (opset); take both from one result"
    )


def test_intervals_and_ranges_that_are_off_are_noticed(workspace: Path) -> None:
    contract = MatrixContract.model_validate(contract_of(**ALL_OUTPUTS, model__dtype="float64"))
    content = files.ONNX.read_bytes()
    params = job(**ALL_OUTPUTS, model__dtype="float64")
    rows, summary = table.read(files.TRAIN).columns("abc"), read_summary()
    trained = weights.load(files.MODEL, params.model, 3, 2)
    module = outputs.with_outputs(trained, params, summary, rows)
    expected = Expected(module, "abc", "uv", 20, 1e-5, 1e-6)
    inputs = {"rows": {"x": rows}}

    def problems(content: bytes) -> list[str]:
        checks = structure_checks.run(content, expected)
        checks += answer_checks.run(content, expected, inputs)
        return [check.problem for check in checks if check.problem]

    assert problems(content) == []
    for name, factor, output in (
        ("factor", 1 + 1e-6, "low"),
        ("scale", 1 - 1e-6, "low"),
        ("largest", 0.999, "in_range"),
    ):
        proto = onnx.load_from_string(content)
        (tensor,) = [each for each in proto.graph.initializer if each.name == name]
        replace(tensor, onnx.numpy_helper.to_array(tensor) * factor)
        spoilt = proto.SerializeToString()
        problem = problem_of(spoilt, contract)
        assert problem is not None
        assert problem.startswith(f"{output} of vector")
        # The checks against torch find it as well.
        messages = problems(spoilt)
        assert messages[0] == f"{name} differs from the trained tensor"
        assert any(f", {output}: onnx" in problem for problem in messages[1:])


def test_bounds_too_wide_to_prove_anything_ship_in_no_file(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No client would accept them."""
    vectors = golden.vectors

    def wide(*given: Any) -> MatrixVectors:
        right = vectors(*given)
        bounds = [[abs(y)] for (y,) in right.outputs["y"]]
        return right.model_copy(update={"bounds": {"y": bounds}})

    monkeypatch.setattr(golden, "vectors", wide)
    with pytest.raises(UserError, match=r"bounds.y.0.: found 7.56, which is no bound .* size 7.75"):
        contract_of()
    assert not files.ONNX.exists()
