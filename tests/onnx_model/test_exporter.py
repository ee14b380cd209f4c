"""Every number of the module is in the file, and no path of the machine that made it."""

from pathlib import Path
from typing import get_args

import abline_client
import onnx
import pytest
import torch
from onnx_files import METADATA, contract_of, exported, linear, metadata, problems, wanted

from pipeline.onnx_model import exporter
from pipeline.onnx_model.contract_inputs import Float


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(
    "opset", [13, *(pytest.param(opset, marks=pytest.mark.slow) for opset in (18, 20)), 26]
)
def test_every_precision_and_opset_is_written_and_verified(
    dtype: torch.dtype, opset: int, capfd: pytest.CaptureFixture[str]
) -> None:
    module = linear(dtype)
    terms = metadata(opset=opset, dtype="float32" if dtype == torch.float32 else "float64")
    content = exporter.export(module, 3, opset, terms)
    assert problems(content, wanted(module, opset)) == []
    proto = onnx.load_from_string(content)
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", opset)]
    assert capfd.readouterr() == ("", ""), "an export that went well has nothing to say"


@pytest.mark.parametrize(("weight", "bias"), [(2.0, 0.0), (2.0, -0.0), (0.0, 0.0)])
def test_numbers_that_an_optimizer_would_leave_out_are_in_the_file(
    weight: float, bias: float
) -> None:
    """The bias of the tutorial's exact solution is zero."""
    module = linear()
    with torch.no_grad():
        module.linear.weight.fill_(weight)
        module.linear.bias.fill_(bias)
    content = exporter.export(module, 3, 20, METADATA)
    assert problems(content, wanted(module)) == []
    names = {tensor.name for tensor in onnx.load_from_string(content).graph.initializer}
    assert names == {"linear.weight", "linear.bias"}


def test_the_file_is_the_same_twice_and_names_no_place() -> None:
    assert exporter.export(linear(), 3, 20, METADATA) == exported()
    for trace in (b"pipeline/", b".py", b"site-packages", b"pkg.torch", b"+cpu", b"home"):
        assert trace not in exported(), trace
    in_file = {e.key: e.value for e in onnx.load_from_string(exported()).metadata_props}
    assert in_file == METADATA


@pytest.mark.parametrize("dtype", get_args(Float))
def test_the_tutorials_exact_solution_is_exported(dtype: Float, workspace: Path) -> None:
    """Its bias is zero."""
    contract_of(train__optimizer="exact", model__dtype=dtype)
    assert abline_client.load("models").predict({"x": [4.0]}).tolist() == [[8.0]]
