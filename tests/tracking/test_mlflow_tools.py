"""MLflow's own tools work on a run: they load, evaluate and search by the columns' names."""

import os
import shutil
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any
from unittest.mock import patch

import abline_client
import mlflow
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from conftest import ROOT, WIDE, TrackedRun, job, tracked_runs
from mlflow.exceptions import MlflowException
from mlflow.models import Model
from sklearn.metrics import r2_score, root_mean_squared_error
from stage_runs import run_stages

from pipeline import evaluate
from pipeline.settings import files
from pipeline.tracking import logged_model

TWO_TARGETS = {
    "data__targets": ["price", "rent"],
    "data__generate__weight": [[2.0, 1.0], [-1.0, 0.0], [0.5, 3.0]],
    "data__generate__bias": [1.0, -2.0],
    "data__generate__noise": 0.5,
    "data__test_fraction": 0.2,
    "train__optimizer": "exact",
    "export__outputs": ["prediction", "interval", "in_range"],
}


@pytest.fixture(scope="module")
def tracked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A working directory with the run of a job of three features and two targets."""
    place = tmp_path_factory.mktemp("tracked")
    for name in ("params.yaml", "dvc.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, place / name)
    for folder in ("pipeline", "modules"):
        shutil.copytree(ROOT / folder, place / folder)
    # MLflow writes the store's address into the environment, where it would outlive these tests.
    with chdir(place), patch.dict(os.environ), patch.object(evaluate, "draw"):
        for name in ("MLFLOW_TRACKING_URI", "DVC_ROOT"):
            os.environ.pop(name, None)
        Path("reports/plots").mkdir(parents=True)
        run_stages(job(**WIDE | TWO_TARGETS))
        mlflow.set_tracking_uri(f"sqlite:///{place}/mlflow.db")
        yield place


@pytest.fixture
def run(tracked: Path) -> TrackedRun:
    """The run of the pipeline; `mlflow.models.evaluate` makes a second run."""
    (complete_run,) = (run for run in tracked_runs(tracked) if "result_id" in run.tags)
    return complete_run


@pytest.fixture
def rows(tracked: Path) -> pd.DataFrame:
    return pd.read_parquet(tracked / files.TEST)


def right(rows: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return onnxruntime's answers: each output of the file by its name."""
    session = onnxruntime.InferenceSession(files.ONNX)
    x = rows[["size", "age", "rooms"]].to_numpy(np.float32)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {"x": x}), strict=True))


def test_a_frame_is_answered_by_its_columns_names_in_any_order(rows: pd.DataFrame) -> None:
    model = mlflow.pyfunc.load_model("models:/abline@verified")
    turned = rows[["rent", "rooms", "size", "age"]].set_axis(rows.index + 7)
    answers = model.predict(turned)
    assert list(answers) == [
        *("price", "price low 95%", "price high 95%"),
        *("rent", "rent low 95%", "rent high 95%"),
        "in_range",
    ]
    assert list(answers.index) == list(turned.index)
    expected = right(rows)
    assert np.array_equal(answers[["price", "rent"]], expected["y"])
    assert np.array_equal(answers[["price low 95%", "rent low 95%"]], expected["low"])
    assert np.array_equal(answers[["in_range"]], expected["in_range"])
    assert [column.type.name for column in model.metadata.get_input_schema()] == ["double"] * 3


@pytest.mark.parametrize(
    ("value", "told"),
    [
        (None, "the column rooms in row 2 must be a number, found null or NaN"),
        (np.nan, "the column rooms in row 2 must be a number, found null or NaN"),
        (-np.inf, "the column rooms in row 2 must be a number, found -inf"),
        (1e300, "the column rooms in row 2 must be a number, found 1e+300, which is too large"),
        (3e38, "the answer rent in row 2 must be finite, found inf"),
    ],
)
def test_what_no_number_answers_is_refused(tracked: Path, value: Any, told: str) -> None:
    model = mlflow.pyfunc.load_model("models:/abline@verified")
    frame = pd.DataFrame({"age": [1.0, 2.0], "size": [1.0, 2.0], "rooms": [1.0, value]})
    with pytest.raises(MlflowException) as refused:
        model.predict(frame)
    assert refused.value.message.startswith(told)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


def test_a_missing_column_is_named(tracked: Path) -> None:
    model = mlflow.pyfunc.load_model("models:/abline@verified")
    with pytest.raises(MlflowException, match=r"missing inputs \['age'\]"):
        model.predict(pd.DataFrame({"size": [1.0], "rooms": [1.0]}))


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # of MLflow's own code
def test_mlflow_evaluates_the_model_on_held_out_rows(rows: pd.DataFrame) -> None:
    evaluated = mlflow.models.evaluate(  # type: ignore[no-untyped-call]
        "models:/abline@verified",
        rows,
        targets="rent",
        predictions="rent",
        model_type="regressor",
        evaluator_config={"log_explainer": False},
    )
    answers = right(rows)["y"][:, 1]
    assert evaluated.metrics["r2_score"] == pytest.approx(r2_score(rows["rent"], answers))
    error = root_mean_squared_error(rows["rent"], answers)
    assert evaluated.metrics["root_mean_squared_error"] == pytest.approx(error)


def test_the_logged_model_is_the_file_with_its_contract_beside_it(run: TrackedRun) -> None:
    (model,) = run.models
    place = Path(mlflow.artifacts.download_artifacts(f"models:/{model.model_id}"))
    for path in (files.ONNX, files.CONTRACT):
        assert (place / path.name).read_bytes() == path.read_bytes()
    assert abline_client.load(place).conformance().ok
    loaded = mlflow.onnx.load_model(f"models:/{model.model_id}")
    assert loaded.SerializeToString() == files.ONNX.read_bytes()


def test_runs_are_found_by_what_they_hold(run: TrackedRun) -> None:
    md5s = run.md5s()
    for asked in (
        "metrics.`test.r2` > 0.5 and metrics.`train.rmse` < 10",
        "params.`train.optimizer` = 'exact' and params.`data.test_fraction` = '0.2'",
        f"tags.training_id = '{run.tags['training_id']}'",
        f"tags.outputs LIKE '%{md5s['models/model.onnx']}%'",
        f"dataset.digest = '{md5s['data/test.parquet']}'",
    ):
        matches = mlflow.search_runs(experiment_names=["abline"], filter_string=asked)
        assert run.id in list(matches["run_id"]), asked
    (version,) = mlflow.search_model_versions(
        filter_string=f"name = 'abline' and tag.result_id = '{run.tags['result_id']}'"
    )
    assert version.run_id == run.id


def test_a_registered_version_says_how_good_it_is(run: TrackedRun) -> None:
    (version,) = mlflow.search_model_versions(filter_string="name = 'abline'")
    r2 = run.metrics["test.r2"]
    assert version.description is not None
    assert version.description.startswith(f"held-out R² {r2:.6g}, held-out RMSE ")
    assert f"; run {run.name}. [Open the report](#/" in version.description


@pytest.mark.parametrize("terms", [None, "[1]", '{"input": {"features": [{}]}, "outputs": []}'])
def test_a_file_whose_columns_have_no_names_answers_by_position(
    rows: pd.DataFrame, tmp_path: Path, terms: str | None
) -> None:
    """Files from before the contract are like this, and strangers' files may be."""
    model = onnx.load(files.ONNX)
    del model.metadata_props[:]
    if terms is not None:
        onnx.helper.set_model_props(model, {"abline.contract": terms})
    saved = str(tmp_path / "saved")
    logged_model.Flavor.save_model(saved, Model(), model.SerializeToString(), None, [], ["numpy"])
    x = rows[["size", "age", "rooms"]].to_numpy(np.float32)
    answers = mlflow.pyfunc.load_model(saved).predict({"x": x})
    assert np.array_equal(answers["y"], right(rows)["y"])
