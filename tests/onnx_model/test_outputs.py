"""The file has the outputs that `export.outputs` asks for, or a message says why not."""

from decimal import Decimal, getcontext
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx_files import ALL_OUTPUTS, TWO_TARGETS, contract_of

from pipeline.onnx_model import golden
from pipeline.onnx_model.contract_inputs import Float
from pipeline.settings import csv_cells, files
from pipeline.settings.errors import UserError
from pipeline.tables import table


@pytest.mark.parametrize(
    ("dtype", "standardize", "bias"),
    [("float32", True, False), ("float64", True, True)],
)
def test_the_file_answers_with_intervals_and_ranges(
    dtype: Float, standardize: bool, bias: bool, workspace: Path
) -> None:
    contract = contract_of(
        **ALL_OUTPUTS, model__dtype=dtype, model__standardize=standardize, model__bias=bias
    )
    assert [(out["name"], out["dtype"], out["shape"]) for out in contract["outputs"]] == [
        ("y", dtype, ["batch", 2]),
        ("low", dtype, ["batch", 2]),
        ("high", dtype, ["batch", 2]),
        ("in_range", "bool", ["batch", 1]),
    ]
    session = onnxruntime.InferenceSession(files.ONNX)
    # The answers of stage evaluate to the same queries, from the exact solution.
    told = csv_cells.read_csv(files.PREDICTIONS)
    x = np.array([[row[name] for name in "abc"] for row in told], dtype)
    y, low, high, in_range = session.run(None, {"x": x})
    for column, target in enumerate("uv"):
        reach = np.array([float(row[f"{target} high 95%"]) for row in told])
        reach -= [float(row[f"{target} low 95%"]) for row in told]
        for end, name in ((low, "low"), (high, "high")):
            right = np.array([float(row[f"{target} {name} 95%"]) for row in told])
            assert np.abs(end[:, column] - right).max() < 1e-6 * np.abs([*right, *reach]).max()
    assert in_range.tolist() == [[False], [False]]
    table_rows = table.read(files.TRAIN).columns("abc").astype(dtype)
    y, low, high, in_range = session.run(None, {"x": np.ascontiguousarray(table_rows)})
    assert in_range.all(), "no training row is out of its own range"
    assert (low <= y).all()
    assert (y <= high).all()
    # The golden vectors, computed in another way.
    vectors = contract["golden"]
    assert len(vectors["inputs"]) == golden.VECTOR_COUNT
    constants = {
        tensor.name: onnx.numpy_helper.to_array(tensor).astype(object)
        for tensor in onnx.load(files.ONNX).graph.initializer
    }
    getcontext().prec = 60
    # torch writes equal tensors once, under one of their names.
    centre = constants.get("centre")
    centre = constants["module.mean"] if centre is None else centre
    for index, row in enumerate(vectors["inputs"]):
        offset = [Decimal(value) - Decimal(c) for value, c in zip(row, centre, strict=True)]
        square = Decimal(float(constants["constant"]))
        for slopes in constants["factor"].T:
            square += sum(Decimal(f) * d for f, d in zip(slopes, offset, strict=True)) ** 2
        for place, scale in enumerate(constants["scale"]):
            y = vectors["outputs"]["y"][index][place]
            half = Decimal(float(scale)) * square.sqrt()
            for name, sign in (("low", -1), ("high", 1)):
                # The prediction in the contract is rounded, by half a unit at the most.
                end = float(Decimal(y) + sign * half)
                unit = np.finfo(dtype).eps * max(abs(end), abs(y))
                assert abs(vectors["outputs"][name][index][place] - end) <= unit + 1e-45


def test_an_interval_that_is_not_known_is_refused(workspace: Path) -> None:
    plain = ALL_OUTPUTS | {"data__generate__noise": 0.0}
    with pytest.raises(
        UserError, match=r"float32 answers v at row \d+ of data/sample.parquet with"
    ):
        contract_of(**plain)
    assert not files.ONNX.exists()
    few = ALL_OUTPUTS | {"data__generate__rows": 4, "data__test_fraction": 0.0}
    with pytest.raises(UserError, match="no interval: 4 rows for 4 numbers leave no degree of"):
        contract_of(**few)
    x = [[1.0, 2.0, 3.0], [2.0, 4.0, 5.0], [3.0, 6.0, 8.0], [4.0, 8.0, 8.0], [7.0, 14.0, 1.0]]
    tied = ALL_OUTPUTS | {
        "data__generate__rows": None,
        "data__generate__x": x,
        "data__test_fraction": 0.0,
    }
    with pytest.raises(UserError, match=r"columns depend on each other .b = 2·a.; leave interval"):
        contract_of(**tied)


def test_columns_far_from_zero_have_their_interval_while_float64_knows_it(workspace: Path) -> None:
    def asked(x: list[float]) -> dict[str, Any]:
        return contract_of(
            data__generate__x=[[value] for value in x],
            data__generate__noise=1e-3,
            data__generate__weight=[[1e-6]],
            model__dtype="float64",
            model__standardize=True,
            train__optimizer="exact",
            evaluate__queries=[],
            export__outputs=["prediction", "interval"],
        )

    # Milliseconds since 1970.
    assert asked([1.7e12 + 37 * step for step in range(40)])["outputs"][1]["name"] == "low"
    with pytest.raises(UserError, match="columns vary too little for float64 to compute it; sub"):
        asked([2.0**52 + step for step in (0, 9, 0, 9)])


def test_numbers_beyond_the_dtype_are_refused(workspace: Path) -> None:
    with pytest.raises(
        UserError, match="no answer can be checked; scale the targets, or use float64"
    ):
        contract_of(data__generate__bias=[2.5e38], train__optimizer="exact")
    tiny = {
        "data__generate__x": [[n * 1e-320] for n in range(1, 6)],
        "model__dtype": "float64",
        "train__optimizer": "exact",
        "evaluate__queries": [],
        "export__outputs": ["prediction", "interval"],
    }
    with pytest.raises(UserError, match="no interval: its numbers are beyond what float64 holds"):
        contract_of(**tiny, data__generate__weight=[[0.0]])
    with pytest.raises(UserError, match="linear.weight has values beyond what float64 holds; use"):
        contract_of(**tiny, data__generate__noise=0.1)


def test_a_module_that_is_not_linear_may_tell_its_range(workspace: Path) -> None:
    outputs = {"export__outputs": ["in_range", "prediction"]}
    contract = contract_of(**TWO_TARGETS, **outputs, model__hidden=[4], model__activation="tanh")
    assert [output["name"] for output in contract["outputs"]] == ["y", "in_range"]
    assert contract["golden"]["derivation"].startswith("outputs: the torch module in float64")
    assert {row[0] for row in contract["golden"]["outputs"]["in_range"]} == {0.0, 1.0}
