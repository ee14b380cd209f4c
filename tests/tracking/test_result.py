"""Result as its run shows it: read from files, some of which may be missing."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.settings import files
from pipeline.tracking import result

MODEL_MD5 = "0" * 32


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files of a result."""
    contents = {
        files.METRICS: json.dumps({"train": {"mse": 0.25, "r2": None}, "epochs": 2}),
        files.HISTORY: "epoch,loss\n1,0.5\n2,0.25\n",
        files.PREDICTIONS: "a,b,y,y low 95%\n1.5,2,7,\n3,4,8,\n",
        files.ONNX: "a model",
        files.VERIFICATION: json.dumps({"model_md5": MODEL_MD5}),
        Path("requirements.txt"): "numpy==2.0\ntorch==2.6\nonnx==1.17 # pinned\nnumpy-extra==1\n",
        Path("params.yaml"): "",
    }
    for path, text in contents.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    for path, rows in ((files.TRAIN, [1.0, 2.0]), (files.TEST, [])):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"a": pa.array(rows, pa.float64())}), tmp_path / path)
    return tmp_path


def identity() -> dict[str, Any]:
    """Return the content of run.json that these tests need."""
    paths = [
        *(files.METRICS, files.HISTORY, files.PREDICTIONS, files.ONNX, files.VERIFICATION),
        *(files.CONTRACT, files.TRAIN, files.TEST),
    ]
    return {"outs": dict.fromkeys(map(str, paths), MODEL_MD5), "params": {"data.targets": ["y"]}}


def test_a_result_is_read_from_its_files(folder: Path) -> None:
    whole = result.read(folder, identity(), "md5", [str(files.CONTRACT)])
    assert whole.losses == [(1, 0.5, None), (2, 0.25, None)]
    assert whole.metrics == {"train.mse": 0.25, "epochs": 2.0}
    assert whole.example == ["1.5", "2"]
    assert whole.onnx_file == b"a model"
    assert whole.verified
    assert whole.contract is None
    assert whole.requirements == ["numpy==2.0", "onnx==1.17 # pinned"]
    assert files.ONNX not in whole.artifacts
    assert {Path("params.yaml"), files.METRICS, files.HISTORY} <= set(whole.artifacts)


def test_a_verification_of_another_file_verifies_nothing(folder: Path) -> None:
    """The model would become a version of the registered model."""
    (folder / files.VERIFICATION).write_text(json.dumps({"model_md5": "f" * 32}))
    assert not result.read(folder, identity(), "md5", [str(files.CONTRACT)]).verified
    missing = [str(files.CONTRACT), str(files.VERIFICATION)]
    assert not result.read(folder, identity(), "md5", missing).verified


@pytest.mark.parametrize("path", [files.METRICS, files.HISTORY])
def test_a_result_without_metrics_or_losses_has_no_run(folder: Path, path: Path) -> None:
    with pytest.raises(result.MissingFilesError, match=f"{path} is not at hand"):
        result.read(folder, identity(), "md5", [str(path), str(files.CONTRACT)])


def test_other_files_may_be_missing(folder: Path) -> None:
    missing = [str(path) for path in (files.PREDICTIONS, files.ONNX, files.CONTRACT, files.TRAIN)]
    for path in missing:
        (folder / path).unlink(missing_ok=True)
    rest = result.read(folder, identity(), "md5", missing)
    assert rest.missing == missing
    assert rest.example == []
    assert rest.onnx_file is None
    assert not rest.verified
    assert not {Path(path) for path in missing} & set(rest.artifacts)
    assert rest.data["training"].digest == MODEL_MD5
    assert rest.data["training"].profile is None


def test_a_table_is_described_by_its_md5_columns_and_rows(folder: Path) -> None:
    tables = result.read(folder, identity(), "md5", [str(files.CONTRACT)]).data
    assert list(tables) == ["training"], "the table of held-out rows is empty"
    training = tables["training"]
    assert training.digest == MODEL_MD5
    assert json.loads(training.profile or "") == {"num_rows": 2, "num_elements": 2}
    (column,) = json.loads(training.schema or "")["mlflow_colspec"]
    assert column["name"] == "a"


def test_a_table_that_stays_where_it_is_is_described_as_the_source(folder: Path) -> None:
    """data/train.parquet has its columns and no rows; the summary's md5 names the table."""
    pq.write_table(pa.table({"a": pa.array([], pa.float64())}), folder / files.TRAIN)
    counts = {"source": 9, "dropped": {}, "training": 7, "test": 0}
    (folder / files.COLUMNS).write_text(json.dumps({"rows": counts}))
    whole = identity()
    whole["outs"] |= {str(files.SUMMARY): "5" * 32}
    whole["params"] |= {"data.keep_rows": False, "data.source": "data/raw/houses.dvc"}
    tables = result.read(folder, whole, "md5", [str(files.CONTRACT)]).data
    assert list(tables) == ["training"], "no rows were held out"
    training = tables["training"]
    assert (training.name, training.digest) == ("houses.dvc, training rows", "5" * 32)
    assert json.loads(training.source) == {"uri": "data/raw/houses.dvc"}
    assert json.loads(training.profile or "") == {"num_rows": 7, "num_elements": 7}
    assert '"name": "a"' in (training.schema or "")
    (folder / files.COLUMNS).unlink()
    (folder / files.TRAIN).unlink()
    unseen = result.read(folder, whole, "md5", [str(files.CONTRACT)]).data["training"]
    assert (unseen.digest, unseen.profile) == ("5" * 32, None)
