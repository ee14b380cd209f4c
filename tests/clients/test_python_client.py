"""The Python client answers what was verified, and needs no torch."""

import copy
import json
import multiprocessing
import pickle
import re
import subprocess
import tomllib
import venv
from pathlib import Path
from typing import Any

import abline_client
import numpy as np
import pytest
from client_files import copied, rewritten
from conftest import ROOT, job, make

from pipeline.settings import csv_cells, files

CLIENT = ROOT / "clients" / "python"


@pytest.fixture
def model(models: Path) -> abline_client.Model:
    return abline_client.load(models)


def test_the_tutorials_model_gives_the_committed_predictions(workspace: Path) -> None:
    make(job())
    model = abline_client.load("models")
    assert model.predict([[4.0]]).tolist() == [[pytest.approx(7.5619025, abs=1e-6)]]
    committed = csv_cells.read_csv(ROOT / files.PREDICTIONS)
    y = model.predict({"x": [float(row["x"]) for row in committed]})
    assert y[:, 0].tolist() == pytest.approx([float(row["y"]) for row in committed], rel=1e-6)
    proof = model.conformance()
    assert proof.ok
    assert proof.problem is None
    assert proof.vectors == proof.within == 32
    assert proof.bit_equal >= 20
    assert model.in_range([[1.0], [3.0], [3.1]]).tolist() == [True, True, False]


def test_the_interval_is_around_the_prediction(answering: Path, model: abline_client.Model) -> None:
    known = abline_client.load(answering)
    rows = {"rooms": [3.0, 1.0], "age": [12.0, 40.0], "size": [70.0, 35.5]}
    y, (low, high) = known.predict(rows), known.interval(rows)
    assert low.shape == high.shape == y.shape == (2, 1)
    assert (low < y).all()
    assert (y < high).all()
    proof = known.conformance()
    assert (proof.vectors, proof.within) == (32, 32)
    assert proof.bit_equal >= 4
    with pytest.raises(abline_client.ContractError, match=r"without intervals; `export.outputs: "):
        model.interval(rows)


def test_a_missing_file_is_named_with_its_path(tmp_path: Path) -> None:
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
    with pytest.raises(abline_client.ContractError, match=rf"is not at {tmp_path}/contract.json"):
        model.conformance()


def test_conformance_notices_answers_that_are_off(models: Path, tmp_path: Path) -> None:
    def off(content: dict[str, Any]) -> None:
        content["golden"]["outputs"]["y"][3][0] *= 1 + 1e-5

    rewritten(off)(copied(models, tmp_path))
    proof = abline_client.load(tmp_path).conformance()
    assert not proof.ok
    assert (proof.vectors, proof.within) == (32, 31)
    assert proof.worst > 1
    assert proof.problem is not None
    assert re.match(r"y of vector 3 is \[\S+\], must be \[\S+\]$", proof.problem)


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
