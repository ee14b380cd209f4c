"""Code that runs without the pipeline has a copy of some of its rules: both copies are the same."""

import itertools
import struct
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from abline_client import _contract

from pipeline.onnx_model import contract
from pipeline.report import answer_file
from pipeline.tracking import served_model


def largest(accepts: Callable[[float], bool]) -> float:
    """The largest float64 that is accepted: floats are in the order of their bits."""
    low, high = 0, struct.unpack("<q", struct.pack("<d", np.inf))[0]
    while high - low > 1:
        middle = (low + high) // 2
        value = struct.unpack("<d", struct.pack("<q", middle))[0]
        low, high = (middle, high) if accepts(value) else (low, middle)
    return float(struct.unpack("<d", struct.pack("<q", low))[0])


X = {
    "inside": [0.5, -1.0],
    "at the edge": [1.0, 2.0],
    "outside": [30.0, -1.0],
    "far outside": [1e30, 1.0],
    "zero": [0.0, 0.0],
}
ANSWERS = [[3.0, -3.0], [1e-40, 0.0], [1e37, -1.0]]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("features", [2, 400])
def test_the_client_takes_just_the_bounds_that_ship(dtype: str, features: int) -> None:
    limits = set()
    for row, given, constant in itertools.product(X.values(), ANSWERS, (False, True)):
        inputs = [[0.25] * features, row + [0.25] * (features - 2)]
        edges = [(0.0, 0.0) if constant else (-1.0, 1.0), (-2.0, 2.0)]
        edges += [(-1.0, 0.5)] * (features - 2)
        outputs = {"y": [[1.0, 2.0], given], "low": [[0.5, 1.5], [each * 2 for each in given]]}
        bounds = {name: np.zeros((2, 2)) for name in outputs}
        terms: Any = SimpleNamespace(
            input=SimpleNamespace(
                dtype=dtype, features=[SimpleNamespace(min=low, max=high) for low, high in edges]
            ),
            outputs=[
                SimpleNamespace(name=name, meaning=meaning)
                for name, meaning in (("y", "prediction"), ("low", "low"), ("in", "in_range"))
            ],
        )
        golden: Any = SimpleNamespace(inputs=inputs, outputs=outputs, bounds=bounds)

        def pipeline(terms: Any = terms, golden: Any = golden) -> bool:
            return contract.loose(terms, golden) is None

        def client(edges: Any = edges, golden: Any = golden) -> bool:
            real = [
                (name, np.array(right), golden.bounds[name])
                for name, right in golden.outputs.items()
            ]
            named = [{"min": low, "max": high} for low, high in edges]
            try:
                _contract._check_bounds(np.array(golden.inputs), real, named, np.finfo(dtype))
            except ValueError:
                return False
            return True

        for name, place in (("y", (0, 1)), ("low", (1, 0))):

            def with_bound(
                check: Callable[[], bool],
                table: Any = bounds[name],
                place: tuple[int, int] = place,
            ) -> Callable[[float], bool]:
                def accepts(bound: float) -> bool:
                    table[place] = bound
                    return check()

                return accepts

            allowed = largest(with_bound(pipeline))
            assert allowed == largest(with_bound(client))
            bounds[name][place] = 0
            limits.add(allowed)
    assert len(limits) >= 5, "the cases differ"


@pytest.mark.parametrize(
    "meanings", [[], ["low", "high"], ["in_range"], ["low", "high", "in_range"]]
)
def test_a_served_model_names_its_answers_as_predict_does(meanings: list[str]) -> None:
    targets = ["y", "größe of it"]
    outputs = [
        {
            "name": f"out_{meaning}",
            "meaning": meaning,
            "dtype": "bool" if meaning == "in_range" else "float32",
            "targets": [] if meaning == "in_range" else targets,
        }
        for meaning in ["prediction", *meanings]
    ]
    found: Any = SimpleNamespace(contract={"outputs": outputs}, targets=targets)
    expected = [(name, *about) for name, about in answer_file.columns(found).items()]
    assert expected == [
        (name, output, index, pa.type_for_alias(dtype))
        for name, output, index, dtype in served_model.columns({"outputs": outputs})
    ]
    assert len(expected) == 2 + sum(1 if meaning == "in_range" else 2 for meaning in meanings)
