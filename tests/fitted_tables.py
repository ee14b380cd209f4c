"""Jobs on a user's own table, from its CSV to the ONNX file's answers."""

import csv

import numpy as np
import onnxruntime
from conftest import job
from numpy.typing import NDArray
from stage_runs import run_stages

from pipeline.settings import files
from pipeline.settings.params import Params


def write_table(name: str, header: list[str], rows: NDArray[np.float64]) -> None:
    """Write data/raw/`name`."""
    path = files.RAW / name
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows.tolist())


def fit_job(name: str, **changes: object) -> Params:
    """Return a job on data/raw/`name` whose target is y."""
    usual: dict[str, object] = {
        "data__source": f"data/raw/{name}",
        "data__features": [],
        "evaluate__queries": [],
        "train__reduction": "mean",
    }
    return job(**(usual | changes))


def fit(params: Params) -> None:
    """Run the stages from the table to the ONNX file."""
    run_stages(params, "generate", "train", "evaluate", "export")


def onnx_answers(x: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the ONNX file's answers to rows in the units of the table."""
    y: NDArray[np.float32]
    (y,) = onnxruntime.InferenceSession(files.ONNX).run(["y"], {"x": x.astype(np.float32)})
    return y
