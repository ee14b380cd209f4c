"""Golden vectors that a client accepts, whatever the model, its terms, targets and outputs are."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from abline_client import _vectors
from raw_plans import expected_of, linear_for, terms_of
from term_plans import learnt, rows_of_every_kind
from torch import nn

from pipeline.columns.plan import Plan
from pipeline.onnx_model import feed, golden, provable, raw_golden
from pipeline.onnx_model.contract import Meaning, Output, TableContract, TableVectors
from pipeline.onnx_model.expected import Expected
from pipeline.onnx_model.offsets import Offsets
from pipeline.onnx_model.outputs import Answers

FEATURES: dict[str, Any] = {"area": "number", "rooms": "number", "heating": "category"}
TERMS = ["log(area)", "sqrt(rooms)", "area^10", "heating:area", "area:rooms", "spline(area, 4)"]
ALL = ("prediction", "interval", "in_range")


@cache
def plan_with(term: str) -> Plan:
    return learnt(rows_of_every_kind(), FEATURES, [term])


class Partial(nn.Module):
    """A module of a person's own that has no finite answer to some rows, zeros among them."""

    def __init__(self, features: int) -> None:
        super().__init__()
        self.inner = nn.Linear(features, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.inner(torch.log(x[:, :2].sum(dim=1, keepdim=True)) + 0 * x)
        return answer


def network(sizes: torch.Tensor) -> nn.Module:
    """Return a network for features of these sizes."""
    first = nn.Linear(len(sizes), 8)
    with torch.no_grad():
        first.weight /= sizes
    return nn.Sequential(first, nn.ReLU(), nn.Linear(8, 1))


def cancelling(sizes: torch.Tensor) -> nn.Module:
    """Return a network whose rounding errors grow with its answer, which is small near 0."""
    first, last = nn.Linear(len(sizes), 2), nn.Linear(2, 1)
    with torch.no_grad():
        first.weight[:] = torch.tensor([[300.0], [299.0]]) / sizes / len(sizes)
        last.weight[:] = torch.tensor([[1.0, -1.0]])
    return nn.Sequential(first, nn.LeakyReLU(0.99), last)


def expected(model: str, plan: Plan, logs: tuple[int, ...], asked: tuple[str, ...]) -> Expected:
    """Return what is expected of a file of a model, with a target fitted as a logarithm or not."""
    torch.manual_seed(0)
    numbers, _ = plan.encode(rows_of_every_kind())
    sizes = torch.from_numpy(np.abs(numbers).max(axis=0)).float()
    modules: dict[str, Callable[[], nn.Module]] = {
        "line": lambda: linear_for(plan),
        "own": lambda: Partial(len(sizes)),
        "network": lambda: network(sizes),
        "cancelling": lambda: cancelling(sizes),
    }
    module = modules[model]().eval()
    interval = Offsets((-0.5,), (0.75,), 50) if "interval" in asked else None
    if logs or interval is not None:
        module = Answers(module, interval, None, logs).eval()
    return expected_of(module, plan, asked)


def vectors_of(wanted: Expected) -> TableVectors:
    """Return golden vectors that a client has accepted."""
    assert wanted.plan is not None
    rows = feed.inputs_of(rows_of_every_kind(), wanted.plan, wanted.precision)
    vectors = raw_golden.vectors(wanted, rows, rows, 0)
    terms = terms_of(wanted, wanted.plan).model_dump()
    whole = TableContract(**terms, sha256="0" * 64, onnxruntime="1", golden=vectors)
    _vectors.check_vectors(whole.model_dump(mode="json"))
    return vectors


@pytest.mark.parametrize(
    ("asked", "logs"),
    [(("prediction",), ()), (ALL, ()), (ALL, (0,))],
    ids=["answers", "all outputs", "of a logarithm"],
)
@pytest.mark.parametrize("model", ["line", "network", "cancelling", "own"])
@pytest.mark.parametrize("term", TERMS)
def test_every_model_with_every_kind_of_term(
    term: str, model: str, asked: tuple[str, ...], logs: tuple[int, ...]
) -> None:
    vectors = vectors_of(expected(model, plan_with(term), logs, asked))
    answers = [row[0] for row in vectors.outputs["y"]]
    assert len(answers) - answers.count(None) > golden.VECTOR_COUNT / 2
    assert None in answers, "and refused rows"


@pytest.mark.parametrize("model", ["network", "cancelling", "own"])
def test_a_file_that_takes_a_matrix(model: str) -> None:
    """With the logarithm of a target: an answer far out is e to the power of a large number."""
    training = np.random.default_rng(0).uniform(1, 5, (50, 2))
    sizes = torch.tensor([5.0, 5.0])
    torch.manual_seed(0)
    module = {"network": network, "cancelling": cancelling}.get(model, lambda _: Partial(2))(sizes)
    answers = Answers(module, Offsets((-0.5,), (0.75,), 50), training[:2], (0,)).eval()
    wanted = Expected(answers, ["a", "b"], ["t"], 20, 0, 0)
    vectors = golden.vectors(wanted, training, training[:1], 0)
    assert len(vectors.inputs) == golden.VECTOR_COUNT
    distance, width = _vectors._matrix(
        vectors.model_dump(), {"dtype": "float32", "features": ranges(training)}
    )
    real = [
        (name, np.array(vectors.outputs[name]), np.array(vectors.bounds[name]))
        for name in ("y", "low", "high")
    ]
    _vectors._check_bounds(distance, width, real, np.finfo(np.float32))
    assert (distance > 2).any(), "rows far out are among them"


def ranges(training: np.ndarray[Any, Any]) -> list[dict[str, float]]:
    ends = zip(training.min(axis=0), training.max(axis=0), strict=True)
    return [{"min": float(np.float32(low)), "max": float(np.float32(high))} for low, high in ends]


def outputs(*names: str) -> tuple[Output, ...]:
    meaning: dict[str, Meaning] = {"y": "prediction", "low": "low", "in_range": "in_range"}
    return tuple(
        Output(
            name=name,
            meaning=meaning[name],
            dtype="float32",
            shape=("batch", 1),
            targets=() if name == "in_range" else ("t",),
        )
        for name in names
    )


def test_what_is_left_out_and_what_the_client_is_left_to_refuse() -> None:
    """A bound of a hundredth of the answers proves something; in range a wider one is a fault."""
    answers = np.array([[10.0], [-20.0], [1.0], [1.0], [1.0], [np.nan], [3e6]])
    bounds = np.array([[0.1], [0.201], [0.99], [1.01], [0.3], [0.0], [2.9e4]])
    distance = np.array([1.0, 1, 5, 5, 1, 1, 1])
    inside = np.array([True, True, False, False, False, False, False])
    flags = np.zeros_like(answers)
    kept = provable.rows(
        outputs("y", "in_range"), [answers, flags], [bounds, flags], distance, inside, 1, "float32"
    )
    assert kept.tolist() == [True] * 7, "beside an answer of three millions all bounds are small"
    bounds[-1] = 3.1e4
    kept = provable.rows(
        outputs("y", "low"), [answers, answers], [bounds, bounds], distance, inside, 1, "float32"
    )
    assert kept.tolist() == [True, True, True, False, False, True, False], "then the others, too"
    real = [("y", answers[kept], bounds[kept])]
    with pytest.raises(ValueError, match=r"y\[1\]: found 0.201"):
        _vectors._check_bounds(distance[kept], 1, real, np.finfo(np.float32))
