"""The Python client refuses a file that does not agree with its contract."""

import copy
import hashlib
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import abline_client
import numpy as np
import onnx
import pytest
from abline_client._contract import check_vectors
from client_files import copied, rewritten
from conftest import ROOT


def swap_file(folder: Path) -> None:
    proto = onnx.load(folder / "model.onnx")
    proto.doc_string = "another"
    onnx.save(proto, folder / "model.onnx")


def as_utf16(folder: Path) -> None:
    path = folder / "contract.json"
    path.write_bytes(path.read_bytes().decode().encode("utf-16"))


def no_terms(folder: Path) -> None:
    (folder / "contract.json").unlink()
    proto = onnx.load(folder / "model.onnx")
    proto.ClearField("metadata_props")
    onnx.save(proto, folder / "model.onnx")


def no_onnx(folder: Path) -> None:
    (folder / "contract.json").unlink()
    (folder / "model.onnx").write_bytes(b"no")


def golden(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    return rewritten(lambda content: change(content["golden"]))


def rename_input(folder: Path) -> None:
    (folder / "contract.json").unlink()
    proto = onnx.load(folder / "model.onnx")
    proto.graph.input[0].name = "z"
    for node in proto.graph.node:
        node.input[:] = ["z" if name == "x" else name for name in node.input]
    onnx.save(proto, folder / "model.onnx")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (swap_file, "is not the file that .*contract.json describes: its sha256 is"),
        (rewritten(lambda c: c.update(version=0)), "contract.json: version 0; this client reads 1"),
        (rewritten(lambda c: c.pop("version")), "contract.json: version null; this client reads"),
        (rewritten(lambda c: c.update(opset=7)), r"contradicts the terms in .* .opset.; take"),
        (no_terms, "carries no abline.contract"),
        (rename_input, "its inputs and outputs are .*'z'.*must be .*'x'"),
        (rewritten(lambda c: c.update(golden={})), "golden vectors .* not whole: golden.inputs: f"),
        (rewritten(lambda c: c.pop("golden")), "not whole: golden: found null, must be an object"),
        (
            golden(lambda g: g["inputs"].clear()),
            "golden vectors in its contract.json are not whole",
        ),
        (golden(lambda g: g["outputs"]["y"].pop()), "golden vectors .* are not whole"),
        (golden(lambda g: g["bounds"]["y"][3].pop()), r"golden.bounds.y.3.: found .., must be"),
        (lambda f: (f / "contract.json").write_bytes(b"\xff"), "contract.json: not a contract"),
        (lambda f: (f / "contract.json").write_text("[" * 100_000), "contract.json: not a contr"),
        (lambda f: (f / "contract.json").write_text("{"), "contract.json: not a contract"),
        (as_utf16, "contract.json: not a contract"),
        (golden(lambda g: g["outputs"]["y"].__setitem__(0, [None])), "vectors .* are not whole"),
        (
            golden(lambda g: g["bounds"]["y"].__setitem__(0, ["a"])),
            r"found .a., must be a finite number",
        ),
        (lambda f: (f / "model.onnx").write_bytes(b"no"), "model.onnx is not the file that"),
        (no_onnx, "model.onnx: onnxruntime 1"),
    ],
)
def test_a_file_that_is_not_what_its_contract_says(
    models: Path, tmp_path: Path, spoil: Callable[[Path], None], message: str
) -> None:
    spoil(copied(models, tmp_path))
    with pytest.raises(abline_client.ContractError, match=message):
        abline_client.load(tmp_path)


REFUSED = json.loads((ROOT / "clients" / "refused.json").read_text())


@pytest.mark.parametrize(("place", "value", "message"), REFUSED)
def test_a_contract_that_is_none(
    models: Path, tmp_path: Path, place: str, value: str, message: str
) -> None:
    """The same table is tried with the JavaScript client."""

    def put(content: Any) -> None:
        *way, last = [int(key) if key.isdigit() else key for key in place.split(".")]
        for key in way:
            content = content[key]
        content[last] = "@@"

    rewritten(put)(copied(models, tmp_path))
    path = tmp_path / "contract.json"
    path.write_text(path.read_text().replace('"@@"', value))
    with pytest.raises(abline_client.ContractError, match=re.escape(message)):
        abline_client.load(tmp_path)


@pytest.mark.parametrize("text", ["[]", "1", '"x"', "null", "true"])
def test_a_contract_that_is_no_object(models: Path, tmp_path: Path, text: str) -> None:
    (copied(models, tmp_path) / "contract.json").write_text(text)
    with pytest.raises(abline_client.ContractError, match="the whole: found .*, must be an object"):
        abline_client.load(tmp_path)


def test_terms_nested_so_deep_that_no_comparison_ends(models: Path, tmp_path: Path) -> None:
    def nest(content: dict[str, Any]) -> None:
        content["source"]["params"] = deep

    deep: list[Any] = []
    for _ in range(900):
        deep = [deep]
    copied(models, tmp_path)
    rewritten(nest)(tmp_path)
    with pytest.raises(abline_client.ContractError):
        abline_client.load(tmp_path)


@pytest.mark.parametrize("name", ["contract.json", "model.onnx"])
def test_a_pipe_is_not_waited_for(models: Path, tmp_path: Path, name: str) -> None:
    (copied(models, tmp_path) / name).unlink()
    os.mkfifo(tmp_path / name)
    with pytest.raises(abline_client.ContractError, match=f"{name}: must be a regular file"):
        abline_client.load(tmp_path)


def size_of_answers(contract: dict[str, Any], output: str, row: int) -> float:
    """Return the size of the answers that the client compares a bound with."""
    whole = copy.deepcopy(contract)
    whole["golden"]["bounds"][output][row] = [1e300]
    with pytest.raises(abline_client.ContractError, match="no bound to answers of") as refused:
        check_vectors(whole, "model.onnx")
    return float(str(refused.value).rpartition(" ")[2])


@pytest.mark.parametrize("kind", ["models", "answering"])
def test_a_bound_proves_something_up_to_a_hundredth_of_the_answers(
    kind: str, request: pytest.FixtureRequest
) -> None:
    contract = json.loads((request.getfixturevalue(kind) / "contract.json").read_text())
    check_vectors(contract, "model.onnx")
    for output in set(contract["golden"]["bounds"]) - {"in_range"}:
        for row in (0, 8, 20, 31):
            size = size_of_answers(contract, output, row)
            right = abs(contract["golden"]["outputs"][output][row][0])
            assert size >= right * 0.999
            whole = copy.deepcopy(contract)
            whole["golden"]["bounds"][output][row] = [0.0099 * size]
            check_vectors(whole, "model.onnx")
            whole["golden"]["bounds"][output][row] = [0.0101 * size]
            with pytest.raises(abline_client.ContractError, match="which is no bound to"):
                check_vectors(whole, "model.onnx")


def test_a_bound_is_compared_with_the_answers_in_range_times_the_distance(models: Path) -> None:
    """Terms that cancel are larger than their sum, and grow with the distance."""
    contract = json.loads((models / "contract.json").read_text())
    x, y = np.array(contract["golden"]["inputs"]), np.array(contract["golden"]["outputs"]["y"])
    features = contract["input"]["features"]
    edges = np.array([max(abs(each["min"]), abs(each["max"])) for each in features])
    distance = np.maximum((np.abs(x) / edges).max(axis=1), 1)
    largest = np.abs(y[distance == 1]).max()
    for row in range(len(x)):
        expected = max(min(distance[row] * largest, 3.4028235e38), abs(y[row, 0]))
        assert size_of_answers(contract, "y", row) == pytest.approx(expected, rel=0.01)


def test_a_model_of_the_wrong_sign_does_not_pass(models: Path, tmp_path: Path) -> None:
    """Bounds are narrow, whoever wrote contract.json and the file."""
    copied(models, tmp_path)
    proto = onnx.load(tmp_path / "model.onnx")
    for tensor in proto.graph.initializer:
        tensor.CopyFrom(
            onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(tensor), tensor.name)
        )
    content = proto.SerializeToString()
    (tmp_path / "model.onnx").write_bytes(content)

    def widest(contract: dict[str, Any]) -> None:
        contract["sha256"] = hashlib.sha256(content).hexdigest()
        for row in range(len(contract["golden"]["inputs"])):
            widest_bound = 0.0099 * size_of_answers(contract, "y", row)
            contract["golden"]["bounds"]["y"][row] = [widest_bound]

    rewritten(widest)(tmp_path)
    assert not abline_client.load(tmp_path).conformance().ok
