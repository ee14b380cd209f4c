"""The logged model is the ONNX file, with a signature only if the file names its columns well."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow.artifacts
import numpy as np
import onnx
import pytest
from conftest import environment, job, tracked_runs
from onnx import TensorProto, helper
from stage_runs import run_stages

from pipeline.settings import csv_cells, files
from pipeline.settings.errors import UserError
from pipeline.tracking import logged_model
from pipeline.tracking.result import SERVING_PACKAGES


def test_the_logged_model_is_the_file_and_answers_without_torch(workspace: Path) -> None:
    run_stages(job())
    (run,) = tracked_runs(workspace)
    assert run.model_file() == files.ONNX.read_bytes()
    (model,) = run.models
    where = run.client.get_logged_model(model.model_id).artifact_location
    place = mlflow.artifacts.download_artifacts(where)
    pins = Path(f"{place}/requirements.txt").read_text().splitlines()
    assert set(pins) <= set(Path("requirements.txt").read_text().splitlines())
    assert {pin.split("==")[0] for pin in pins} == set(SERVING_PACKAGES)
    ask = (
        "import sys; sys.modules['torch'] = None\n"
        "import mlflow\n"
        f"model = mlflow.pyfunc.load_model({place!r})\n"
        "print(model.predict({'x': [4.0]})['y'].item())"
    )
    told = subprocess.check_output([sys.executable, "-c", ask], env=environment(), text=True)
    (row,) = csv_cells.read_csv(files.PREDICTIONS)
    assert np.float32(told) == np.float32(row["y"])


def terms(*features: str) -> dict[str, Any]:
    """Return the terms of a contract with these features and one target."""
    output = {"name": "y", "meaning": "prediction", "dtype": "float32", "targets": ["price"]}
    inputs = {"name": "x", "dtype": "float32", "features": [{"name": name} for name in features]}
    return {"input": inputs, "outputs": [output]}


def a_model(weight: Any, **metadata: str) -> onnx.ModelProto:
    """Return an ONNX model with one number."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in "xy"]
    node = helper.make_node("Mul", ["x", "weight"], ["y"])
    model = helper.make_model(helper.make_graph([node], "graph", ends[:1], ends[1:], [weight]))
    helper.set_model_props(model, metadata)
    return model


WEIGHT = helper.make_tensor("weight", TensorProto.FLOAT, [1], [2.0])


def test_the_signature_names_the_columns_of_both_sides() -> None:
    columns = logged_model.signature(terms("size", "rooms"))
    assert columns.inputs.input_names() == ["size", "rooms"]
    assert [column.type.name for column in columns.inputs] == ["double", "double"]
    assert columns.outputs.input_names() == ["price"]
    assert [column.type.name for column in columns.outputs] == ["float"]


@pytest.mark.parametrize(
    ("contract", "is_taken"),
    [
        (json.dumps(terms("size", "rooms")), True),
        (json.dumps(terms("size", "size")), False),
        (json.dumps(terms()), False),
        (json.dumps(terms("size") | {"outputs": [{"meaning": "prediction"}]}), False),
        ("[" * 100_000, False),
        ("7", False),
    ],
)
def test_terms_that_do_not_name_the_columns_are_not_used(contract: str, is_taken: bool) -> None:
    """A stranger's file may have any; its run has a model nevertheless."""
    model = a_model(WEIGHT, **{"abline.contract": contract})
    assert (logged_model._terms(model) is not None) is is_taken
    assert logged_model._terms(a_model(WEIGHT)) is None


def test_a_model_with_numbers_in_other_files_is_refused() -> None:
    """The names of these files are a stranger's choice, such as ../../.ssh/authorized_keys."""
    elsewhere = onnx.TensorProto()
    elsewhere.CopyFrom(WEIGHT)
    elsewhere.data_location = TensorProto.EXTERNAL
    logged_model._refuse_external(a_model(WEIGHT))
    with pytest.raises(UserError, match="keeps the numbers of 'weight' in another file"):
        logged_model._refuse_external(a_model(elsewhere))
    # An attribute of a node may hold numbers, too.
    model = a_model(WEIGHT)
    model.graph.node.append(helper.make_node("Constant", [], ["z"], value=elsewhere))
    with pytest.raises(UserError, match="keeps the numbers of 'weight' in another file"):
        logged_model._refuse_external(model)
