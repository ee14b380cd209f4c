"""A table as a person brings it, through describe and the stages, in a fresh clone of the job.

`python -m pipeline.describe … --write`, then the stages generate, train, evaluate and export, by
their `main` in a process that has imported everything. Only the live MLflow run is left out.
"""

import contextlib
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock, patch

import numpy as np
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from rounds import ROOT
from table_coefficients import digits
from table_peer import held_out_r2, r2

sys.path.insert(0, str(ROOT))

from pipeline import evaluate, export, generate, train
from pipeline.learning import training  # noqa: F401 (train imports it late, each child again)
from pipeline.settings import declared, params
from pipeline.settings.errors import UserError


@dataclass
class Outcome:
    """What became of a table."""

    message: str = ""
    """The message of the program that refused the table; empty if all ran."""
    seconds: float = 0.0
    rows: int = 0
    dropped: int = 0
    features: list[str] = field(default_factory=list)
    excluded: list[str] = field(default_factory=list)
    r2: float = math.nan
    """Of the ONNX file's answers to the raw rows that are held out."""
    refused: int = 0
    """Rows held out that the ONNX file does not answer."""
    peer_r2: float = math.nan
    verified: bool = False
    digits: tuple[float, float] | None = None
    """See table_coefficients; None if they were not asked for."""


def run(path: Path, target: str, clone: Path, with_digits: bool = False) -> Outcome:
    """Run a table through everything, in a clone of the repository. Changes the working folder.

    with_digits: compare the coefficients with statsmodels'.
    """
    os.chdir(clone)
    raw = Path("data/raw") / path.name
    raw.write_bytes(path.read_bytes())
    outcome, begin = Outcome(), time.perf_counter()
    try:
        _describe(raw, target)
        settings = params.load()
        declared.check(params.flatten(settings))
        with patch.object(train, "live_run", _no_run):
            for stage in (generate, train, evaluate, export):
                stage.main(settings)
    except UserError as error:
        outcome.message = str(error)
    except Exception as error:  # a fault of ours; the table of results says so
        outcome.message = f"{type(error).__name__}: {error}"
    outcome.seconds = time.perf_counter() - begin
    if not outcome.message:
        (target,) = params.load().data.targets  # describe may have found it in quotes
        _measure(outcome, target)
        outcome.digits = digits(target) if with_digits else None
    return outcome


def _describe(raw: Path, target: str) -> None:
    """Run `python -m pipeline.describe`. Raises UserError with its message if it refuses."""
    command = [sys.executable, "-m", "pipeline.describe", str(raw), "--target", target, "--write"]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise UserError(done.stderr.strip())


@contextlib.contextmanager
def _no_run() -> Iterator[MagicMock]:
    yield MagicMock()


def _measure(outcome: Outcome, target: str) -> None:
    """Read from the files of the job what was used, and how good the answers are."""
    plan = json.loads(Path("data/columns.json").read_bytes())
    outcome.rows = plan["rows"]["source"]
    outcome.dropped = sum(plan["rows"]["dropped"].values())
    outcome.features = [column["name"] for column in plan["columns"]]
    outcome.excluded = plan["excluded"]
    outcome.verified = Path("reports/verification.json").is_file()
    test = pq.read_table("data/test.parquet")
    if not test.num_rows:  # describe holds out no row of a table of few rows
        return
    y = test[target].to_numpy()
    answers = onnx_answers(test)
    answered = ~np.isnan(answers)
    outcome.refused = int((~answered).sum())
    outcome.r2 = r2(y[answered], answers[answered])
    texts = [column["name"] for column in plan["columns"] if column["kind"] == "category"]
    outcome.peer_r2 = held_out_r2(outcome.features, target, texts)


def onnx_answers(rows: pa.Table) -> NDArray[np.float64]:
    """Return the answers of models/model.onnx to raw rows: [rows]."""
    contract = json.loads(Path("models/contract.json").read_bytes())
    session = onnxruntime.InferenceSession("models/model.onnx")
    feed: dict[str, Any]
    if contract["version"] == 1:
        dtype = contract["input"]["dtype"]
        names = [column["name"] for column in contract["input"]["features"]]
        feed = {"x": np.column_stack([rows[name].to_numpy().astype(dtype) for name in names])}
    else:
        feed = {
            column["name"]: _values(rows[column["name"]], column) for column in contract["inputs"]
        }
    (first, *_) = session.run(None, feed)
    return np.asarray(first, float).reshape(rows.num_rows, -1)[:, 0]


def _values(values: pa.ChunkedArray, column: dict[str, Any]) -> NDArray[Any]:
    """Return a raw column as the ONNX file takes it."""
    if column["kind"] == "number":
        return np.asarray(values.to_numpy(), column["dtype"])
    if column["kind"] == "category":
        return np.array(values.to_pylist(), object)
    unit = "D" if column["unit"] == "days" else "s"
    return np.asarray(values.to_numpy(), f"datetime64[{unit}]").astype(np.int64)
