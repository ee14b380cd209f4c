"""The Python client refuses a contract of raw columns that is not whole."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import abline_client
import onnx
import pytest
from client_files import rewritten
from raw_column_models import write_model

Change = Callable[[dict[str, Any]], Any]


def at(place: str, value: Any) -> Change:
    """Return a function that puts a value at a place such as "inputs.0.min"."""

    def put(content: Any) -> None:
        *way, last = [int(key) if key.isdigit() else key for key in place.split(".")]
        for key in way:
            content = content[key]
        content[last] = value

    return put


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        ("inputs", {}, "inputs: found {}, must be a list that is not empty"),
        ("inputs.0.name", "rooms", "inputs: found rooms twice"),
        ("inputs.0.kind", "text", 'inputs[0].kind: found "text", must be number or category or'),
        ("inputs.0.dtype", "float64", 'inputs[1].dtype: found "float32", must be float64'),
        ("inputs.0.shape", ["batch", 1], 'inputs[0].shape: found ["batch",1], must be ["batch"]'),
        ("inputs.0.min", 1e9, "inputs[0].min: found 1000000000.0, must be no more than its max"),
        (
            "inputs.0.missing_rows",
            -1,
            "inputs[0].missing_rows: found -1, must be an integer from 0",
        ),
        ("inputs.1.fill", "3", 'inputs[1].fill: found "3", must be a finite number'),
        ("inputs.1.indicator", 1, "inputs[1].indicator: found 1, must be true or false"),
        ("inputs.2.dtype", "int64", 'inputs[2].dtype: found "int64", must be string'),
        ("inputs.2.levels.0", "gas", 'inputs[2].levels[0]: found "gas", must be an object'),
        ("inputs.2.levels.0.name", "oil", "inputs[2].levels: found oil twice"),
        (
            "inputs.2.levels.0.rows",
            0.5,
            "inputs[2].levels[0].rows: found 0.5, must be an integer f",
        ),
        (
            "inputs.2.unseen",
            None,
            "inputs[2].unseen: found null, must be refuse or reference or ra",
        ),
        ("inputs.2.has_missing", None, "inputs[2].has_missing: found null, must be true or false"),
        ("inputs.4.unit", "hours", 'inputs[4].unit: found "hours", must be days or seconds'),
        ("inputs.4.parts.0", "minute", 'inputs[4].parts[0]: found "minute", must be days or year'),
        (
            "inputs.4.levels.weekday.0",
            "Mo",
            'inputs[4].levels.weekday[0]: found "Mo", must be an i',
        ),
        ("inputs.4.min", 1.5, "inputs[4].min: found 1.5, must be an integer"),
        ("encoded", None, "encoded: found null, must be a list"),
        (
            "outputs.0.targets",
            ["a", "b"],
            'outputs[0].targets: found ["a","b"], must be one target',
        ),
        ("outputs.0.dtype", "float64", 'outputs[0].dtype: found "float64", must be float32'),
        ("outputs.1.targets", ["price"], "outputs, prediction: found price twice"),
        (
            "golden.inputs.area",
            [],
            "golden.inputs.area: found [], must be a list that is not empty",
        ),
        ("golden.inputs.rooms", [1.0], "golden.inputs.rooms: found 1 row, must be 6"),
        ("golden.inputs.area.0", 0.1, "golden.inputs.area: must be numbers that float32 holds"),
        ("golden.inputs.heating.0", 1, "golden.inputs.heating[0]: found 1, must be text"),
        ("golden.inputs.sold.0", 0.5, "golden.inputs.sold[0]: found 0.5, must be an integer"),
    ],
)
def test_a_contract_that_is_none(tmp_path: Path, place: str, value: Any, message: str) -> None:
    folder = write_model(tmp_path, ("price", "rent"))
    rewritten(at(place, value))(folder)
    with pytest.raises(abline_client.ContractError, match=re.escape(message)):
        abline_client.load(folder)


def first_output(part: str, row: int, value: Any) -> Change:
    """Return a function that changes a golden answer, or its bound, of the first output."""

    def put(content: dict[str, Any]) -> None:
        content["golden"][part][content["outputs"][0]["name"]][row] = [value]

    return put


def test_only_a_refused_row_has_no_bound(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    rewritten(first_output("bounds", 0, None))(folder)
    with pytest.raises(abline_client.ContractError, match="found null, must be a number, because"):
        abline_client.load(folder)


@pytest.mark.parametrize(("row", "widest"), [(0, 13.8), (1, 14.2)])
def test_a_bound_proves_something(tmp_path: Path, row: int, widest: float) -> None:
    """The largest answer in range counts, whatever the row's own answer is."""
    folder = write_model(tmp_path)
    rewritten(first_output("bounds", row, widest))(folder)
    abline_client.load(folder)
    rewritten(first_output("bounds", row, 30.0))(folder)
    with pytest.raises(
        abline_client.ContractError, match="which is no bound to answers of the siz"
    ):
        abline_client.load(folder)


@pytest.mark.parametrize(("row", "value"), [(0, 21.0), (0, None), (2, 40.0)])
def test_a_wrong_answer_is_noticed(tmp_path: Path, row: int, value: float | None) -> None:
    """A row that should be refused and is answered is wrong, and the other way round."""
    folder = write_model(tmp_path)

    def put(content: dict[str, Any]) -> None:
        first_output("outputs", row, value)(content)
        first_output("bounds", row, 0.001)(content)

    rewritten(put)(folder)
    proof = abline_client.load(folder).conformance()
    assert (proof.ok, proof.within) == (False, 5)
    assert proof.problem is not None
    assert f"of vector {row} is [" in proof.problem


def test_the_graph_must_have_the_inputs(tmp_path: Path) -> None:
    folder = write_model(tmp_path)
    (folder / "contract.json").unlink()
    proto = onnx.load(folder / "model.onnx")
    proto.graph.input[0].type.tensor_type.elem_type = onnx.TensorProto.DOUBLE
    proto.graph.node.insert(0, onnx.helper.make_node("Cast", ["area"], ["area32"], to=1))
    for node in proto.graph.node[1:]:
        node.input[:] = ["area32" if name == "area" else name for name in node.input]
    onnx.save(proto, folder / "model.onnx")
    with pytest.raises(abline_client.ContractError, match=r"tensor\(double\).*must be .*\(float\)"):
        abline_client.load(folder)
