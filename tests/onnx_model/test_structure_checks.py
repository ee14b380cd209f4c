"""The ONNX file says what torch says, and a file that does not is never let through."""

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from conftest import job
from onnx import ModelProto, TensorProto, numpy_helper
from torch import nn

from pipeline import export
from pipeline.learning import prediction, rounding_bound
from pipeline.learning.module import LinearModel, Standardized
from pipeline.onnx_model import answer_checks, contract, structure_checks
from pipeline.onnx_model.answer_checks import Expected
from pipeline.onnx_model.contract import Float, Input, Source, Terms
from pipeline.settings.errors import UserError

FEATURES, TARGETS = ("a", "b", "c"), ("u", "v")


def metadata(
    features: Sequence[str] = FEATURES,
    targets: Sequence[str] = TARGETS,
    opset: int = 20,
    dtype: Float = "float32",
) -> dict[str, str]:
    """What a file says of itself."""
    zeros = np.zeros((1, len(features)))
    terms = Terms(
        version=1,
        input=Input(
            name="x",
            dtype=dtype,
            shape=("batch", len(features)),
            features=contract.features(features, zeros, dtype),
        ),
        outputs=contract.outputs(["prediction"], targets, dtype),
        opset=opset,
        ir_version=structure_checks.IR_VERSION,
        source=Source(training_id="an id", md5={}, params={}),
        test_metrics={},
    )
    return contract.metadata(terms)


METADATA = metadata()
TRAINING = np.random.default_rng(0).normal(size=(40, 3)) * [1, 1e3, 1e-3] + [0, 5e3, 1]


def linear(dtype: torch.dtype = torch.float32) -> LinearModel:
    torch.manual_seed(0)
    module = LinearModel(3, 2).to(dtype)
    return module.eval()


def wanted(module: nn.Module, opset: int = 20) -> Expected:
    return Expected(module, FEATURES, TARGETS, opset, rtol=0, atol=0)


def problems(content: bytes, expected: Expected) -> list[str]:
    """What the verifier has against a file."""
    rows = structure_checks.inputs(
        TRAINING, np.array([[4.0, 5.0, 6.0]]), expected.dtype, np.random.default_rng(1)
    )
    checks = structure_checks.verify(content, expected, rows)
    return [f"{check.name}: {check.problem}" for check in checks if check.problem]


@pytest.fixture(scope="module")
def exported() -> bytes:
    return export.export(linear(), 3, 20, METADATA)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("opset", [13, 18, 20, 26])
def test_every_precision_and_opset_is_written_and_verified(
    dtype: torch.dtype, opset: int, capfd: pytest.CaptureFixture[str]
) -> None:
    module = linear(dtype)
    its = metadata(opset=opset, dtype="float32" if dtype == torch.float32 else "float64")
    content = export.export(module, 3, opset, its)
    assert problems(content, wanted(module, opset)) == []
    proto = onnx.load_from_string(content)
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", opset)]
    assert capfd.readouterr() == ("", ""), "an export that went well has nothing to say"


@pytest.mark.parametrize(("weight", "bias"), [(2.0, 0.0), (2.0, -0.0), (0.0, 0.0)])
def test_numbers_that_an_optimizer_would_leave_out_are_in_the_file(
    weight: float, bias: float
) -> None:
    """A bias of zeros, as that of the tutorial's exact solution."""
    module = linear()
    with torch.no_grad():
        module.linear.weight.fill_(weight)
        module.linear.bias.fill_(bias)
    content = export.export(module, 3, 20, METADATA)
    assert problems(content, wanted(module)) == []
    found = {tensor.name for tensor in onnx.load_from_string(content).graph.initializer}
    assert found == {"linear.weight", "linear.bias"}


def test_all_is_tried(exported: bytes) -> None:
    expected = wanted(linear())
    rows = structure_checks.inputs(
        TRAINING, np.empty((0, 3)), expected.dtype, np.random.default_rng(1)
    )
    assert np.isnan(rows["NaN and infinity"]).any()
    assert np.isinf(rows["NaN and infinity"]).any()
    assert (np.abs(rows["huge values"]) > 1e37).any()
    assert (np.abs(rows["denormals"]) < 1.2e-38).all()
    wide = rows["random rows over ten times the training range"]
    reach = (TRAINING.max(axis=0) - TRAINING.min(axis=0)) / 2
    middle = (TRAINING.max(axis=0) + TRAINING.min(axis=0)) / 2
    assert ((np.abs(wide - middle) / reach).max(axis=0) > 9.5).all()
    checks = {check.name: check for check in structure_checks.verify(exported, expected, rows)}
    for level in onnxruntime.GraphOptimizationLevel.__members__:
        # all 40, then batches of 0, 1, 2, 3 and 1000
        assert checks[f"{level}: training rows"].rows == 40 + 1006
        bound = checks[f"{level}: training rows"].bound
        assert bound is not None
        assert 0 < bound < 0.01
        assert checks[f"{level}: queries"].rows == 0


def test_the_file_is_the_same_twice_and_names_no_place(exported: bytes) -> None:
    assert export.export(linear(), 3, 20, METADATA) == exported
    for trace in (b"pipeline/", b".py", b"site-packages", b"pkg.torch", b"+cpu", b"home"):
        assert trace not in exported, trace
    found = {e.key: e.value for e in onnx.load_from_string(exported).metadata_props}
    assert found == METADATA


def test_another_module_is_held_to_the_tolerances() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 2)).eval()
    content = export.export(module, 3, 20, METADATA)
    assert problems(content, wanted(module)) == []
    with torch.no_grad():
        next(module[2].parameters()).add_(1e-3)
    assert len(problems(content, wanted(module))) >= 5


def scale_weights(proto: ModelProto) -> None:
    for tensor in proto.graph.initializer:
        values = numpy_helper.to_array(tensor) * np.float32(1 + 1e-5)
        tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def swap_names(proto: ModelProto) -> None:
    for names in (
        *(node.input for node in proto.graph.node),
        *(node.output for node in proto.graph.node),
    ):
        names[:] = [{"x": "y", "y": "x"}.get(name, name) for name in names]
    for value in (*proto.graph.input, *proto.graph.output):
        value.name = {"x": "y", "y": "x"}[value.name]


def swap_columns(proto: ModelProto) -> None:
    for entry in proto.metadata_props:
        terms = json.loads(entry.value)
        columns = terms["input"]["features"]
        columns[0], columns[1] = columns[1], columns[0]
        entry.value = json.dumps(terms)


def put_weights_outside(proto: ModelProto) -> None:
    tensor = proto.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="weights.data")
    tensor.ClearField("raw_data")


def fix_batch(proto: ModelProto) -> None:
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.shape.dim[0].dim_value = 2


def fix_batch_inside(proto: ModelProto) -> None:
    """The batch stays free on paper, but a reshape in the graph holds it to two rows."""
    node = proto.graph.node[-1]
    node.output[0] = "before"
    shape = numpy_helper.from_array(np.array([2, 2], dtype=np.int64), "shape")
    proto.graph.initializer.append(shape)
    proto.graph.node.append(onnx.helper.make_node("Reshape", ["before", "shape"], ["y"]))


def raise_opset(proto: ModelProto) -> None:
    proto.opset_import[0].version = 21


def raise_ir_version(proto: ModelProto) -> None:
    proto.ir_version = 11


def use_double(proto: ModelProto) -> None:
    for value in (*proto.graph.input, *proto.graph.output):
        value.type.tensor_type.elem_type = TensorProto.DOUBLE


def forget_bias(proto: ModelProto) -> None:
    for node in proto.graph.node:
        del node.input[2:]


def swallow_nan(proto: ModelProto) -> None:
    """An answer that is clipped to what float32 holds hides an infinite input."""
    node = proto.graph.node[-1]
    node.output[0] = "before"
    largest = np.finfo(np.float32).max
    for name, value in (("low", -largest), ("high", largest)):
        proto.graph.initializer.append(numpy_helper.from_array(np.array(value), name))
    proto.graph.node.append(onnx.helper.make_node("Clip", ["before", "low", "high"], ["y"]))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (scale_weights, "training rows: row "),
        (swap_names, "names, types and shapes: found [('y', "),
        (
            swap_columns,
            "contract in the metadata: features is ('b', 'a', 'c'), must be ('a', 'b', 'c')",
        ),
        (put_weights_outside, "one file, no external data: found in another file: linear.weight"),
        (fix_batch, "names, types and shapes: found [('x', 1, [2, 3])"),
        (fix_batch_inside, "batch of 40: "),
        (raise_opset, "opset and IR version: found opset {'ai.onnx': 21}, asked for 20"),
        (raise_ir_version, "opset and IR version: found IR version 11, must be 10"),
        (use_double, "well formed (onnx.checker, full): "),
        (forget_bias, "zeros: row "),
        (swallow_nan, "NaN and infinity: row "),
    ],
)
def test_a_spoilt_file_is_caught(
    exported: bytes, spoil: Callable[[ModelProto], None], said: str
) -> None:
    proto = onnx.load_from_string(exported)
    spoil(proto)
    found = problems(proto.SerializeToString(), wanted(linear()))
    assert any(said in problem for problem in found), found


def test_a_damaged_file_is_caught(exported: bytes) -> None:
    proto = onnx.load_from_string(exported)
    proto.graph.node[0].op_type = "Gemn"
    found = problems(proto.SerializeToString(), wanted(linear()))
    assert any("Gemn" in problem for problem in found)
    # all five sessions fail to load, and are each told of
    assert sum("loads: " in problem for problem in found) == 5


def test_the_report_says_by_how_much_and_where(exported: bytes) -> None:
    module = linear()
    with torch.no_grad():
        module.linear.bias[1] += 1
    found = problems(exported, wanted(module))
    (zeros,) = (text for text in found if text.startswith("ORT_ENABLE_ALL: zeros"))
    assert "row 0 of a batch of 2, v: onnx " in zeros
    assert "apart by 1, allowed " in zeros


@pytest.mark.parametrize("features", [1, 30, 300])
def test_a_change_of_one_part_in_a_hundred_thousand_shows_in_a_model_of_any_width(
    features: int,
) -> None:
    torch.manual_seed(0)
    module = LinearModel(features, 1).eval()
    names = [str(index) for index in range(features)]
    expected = Expected(module, names, ["y"], 20, 0, 0)
    random = np.random.default_rng(0)
    rows = structure_checks.inputs(
        random.normal(size=(20, features)), np.empty((0, features)), torch.float32, random
    )
    content = export.export(module, features, 20, metadata(names, ["y"]))
    assert not [c for c in structure_checks.verify(content, expected, rows) if c.problem]
    proto = onnx.load_from_string(content)
    scale_weights(proto)
    spoilt = structure_checks.verify(proto.SerializeToString(), expected, rows)
    found = [check.name for check in spoilt if check.problem]
    assert "weights, bit for bit, of a linear model" in found
    # A row with one feature has a bound of its own, far below that of a full row.
    assert "ORT_ENABLE_ALL: one feature at a time" in found


def test_a_right_file_of_huge_weights_passes() -> None:
    module = LinearModel(100, 1).eval()
    with torch.no_grad():
        module.linear.weight.fill_(3e38)
    names = [str(index) for index in range(100)]
    random = np.random.default_rng(0)
    rows = structure_checks.inputs(
        random.normal(size=(20, 100)), np.empty((0, 100)), torch.float32, random
    )
    content = export.export(module, 100, 20, metadata(names, ["y"]))
    expected = Expected(module, names, ["y"], 20, 0, 0)
    assert not [c for c in structure_checks.verify(content, expected, rows) if c.problem]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("features", [1, 2, 30, 1000])
def test_the_bound_holds_for_torch_against_exact_arithmetic(
    dtype: torch.dtype, features: int
) -> None:
    """Half of the bound is each evaluation's own: torch is within it of the true answer."""
    from fractions import Fraction

    torch.manual_seed(features)
    module = LinearModel(features, 1).to(dtype)
    x = torch.randn(20, features, dtype=torch.float64) * 10.0 ** torch.randint(-6, 6, (1, features))
    x = x.to(dtype)
    bound = rounding_bound.analytic(module, x.double().numpy())
    found = module(x).detach().double().numpy()
    line = prediction.line_of(module)
    assert bound is not None
    assert line is not None
    weight, bias = [Fraction(value) for value in line.weight[0]], Fraction(line.bias[0])
    for row, answer, allowed in zip(x.tolist(), found, bound, strict=True):
        exact = sum((Fraction(v) * w for v, w in zip(row, weight, strict=True)), bias)
        assert abs(Fraction(float(answer[0])) - exact) <= Fraction(float(allowed[0])) / 2


# Modules that are not linear


def network(name: str) -> nn.Module:
    """A small network whose answers are sums of terms of some hundreds, as after a training."""
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


NETWORKS = [
    *("tanh", "gelu", "layer norm"),
    *(
        pytest.param(name, marks=pytest.mark.slow)
        for name in ("relu", "sigmoid", "silu", "softplus", "batch norm", "softmax", "wide",
                     "convolution")
    ),
]  # fmt: skip


@pytest.mark.parametrize("name", NETWORKS)
def test_a_right_file_of_any_network_passes_and_a_wrong_one_does_not(name: str) -> None:
    module = network(name)
    content = export.export(module, 3, 20, METADATA)
    assert problems(content, wanted(module)) == []
    rows = {"training rows": TRAINING}
    for spoil in (round_to_half, negate_a_weight, nudge_a_weight):
        proto = onnx.load_from_string(content)
        spoil(proto)
        checks = answer_checks.values(proto.SerializeToString(), wanted(module), rows)
        assert all(check.problem for check in checks), spoil.__name__


def weights(proto: ModelProto) -> list[tuple[TensorProto, "np.ndarray[Any, Any]"]]:
    """The matrices in a file."""
    found = [(tensor, numpy_helper.to_array(tensor)) for tensor in proto.graph.initializer]
    return [(tensor, value) for tensor, value in found if value.ndim > 1]


def put(tensor: TensorProto, value: "np.ndarray[Any, Any]") -> None:
    tensor.CopyFrom(numpy_helper.from_array(value, tensor.name))


def round_to_half(proto: ModelProto) -> None:
    for tensor, value in weights(proto):
        put(tensor, value.astype(np.float16).astype(value.dtype))


def negate_a_weight(proto: ModelProto) -> None:
    tensor, value = weights(proto)[-1]
    value = value.copy()
    value.flat[3] *= -1
    put(tensor, value)


def nudge_a_weight(proto: ModelProto) -> None:
    tensor, value = weights(proto)[-1]
    value = value.copy()
    value.flat[3] *= np.float32(1 + 1e-3)
    put(tensor, value)


@pytest.mark.parametrize("size", [1e-12, 1.0, 1e9])
def test_the_bound_of_a_network_grows_with_its_answers_and_shrinks_with_its_precision(
    size: float,
) -> None:
    module = network("tanh")
    assert isinstance(module, Standardized)
    x = TRAINING.astype(np.float32).astype(np.float64)
    plain = rounding_bound.monte_carlo(module, x)
    with torch.no_grad():
        for part in module.module[-1].parameters():  # type: ignore[index]
            part.mul_(size)
    scaled = rounding_bound.monte_carlo(module, x)
    np.testing.assert_allclose(scaled, plain * size, rtol=0.02)
    exact = rounding_bound.monte_carlo(module.double(), x)
    # The float64 of the evaluation itself rounds as much as is simulated here.
    np.testing.assert_allclose(exact, scaled * 2.0**-29, rtol=1)


def test_the_bound_of_a_network_is_about_that_of_the_terms_it_adds_up() -> None:
    """Of a linear model in disguise, for which the bound is known: neither far above nor below."""

    class Disguised(nn.Module):
        def __init__(self, line: LinearModel) -> None:
            super().__init__()
            self.line = line

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.line(x)  # type: ignore[no-any-return]

    for features in (1, 10, 1000):
        torch.manual_seed(0)
        line = LinearModel(features, 1)
        random = np.random.default_rng(0)
        x = random.normal(size=(50, features)).astype(np.float32).astype(np.float64)
        right = rounding_bound.analytic(line, x)
        assert right is not None
        share = rounding_bound.monte_carlo(Disguised(line), x) / right
        assert share.min() > 0.05
        assert share.max() < 8


def test_no_answer_is_held_to_a_bound_where_it_may_overflow() -> None:
    module = network("relu")
    x = np.array([[1.0, 5e3, 1.0], [1e37, 5e3, 1.0]])
    assert np.isfinite(rounding_bound.monte_carlo(module, x)).all(axis=1).tolist() == [True, False]


def test_the_message_names_the_key_that_helps_only_where_it_does(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A runtime that is a little rough, and one that is wrong."""
    from conftest import WIDE, make

    monkeypatch.setattr(
        "pipeline.learning.module.build",
        lambda _, features, targets: nn.Sequential(
            nn.Linear(features, 4), nn.Tanh(), nn.Linear(4, targets)
        ),
    )
    right = export.export
    factor = 1 + 3e-5

    def rough(*args: Any) -> bytes:
        proto = onnx.load_from_string(right(*args))
        tensor, value = weights(proto)[-1]
        put(tensor, (value * factor).astype(np.float32))
        return proto.SerializeToString()

    monkeypatch.setattr(export, "export", rough)
    with pytest.raises(UserError) as caught:
        make(job(**WIDE))
    (enough,) = re.findall(r"set export\.atol to (\S+) \(it is 0\)", str(caught.value))
    make(job(**WIDE, export__atol=float(enough)))
    factor = 1.5
    with pytest.raises(UserError, match="checks and was not written") as wrong:
        make(job(**WIDE, export__atol=float(enough)))
    assert "export.atol" not in str(wrong.value)
