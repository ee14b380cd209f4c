"""Run all stages of a job, in this process or as processes, and check that the run is complete.

Things that tests of runs need but do not test are made once for each process: an empty store, and
the files that `evaluate` and `export` write from the same files, parameters and code.
"""

import functools
import json
import os
import shutil
import tempfile
from pathlib import Path
from unittest.mock import patch

from conftest import Checkout, TrackedRun
from stores import move_artifacts

from pipeline import evaluate, export, generate, track, train
from pipeline.settings import declared, ids
from pipeline.settings.params import Params
from pipeline.tracking import store_file

NAMES = ("generate", "train", "evaluate", "export", "track")
STAGES = (generate, train, evaluate, export, track)

_written: dict[str, dict[str, bytes]] = {}
"""Outputs of `evaluate` and `export` by their inputs: the content of each, by its path."""


def run_stages(params: Params, *names: str) -> None:
    """Run stages in this process, in the working directory; all of them if none is named."""
    by_name = dict(zip(NAMES, STAGES, strict=True))
    for name in names or NAMES:
        if name in ("evaluate", "export"):
            _write(name, params)
        else:
            _place_store()
            by_name[name].main(params)


def _write(name: str, params: Params) -> None:
    """Run `evaluate` or `export`, or write the files that it wrote before from the same inputs."""
    stage = declared.stages()[name]
    # A test may have replaced the function that draws.
    made_by = [name, repr(vars(evaluate)["draw"])]
    key = json.dumps([made_by, ids.md5s(stage["deps"]), ids.stage_params(name, params)])
    if key in _written:
        for out in stage["outs"]:
            shutil.rmtree(out) if Path(out).is_dir() else Path(out).unlink(missing_ok=True)
        for path, content in _written[key].items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_bytes(content)
        return
    {"evaluate": evaluate, "export": export}[name].main(params)
    paths = [path for out in stage["outs"] for path in (Path(out), *Path(out).rglob("*"))]
    _written[key] = {str(path): path.read_bytes() for path in paths if path.is_file()}


def _place_store() -> None:
    """Place an empty store where the first run would make one, which takes seconds."""
    store = Path("mlflow.db")
    if store.exists() or {"MLFLOW_TRACKING_URI", "DVC_ROOT"} & set(os.environ):
        return
    shutil.copyfile(_empty_store(), store)
    move_artifacts(store, Path("mlartifacts/0").absolute())


@functools.cache
def _empty_store() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="abline-store-"))
    with patch.dict(os.environ, {"DVC_ROOT": str(folder)}):
        store_file.make(folder / "mlflow.db")
    return folder / "mlflow.db"


def start_stages(checkout: Checkout) -> str:
    """Run each stage as a process of its own; return what all of them printed."""
    return "".join(checkout.stage(name) for name in NAMES)


def is_complete(run: TrackedRun, epochs: int = 100) -> bool:
    """Return True if a run has everything, and each epoch once."""
    return (
        run.status == "FINISHED"
        and [step for step, _ in run.losses()] == list(range(1, epochs + 1))
        and "result_id" in run.tags
        and "train.mse" in run.metrics
        and len(run.models) == 1
        and len(run.client.get_metric_history(run.id, "train.mse")) == 1
    )
