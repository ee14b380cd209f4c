"""Result as its run shows it, read from files."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from mlflow.entities import Dataset

from pipeline.report import verdict
from pipeline.results.recorded import flat_metrics
from pipeline.settings import csv_cells, environment, files
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import UserError
from pipeline.settings.keys import target_settings

SERVING_PACKAGES = ("mlflow", "numpy", "onnx", "onnxruntime", "pandas")
"""Packages that serve the model; torch is not needed."""

EpochLosses = tuple[int, float, float | None]
"""An epoch, its loss, and the loss of the held-out rows; None if there are no such rows."""


class MissingFilesError(UserError):
    """A result has no run without these files; perhaps they can be fetched."""


@dataclass(frozen=True)
class Result:
    """Everything that a complete run shows."""

    identity: Mapping[str, Any]
    """Content of run.json."""
    md5: str
    """md5 of run.json: the result's name in dvc.lock."""
    losses: Sequence[EpochLosses]
    metrics: Mapping[str, float]
    """Values by dotted names."""
    folder: Path
    """Folder with its files."""
    artifacts: Sequence[Path]
    """Files and folders to log as artifacts, relative to `folder`."""
    onnx_file: bytes | None
    """None if it is missing."""
    contract: bytes | None
    """Content of contract.json; None if it is missing."""
    example: Sequence[str]
    """Features of the first query, as predictions.csv has them; empty if there is no query."""
    verified: bool
    """True if verification.json is about this very ONNX file."""
    requirements: Sequence[str]
    """Pinned packages that serve the model."""
    data: Mapping[str, Dataset]
    """Tables by their use: training, test."""
    missing: Sequence[str]
    """Outputs that are not in `folder`."""
    warning: str | None = None
    """Sentence if the mean of the targets predicts better than the model, else None."""


def read(
    folder: Path, identity: Mapping[str, Any], md5: str, missing: Sequence[str] = ()
) -> Result:
    """Read the files of a result.

    md5: the md5 of its run.json; missing: outputs that are not in `folder`.
    Raises MissingFilesError if its metrics or its losses are missing.
    """
    if needed := {str(files.METRICS), str(files.HISTORY)} & set(missing):
        raise MissingFilesError(f"{' and '.join(sorted(needed))} is not at hand")
    outs = identity["outs"]
    here = {path for path in outs if path not in missing}
    reports = [Path(path) for path in outs if path in here and _is_report(path)]
    metrics = json.loads((folder / files.METRICS).read_text(encoding="utf-8"))
    onnx_file = (folder / files.ONNX).read_bytes() if str(files.ONNX) in here else None
    verified = False
    if onnx_file is not None and str(files.VERIFICATION) in here:
        verification = json.loads((folder / files.VERIFICATION).read_bytes())
        verified = verification.get("model_md5") == outs[str(files.ONNX)]
    targets = target_settings.names(identity["params"]["data.targets"])
    return Result(
        identity=identity,
        md5=md5,
        losses=_losses(folder / files.HISTORY),
        metrics=flat_metrics(metrics),
        folder=folder,
        artifacts=[path for path in (params_yaml.PATH, *reports) if (folder / path).exists()],
        onnx_file=onnx_file,
        contract=(folder / files.CONTRACT).read_bytes() if str(files.CONTRACT) in here else None,
        example=(
            _first_query(folder / files.PREDICTIONS, targets)
            if str(files.PREDICTIONS) in here
            else []
        ),
        verified=verified,
        requirements=_pins(folder / environment.REQUIREMENTS, SERVING_PACKAGES),
        data=dict(_datasets(folder, identity)),
        missing=missing,
        warning=verdict.worse_than_the_mean(metrics, identity["params"].get("train.loss")),
    )


def _losses(history: Path) -> list[EpochLosses]:
    """Return the losses of each epoch in history.csv."""
    return [
        (
            int(row["epoch"]),
            float(row["loss"]),
            float(row["test_loss"]) if "test_loss" in row else None,
        )
        for row in csv_cells.read_csv(history)
    ]


def _first_query(predictions: Path, targets: Sequence[str]) -> list[str]:
    """Return the features of the first query in predictions.csv; empty if there is no query."""
    with predictions.open(newline="", encoding="utf-8") as file:
        header, *rows = islice(map(csv_cells.restored, csv.reader(file)), 2)
    # The columns after the features may be empty: no interval exists without degrees of freedom.
    return [value for row in rows for value in row[: header.index(targets[0])]]


def _is_report(out: str) -> bool:
    """True for a report and for the contract: the tables and the model are no artifacts."""
    return Path(out).parts[0] == "reports" or out == str(files.CONTRACT)


def _datasets(folder: Path, identity: Mapping[str, Any]) -> Iterator[tuple[str, Dataset]]:
    """Yield MLflow's description of each table that has rows, after its use.

    The digest is the table's md5; it is all there is of a table that is not in `folder`. If the
    rows were left where they are (data.keep_rows), the source is described, and the digest is the
    md5 of its summary.
    """
    outs, params = identity["outs"], identity["params"]
    kept = params.get("data.keep_rows", True)
    for use, path in (("training", files.TRAIN), ("test", files.TEST)):
        digest = outs.get(str(path if kept else files.SUMMARY))
        if digest is None:
            continue
        rows, about = None, {}
        if (folder / path).exists():
            with pq.ParquetFile(folder / path) as table:
                rows, schema = table.metadata.num_rows, table.schema_arrow
            if not kept:
                rows = _counted(folder / files.COLUMNS, use)
            about = _described(rows, schema)
        if rows == 0:
            continue
        name = path.name if kept else f"{Path(params['data.source']).name}, {use} rows"
        source = json.dumps({"uri": str(path) if kept else params["data.source"]})
        yield use, Dataset(name=name, digest=digest, source_type="local", source=source, **about)


def _counted(columns: Path, use: str) -> int | None:
    """Return the number of rows that columns.json says; None if the file is missing."""
    if not columns.exists():
        return None
    return int(json.loads(columns.read_bytes())["rows"][use])


def _described(rows: int | None, schema: pa.Schema) -> dict[str, str]:
    """Return MLflow's description of a table's columns and, if it is known, of its size."""
    columns = [
        {"type": _kind(field.type), "name": field.name, "required": True} for field in schema
    ]
    about = {"schema": json.dumps({"mlflow_colspec": columns})}
    if rows is not None:
        about["profile"] = json.dumps({"num_rows": rows, "num_elements": rows * len(schema)})
    return about


def _kind(arrow: pa.DataType) -> str:
    """Return MLflow's name for the type of a column."""
    if pa.types.is_string(arrow):
        return "string"
    return "double" if pa.types.is_floating(arrow) else "datetime"


def _pins(requirements: Path, names: Sequence[str]) -> list[str]:
    """Return the lines of a requirements.txt for the packages in `names`."""
    if not requirements.exists():
        return []
    lines = requirements.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.partition("==")[0] in names]
