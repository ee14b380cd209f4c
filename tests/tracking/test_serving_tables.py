"""A model of raw columns answers frames and requests of raw columns, by name."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pyarrow.csv
import pytest
from conftest import tracked_runs
from mixed_tables import mixed_job, mixed_rows
from mlflow.exceptions import MlflowException
from stage_runs import run_stages
from test_serving import served, without_torch

from pipeline.settings import csv_cells, files

GOOD = {"area": 70.0, "age": None, "heating": "gas", "district": "north", "sold": "2020-01-05"}
ODD = {"area": 90.5, "age": 3.0, "heating": None, "district": "new", "sold": "2020-02-01"}


def logged(targets: list[str]) -> str:
    """Run the job in the working directory; return the folder of the logged model."""
    rows = mixed_rows(60)
    second = pyarrow.array(np.random.default_rng(1).normal(size=60))
    files.RAW.mkdir(parents=True)
    pyarrow.csv.write_csv(rows.append_column("rent", second), files.RAW / "flats.csv")
    exclude = ["rent"] if len(targets) == 1 else []
    run_stages(mixed_job(model__dtype="float64", data__targets=targets, data__exclude=exclude))
    (run,) = tracked_runs(Path.cwd())
    (model,) = run.models
    where = run.client.get_logged_model(model.model_id).artifact_location
    return mlflow.artifacts.download_artifacts(where)


def frame(*rows: dict[str, Any]) -> pd.DataFrame:
    whole = pd.DataFrame(rows)
    return whole.assign(sold=pd.to_datetime(whole["sold"]), age=whole["age"].astype(float))


@pytest.mark.parametrize(
    "targets", [pytest.param(["price"], marks=pytest.mark.slow), ["price", "rent"]]
)
def test_a_frame_of_raw_columns_is_answered(workspace: Path, targets: list[str]) -> None:
    place = logged(targets)
    model = mlflow.pyfunc.load_model(place)
    right = csv_cells.read_csv(files.PREDICTIONS)
    answers = model.predict(frame(GOOD, ODD)[["sold", "heating", "area", "district", "age"]])
    assert list(answers.columns) == targets
    for target in targets:
        values = [float(row[target]) for row in right]
        assert answers[target].tolist() == pytest.approx(values, rel=1e-9)
    inputs = {column.name: column.type.name for column in model.metadata.get_input_schema()}
    kinds = {"area": "double", "heating": "string", "sold": "datetime"}
    assert inputs == {"age": "double", "district": "string"} | kinds
    example = model.input_example
    assert model.predict(example)[targets].shape == (1, len(targets))
    for column, value, said in (
        ("area", None, "column area in row 1 must be a number, found null or NaN"),
        ("heating", "coal", 'column heating in row 1 must be one of "gas", "oil", found "coal"'),
        ("sold", "2020-07-01", "month of the column sold in row 1 must be one of 1, 2, 3"),
        ("sold", None, "column sold in row 1 must not be missing, found null"),
    ):
        wrong = frame(GOOD | {column: value}).astype({"area": float})
        with pytest.raises(MlflowException, match=said):
            model.predict(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("targets", [["price"], ["price", "rent"]])
def test_a_server_answers_requests_of_raw_columns(workspace: Path, targets: list[str]) -> None:
    place = logged(targets)
    right = csv_cells.read_csv(files.PREDICTIONS)
    variables = without_torch(workspace / "no torch")
    told = subprocess.run(
        [sys.executable, "-c", "import torch"], env=variables, capture_output=True
    )
    assert told.returncode != 0
    split = {"columns": list(GOOD), "data": [list(GOOD.values()), list(ODD.values())]}
    with served(place, variables, workspace / "no torch") as ask:
        answers = [ask({"dataframe_records": [GOOD, ODD]}), ask({"dataframe_split": split})]
        refused = ask({"dataframe_records": [GOOD | {"heating": "coal"}]})
    for answer in answers:
        for row, predicted in zip(right, answer["predictions"], strict=True):
            values = {name: float(row[name]) for name in targets}
            assert predicted == pytest.approx(values, rel=1e-9)
    assert 'must be one of "gas", "oil", found "coal"' in json.dumps(refused).replace('\\"', '"')
