"""The Python client answers what was verified, says what is wrong with rows, and needs no torch."""

import copy
import hashlib
import json
import multiprocessing
import os
import pickle
import re
import subprocess
import tomllib
import unicodedata
import venv
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import abline_client
import numpy as np
import onnx
import pandas as pd
import pyarrow as pa
import pytest
from abline_client._contract import check_vectors
from conftest import ROOT, job, make

from pipeline.settings import files

CLIENT = ROOT / "clients" / "python"


@pytest.fixture
def model(models: Path) -> abline_client.Model:
    return abline_client.load(models)


def test_the_tutorials_model_gives_the_committed_predictions(workspace: Path) -> None:
    make(job())
    model = abline_client.load("models")
    assert model.predict([[4.0]]).tolist() == [[pytest.approx(7.5619025, abs=1e-6)]]
    committed = files.read_csv(ROOT / files.PREDICTIONS)
    y = model.predict({"x": [float(row["x"]) for row in committed]})
    assert y[:, 0].tolist() == pytest.approx([float(row["y"]) for row in committed], rel=1e-6)
    found = model.conformance()
    assert found.ok
    assert found.problem is None
    assert found.vectors == found.within == 32
    assert found.bit_equal >= 20
    assert model.in_range([[1.0], [3.0], [3.1]]).tolist() == [True, True, False]


def test_columns_come_in_any_order_and_more_of_them(model: abline_client.Model) -> None:
    rows = [[70.0, 12.0, 3.0], [35.5, 40.0, 1.0]]
    named = {"id": ["a", "b"], "rooms": [3, 1], "size": [70.0, 35.5], "age": [12, 40]}
    assert np.array_equal(model.predict(named), model.predict(rows))


def test_tables_of_other_libraries_go_by_their_names(model: abline_client.Model) -> None:
    named = {"rooms": [3.0, 1.0], "age": [12.0, 40.0], "size": [70.0, 35.5]}
    right = model.predict(named)
    assert np.array_equal(model.predict(pa.table(named)), right)
    with pytest.warns(UserWarning, match="float64 is rounded") as said:
        assert np.array_equal(model.predict(pd.DataFrame(named)), right)
    assert [Path(each.filename) for each in said] == [Path(__file__)]


def test_arrays_are_taken_as_they_are(model: abline_client.Model) -> None:
    x = np.array([[70, 12, 3]], np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        right = model.predict(x)
        assert np.array_equal(model.predict(x, check=False), right)
        assert np.array_equal(model.predict(np.asfortranarray(x)), right)
        assert model.predict(np.empty((0, 3), np.float32)).shape == (0, 1)
        assert model.predict([]).shape == (0, 1)
        huge = np.full((1, 3), 3e38, np.float32)  # its squares are infinite, but not it
        assert model.predict(huge).shape == (1, 1)


def test_the_interval_is_around_the_prediction(answering: Path, model: abline_client.Model) -> None:
    known = abline_client.load(answering)
    rows = {"rooms": [3.0, 1.0], "age": [12.0, 40.0], "size": [70.0, 35.5]}
    y, (low, high) = known.predict(rows), known.interval(rows)
    assert low.shape == high.shape == y.shape == (2, 1)
    assert (low < y).all()
    assert (y < high).all()
    found = known.conformance()
    assert (found.vectors, found.within) == (32, 32)
    assert found.bit_equal >= 4
    with pytest.raises(abline_client.ContractError, match=r"without intervals; `export.outputs: "):
        model.interval(rows)


def test_float64_is_rounded_and_that_is_said_once(model: abline_client.Model) -> None:
    x = np.array([[0.1, 0.2, 0.3]])
    with pytest.warns(UserWarning, match="float64 is rounded to the model's float32") as said:
        first, again = (model.predict(x) for _ in range(2))
    assert len(said) == 1
    assert np.array_equal(first, again)
    assert Path(said[0].filename) == Path(__file__)
    assert np.array_equal(first, model.predict(x.astype(np.float32)))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([70.0, 12.0, 3.0], "found 1 dimension; .* a single row is ..size, age, rooms..$"),
        (5.0, "found 0 dimensions"),
        ([[1.0, 2.0]], "found rows of 2 numbers; the model has 3 features: size, age, rooms"),
        ([[1.0, 2.0, "3"]], "the rows: must be numbers, found text"),
        ([[1.0, 2.0, None]], "the rows: must be numbers, found something else, as null"),
        (
            np.ma.array([[1.0, 2.0, 999.0]], mask=[[False, False, True]]),
            "the rows: found masked values; fill",
        ),
        ([[True, False, True]], "the rows: must be numbers, found booleans"),
        ([[1.0, 2.0], [1.0]], "the rows: not all of one length"),
        ([[1.0, 2.0, float("nan")]], "row 0, rooms: found nan$"),
        ([[1, 2, 3], [1, float("-inf"), 3], [np.nan, 1, 1]], "row 1, age: found -inf .1 more"),
        ([[1.0, 2.0, 1e39]], "the rows: 1e.39 is beyond float32"),
        ({"size": [1.0], "age": [2.0]}, "there is no column rooms; found size, age"),
        ({"size": [1.0], "age": [2.0], "rooms": ["3"]}, 'column "rooms": must be numbers'),
        ({"size": [1.0], "age": [2.0], "rooms": [3.0, 4.0]}, "column rooms: .* one length"),
        ({"size": 1.0, "age": 2.0, "rooms": 3.0}, "column size: must be a list, found a single"),
        ({"size": [1.0], "age": [2.0], "Rooms": [3.0]}, "is Rooms meant for rooms.$"),
        ([{"size": 1, "age": 2, "romms": 3}], "row 0: there is no column rooms.*; is romms meant"),
        ([{"size": 1, "age": 2, "rooms": 3}, {}], "row 1: there are no columns size, age, rooms"),
        ([{"size": 1, "age": 2, "rooms": 3}, [1]], "row 1: must be values by name, found .1.$"),
        ([{"size": 1, "age": None, "rooms": 3}], "row 0, age: must be a number, found None"),
        ([{"size": 1, "age": True, "rooms": 3}], "row 0, age: must be a number, found True"),
        ([{"size": 1, "age": "2", "rooms": 3}], "row 0, age: must be a number, found '2'"),
        ([{"size": 1, "age": 10**400, "rooms": 3}], "row 0, age: 10+ is beyond float32"),
        ([{"size": 1, "age": float("nan"), "rooms": 3}], "row 0, age: found nan"),
        ({"a\x1b[31m": [1.0]}, r"found a.x1b.31m"),
    ],
)
def test_rows_that_it_cannot_answer(model: abline_client.Model, rows: Any, message: str) -> None:
    with pytest.raises(abline_client.InputError, match=message):
        model.predict(rows)


def copied(folder: Path, to: Path) -> Path:
    """A copy of models/ that may be spoilt."""
    for name in (files.ONNX.name, files.CONTRACT.name):
        (to / name).write_bytes((folder / name).read_bytes())
    return to


def rewritten(change: Callable[[dict[str, Any]], Any]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        content = json.loads((folder / "contract.json").read_text())
        change(content)
        (folder / "contract.json").write_text(json.dumps(content))

    return spoil


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


def test_records_are_rows_by_name(model: abline_client.Model) -> None:
    records: list[dict[str, Any]] = [
        {"rooms": 3, "id": "a", "age": 12, "size": 70.0},
        {"size": 35.5, "age": 40, "rooms": 1},
    ]
    right = model.predict([[70.0, 12.0, 3.0], [35.5, 40.0, 1.0]])
    assert np.array_equal(model.predict(records), right)
    assert np.array_equal(model.predict(pd.DataFrame(records).to_dict("records")), right)
    assert model.in_range(records).shape == (2,)


def test_one_is_singular(workspace: Path) -> None:
    make(job())
    with pytest.raises(
        abline_client.InputError, match="rows of 2 numbers; the model has 1 feature: "
    ):
        abline_client.load("models").predict([[1.0, 2.0]])


def test_names_that_only_look_alike_are_told(workspace: Path) -> None:
    make(job(data__features=["größe"]))
    rows = {unicodedata.normalize("NFD", "größe"): [1.0]}
    with pytest.raises(abline_client.InputError, match="looks the same but is written with other"):
        abline_client.load("models").predict(rows)


def test_where_a_file_was_looked_for_is_said(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file or folder: `load` takes") as told:
        abline_client.load(tmp_path / "nowhere")
    assert told.value.filename == str(tmp_path / "nowhere")
    assert str(told.value).startswith(f"{tmp_path / 'nowhere'}: there is no such file or folder")
    with pytest.raises(FileNotFoundError, match="no such file in this folder; nor any") as told:
        abline_client.load(tmp_path)
    assert told.value.filename == str(tmp_path / "model.onnx")
    (tmp_path / "other.onnx").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="it has other.onnx: name one of them"):
        abline_client.load(tmp_path)


def test_a_model_says_what_it_is(models: Path, answering: Path) -> None:
    model, known = abline_client.load(models), abline_client.load(answering)
    assert (model.has_interval, known.has_interval) == (False, True)
    told = f"Model(y from size, age, rooms; float32, without interval; {models}/model.onnx)"
    assert repr(model) == told
    assert "with interval" in repr(known)


def test_a_model_can_be_pickled_and_copied(model: abline_client.Model, models: Path) -> None:
    rows = [[70.0, 12.0, 3.0]]
    right = model.predict(rows)
    for other in (pickle.loads(pickle.dumps(model)), copy.copy(model), copy.deepcopy(model)):
        assert np.array_equal(other.predict(rows), right)
        assert other.conformance().ok
        assert repr(other) == repr(model)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert np.array_equal(pool.map(model.predict, [rows])[0], right)


def test_the_file_alone_answers_but_proves_nothing(models: Path, tmp_path: Path) -> None:
    (copied(models, tmp_path) / "contract.json").unlink()
    model = abline_client.load(tmp_path / "model.onnx")
    rows = {"rooms": [3.0], "age": [12.0], "size": [70.0]}
    assert np.array_equal(model.predict(rows), abline_client.load(models).predict(rows))
    with pytest.raises(
        abline_client.ContractError, match=rf"looked for at {tmp_path}/contract.json"
    ):
        model.conformance()


def test_conformance_notices_answers_that_are_off(models: Path, tmp_path: Path) -> None:
    def off(content: dict[str, Any]) -> None:
        content["golden"]["outputs"]["y"][3][0] *= 1 + 1e-5

    rewritten(off)(copied(models, tmp_path))
    found = abline_client.load(tmp_path).conformance()
    assert not found.ok
    assert (found.vectors, found.within) == (32, 31)
    assert found.worst > 1
    assert found.problem is not None
    assert re.match(r"y of vector 3 is \[\S+\], must be \[\S+\]$", found.problem)


def test_the_repository_and_each_client_have_one_licence() -> None:
    texts = {
        (place / "LICENSE").read_text() for place in (ROOT, CLIENT, ROOT / "clients/javascript")
    }
    assert len(texts) == 1
    assert texts.pop().startswith("MIT License\n")
    for place in (ROOT, CLIENT):
        project = tomllib.loads((place / "pyproject.toml").read_text())["project"]
        assert (project["license"], project["license-files"]) == ("MIT", ["LICENSE"])
    package = json.loads((ROOT / "clients/javascript/package.json").read_text())
    assert package["license"] == "MIT"


@pytest.mark.slow
def test_it_needs_onnxruntime_and_numpy_alone(models: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", with_pip=True)
    python = str(tmp_path / "venv/bin/python")
    pins = [
        line
        for line in (ROOT / "requirements.txt").read_text().splitlines()
        if line.startswith(("numpy==", "onnxruntime=="))
    ]
    build = tmp_path / "client"
    subprocess.run(["cp", "-r", CLIENT, build], check=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *pins, build], check=True)
    listed = subprocess.check_output([python, "-m", "pip", "list", "--format=json"], text=True)
    names = {each["name"].lower() for each in json.loads(listed)}
    assert not names & {"torch", "mlflow", "dvc", "onnx", "pyarrow", "pandas"}
    about = (
        "from importlib.metadata import metadata; m = metadata('abline-client');"
        "print(m['License-Expression'], m['License-File'])"
    )
    assert subprocess.check_output([python, "-c", about], text=True) == "MIT LICENSE\n"
    code = (
        "import abline_client, sys; m = abline_client.load(sys.argv[1]);"
        "print(m.conformance().ok, m.predict([[1, 2, 3]]).shape)"
    )
    command = [python, "-W", "error", "-c", code, str(models)]
    assert subprocess.check_output(command, text=True, cwd=tmp_path) == "True (1, 1)\n"


def test_integers_that_are_rounded_are_named(model: abline_client.Model) -> None:
    model.predict([[2**24, 0, 0]])
    with pytest.warns(UserWarning, match="integers are rounded to the model's float32"):
        model.predict({"size": [2**24 + 1], "age": [0], "rooms": [0]})
