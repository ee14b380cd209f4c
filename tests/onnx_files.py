"""ONNX files that tests make and spoil, and the `Expected` for them."""

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from conftest import job, make
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, numpy_helper
from sums import part_of
from torch import nn

from pipeline.learning.module import LinearModel, Standardized
from pipeline.onnx_model import answer_checks, contract, exporter, structure_checks, terms
from pipeline.onnx_model.contract import Lineage, MatrixTerms
from pipeline.onnx_model.contract_inputs import Float, Input
from pipeline.onnx_model.expected import IR_VERSION, Expected
from pipeline.onnx_model.outputs import described
from pipeline.onnx_model.trial_rows import trial_rows
from pipeline.settings import files

TWO_TARGETS: dict[str, Any] = {
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

ALL_OUTPUTS: dict[str, Any] = TWO_TARGETS | {
    "train__optimizer": "exact",
    "export__outputs": ["prediction", "interval", "in_range"],
    "evaluate__queries": [[0.5, -1.0, 2.0], [1e6, 0.0, 0.0]],
}

FEATURES, TARGETS = ("a", "b", "c"), ("u", "v")
TRAINING = np.random.default_rng(0).normal(size=(40, 3)) * [1, 1e3, 1e-3] + [0, 5e3, 1]


def contract_of(**changes: Any) -> dict[str, Any]:
    """Run a job in the working directory; return the content of its contract.json."""
    make(job(**changes))
    content: dict[str, Any] = json.loads(files.CONTRACT.read_text())
    return content


def metadata(
    features: Sequence[str] = FEATURES,
    targets: Sequence[str] = TARGETS,
    opset: int = 20,
    dtype: Float = "float32",
) -> dict[str, str]:
    """Return the metadata of a file."""
    zeros = np.zeros((1, len(features)))
    model_terms = MatrixTerms(
        version=1,
        input=Input(
            name="x",
            dtype=dtype,
            shape=("batch", len(features)),
            features=terms.features(features, part_of(zeros), dtype),
        ),
        outputs=described(["prediction"], targets, dtype),
        opset=opset,
        ir_version=IR_VERSION,
        source=Lineage(training_id="an id", md5={}, params={}),
        test_metrics={},
    )
    return contract.metadata(model_terms)


METADATA = metadata()


def linear(dtype: torch.dtype = torch.float32) -> LinearModel:
    torch.manual_seed(0)
    module = LinearModel(3, 2).to(dtype)
    return module.eval()


@cache
def exported() -> bytes:
    """Return the file of `linear()`."""
    return exporter.export(linear(), 3, 20, METADATA)


def wanted(module: nn.Module, opset: int = 20) -> Expected:
    return Expected(module, FEATURES, TARGETS, opset, rtol=0, atol=0)


def problems(content: bytes, expected: Expected) -> list[str]:
    """Return the problems that the checks of structure and answers find in a file."""
    rows = trial_rows(
        TRAINING, np.array([[4.0, 5.0, 6.0]]), expected.dtype, np.random.default_rng(1)
    )
    checks = structure_checks.run(content, expected)
    checks += answer_checks.run(content, expected, rows)
    return [f"{check.name}: {check.problem}" for check in checks if check.problem]


def matrices(proto: ModelProto) -> list[tuple[TensorProto, NDArray[Any]]]:
    """Return the matrices in a file."""
    tensors = [(tensor, numpy_helper.to_array(tensor)) for tensor in proto.graph.initializer]
    return [(tensor, value) for tensor, value in tensors if value.ndim > 1]


def replace(tensor: TensorProto, value: NDArray[Any]) -> None:
    tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))


def scale_weights(proto: ModelProto) -> None:
    for tensor in proto.graph.initializer:
        values = numpy_helper.to_array(tensor) * np.float32(1 + 1e-5)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def network(name: str) -> nn.Module:
    """Return a small network whose answers are sums of terms of some hundreds."""
    torch.manual_seed(0)
    inner: list[nn.Module] = {
        "tanh": [nn.Linear(3, 16), nn.Tanh()],
        "relu": [nn.Linear(3, 16), nn.ReLU(inplace=True)],
        "sigmoid": [nn.Linear(3, 16), nn.Sigmoid()],
        "gelu": [nn.Linear(3, 16), nn.GELU()],
        "silu": [nn.Linear(3, 16), nn.SiLU()],
        "softplus": [nn.Linear(3, 16), nn.Softplus()],
        "layer norm": [nn.Linear(3, 16), nn.LayerNorm(16), nn.ELU()],
        "batch norm": [nn.Linear(3, 16), nn.BatchNorm1d(16), nn.Tanh()],
        "softmax": [nn.Linear(3, 16), nn.Softmax(1)],
        "convolution": [nn.Unflatten(1, (1, 3)), nn.Conv1d(1, 16, 3), nn.Flatten(), nn.Tanh()],
        "wide": [nn.Linear(3, 500), nn.Tanh(), nn.Linear(500, 16), nn.ReLU()],
    }[name]
    last = nn.Linear(16, 2)
    with torch.no_grad():
        last.weight.mul_(1000)
        last.bias.fill_(-float(last.weight[0].sum()) / 2)
    mean, deviation = TRAINING.mean(axis=0), TRAINING.std(axis=0)
    module = Standardized(
        nn.Sequential(*inner, last), torch.from_numpy(mean), torch.from_numpy(deviation)
    )
    return module.float().eval()
