"""What a run holds: from its first moment, while it trains, and when `track` completes it.

MLflow is a view of the result, never its only copy: what a run shows can be rebuilt from files.
"""

import getpass
import os
import re
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from mlflow.entities import Dataset, DatasetInput, InputTag, Metric, Param, Run, RunTag
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import Schema, TensorSpec
from sqlalchemy.exc import SQLAlchemyError

from pipeline import lineage
from pipeline.params import Params
from pipeline.store import Store, explained, lock, open_store

PARAMS_PER_BATCH = 100  # MLflow's limits
METRICS_PER_BATCH = 1000

Losses = tuple[int, float, float | None]
"""An epoch, its loss, and that of the rows held out, if there are any."""

Timed = tuple[int, float, float | None, int]
"""Losses, and when they were known, in milliseconds since 1970."""


def begin(params: Params, training_id: str, now: int) -> tuple[Store, str]:
    """Open the store and create the run of a training in it: the store and the run's id.

    now: when the training began, in milliseconds since 1970.
    The run holds what cannot change without retraining: the params of `train`, training_id and
    the losses to come.
    """
    store = open_store(params.tracking.experiment)
    with explained(store.uri):
        run_id = _create(store, params, training_id, now)
        _log_params(store, run_id, lineage.stage_params("train", params))
    return store, run_id


def log_losses(store: Store, run_id: str, losses: Sequence[Timed]) -> None:
    """Log finite losses, each with its epoch as step."""
    metrics = [
        Metric(name, value, milliseconds, epoch)
        for epoch, loss, test_loss, milliseconds in losses
        for name, value in (("loss", loss), ("test_loss", test_loss))
        if value is not None
    ]
    with explained(store.uri):
        for start in range(0, len(metrics), METRICS_PER_BATCH):
            store.client.log_batch(run_id, metrics=metrics[start : start + METRICS_PER_BATCH])


def end(store: Store, run_id: str, now: int, status: str, reason: str) -> None:
    """End a run as FINISHED, KILLED or FAILED at `now`, with the reason if there is one."""
    with explained(store.uri):
        if reason:
            store.client.set_tag(run_id, "reason", reason[:1000])
        store.client.set_terminated(run_id, status, now)


@dataclass(frozen=True)
class Result:
    """All that a complete run shows, as read from files by `track`."""

    identity: Mapping[str, Any]
    """The content of run.json."""
    losses: Sequence[Losses]
    metrics: Mapping[str, float]
    """Dotted names and values."""
    artifacts: Sequence[Path]
    """Files and folders to keep with the run, relative to the root."""
    onnx_file: bytes
    example: np.ndarray[Any, np.dtype[Any]]
    """An input row of the model: [1, features], in its precision."""
    requirements: Sequence[str]
    """Pinned packages that answer with the model."""
    data: Mapping[str, Dataset]
    """The tables, by what they are for: training, test."""
    note: str
    """What the run's page says first, in Markdown."""


def record(params: Params, result: Result) -> str:
    """See that the store has one complete run of `result`; say in a few words what was done.

    The newest finished training of its training_id that no other result has claimed is completed,
    if it is newer than the result's own run, which it then supersedes together with the same
    experiment's trainings that came to nothing. Where there is no such training, and no run of the
    result either, a run is replayed from the files.
    """
    store = open_store(params.tracking.experiment)
    result_id, training_id = result.identity["result_id"], result.identity["training_id"]
    # Two experiments may share a training: whoever holds the lock claims its run.
    with lock(), explained(store.uri):
        found = store.client.search_runs(
            [store.experiment_id],
            f"tags.training_id = '{training_id}'",
            order_by=["attributes.start_time DESC"],
        )
        runs = [run for run in found if "superseded_by" not in run.data.tags]
        same = [run for run in runs if run.data.tags.get("result_id") == result_id]
        # A completion that was cut short has claimed its run: only its own result goes on with it.
        free = [
            run
            for run in runs
            if run.info.status == "FINISHED"
            and "result_id" not in run.data.tags
            and run.data.tags.get("claimed_by", result_id) == result_id
        ]
        # Experiments that run side by side may have trained alike: each takes its own run first.
        experiment = os.environ.get("DVC_EXP_NAME")
        own = [run for run in free if run.data.tags.get("dvc.experiment") == experiment]
        newest = next(iter(own or free), None)
        known_since = max((run.info.start_time for run in same), default=-1)
        if newest is not None and newest.info.start_time > known_since:
            _complete(store, newest, params, result)
            for run in same + [run for run in own if run is not newest]:
                _supersede(store, run, newest)
            return f"run completed: {lineage.run_name(params)}"
        if same:
            return f"run known already: {same[0].info.run_name}"
        run_id = _create(store, params, training_id, time.time_ns() // 1_000_000)
        try:
            _replay(store, run_id, result)
            _complete(store, store.client.get_run(run_id), params, result)
        except BaseException:
            with suppress(MlflowException, SQLAlchemyError, OSError):
                store.client.set_terminated(run_id, "KILLED")
            raise
        return f"run replayed from files: {lineage.run_name(params)}"


def _supersede(store: Store, older: Run, newer: Run) -> None:
    """Mark a run whose place a newer one has taken."""
    store.client.set_tag(older.info.run_id, "superseded_by", newer.info.run_id)
    store.client.update_run(older.info.run_id, name=f"superseded: {older.info.run_name}")


def _replay(store: Store, run_id: str, result: Result) -> None:
    """Log the losses of a training that this store has not seen, all at the time of now."""
    now = time.time_ns() // 1_000_000
    log_losses(store, run_id, [(*losses, now) for losses in result.losses])
    store.client.set_terminated(run_id, "FINISHED")


def _complete(store: Store, run: Run, params: Params, result: Result) -> None:
    """Add to a trained run all that came after training. The tag result_id, at last, says so."""
    client, run_id = store.client, run.info.run_id
    # Params cannot be changed once logged: from here on the run is this result's and no other's.
    client.set_tag(run_id, "claimed_by", result.identity["result_id"])
    client.update_run(run_id, name=lineage.run_name(params))
    _log_params(store, run_id, result.identity["params"])
    # The end of the training as time stamp: a completion that is repeated adds no second value.
    metrics = [
        Metric(name, value, run.info.end_time, 0)
        for name, value in _metric_names(result.metrics).items()
    ]
    outs = {f"md5 {path}": md5 for path, md5 in result.identity["outs"].items()}
    tags = _context() | outs | {"mlflow.note.content": result.note}
    client.log_batch(run_id, metrics=metrics, tags=[RunTag(*tag) for tag in tags.items()])
    for tag in set(_CONTEXT) & set(run.data.tags) - set(tags):
        client.delete_tag(run_id, tag)  # of the experiment that trained, if this is another
    client.log_inputs(
        run_id,
        [
            DatasetInput(dataset, [InputTag("mlflow.data.context", context)])
            for context, dataset in result.data.items()
        ],
    )
    for path in result.artifacts:
        log = client.log_artifacts if path.is_dir() else client.log_artifact
        log(run_id, str(path), _parent(path))
    logged = [model.model_id for model in (run.outputs.model_outputs if run.outputs else ())]
    # A completion that was cut short may have come this far.
    if not any(client.get_logged_model(model).status == "READY" for model in logged):
        _log_model(store, run_id, result)
    client.set_terminated(run_id, "FINISHED", run.info.end_time)
    client.set_tag(run_id, "result_id", result.identity["result_id"])


def _log_model(store: Store, run_id: str, result: Result) -> None:
    """Log the ONNX file, byte for byte, as an MLflow model."""
    import mlflow.onnx  # only here: a training need not wait for it
    import onnx

    model = onnx.load_from_string(result.onnx_file)
    assert model.SerializeToString() == result.onnx_file, "MLflow would write other bytes"
    # Without it the model would go to MLflow's Default experiment, whose artifacts lie wherever the
    # store was first opened.
    mlflow.set_experiment(experiment_id=store.experiment_id)
    x, y = model.graph.input[0], model.graph.output[0]
    kind = result.example.dtype
    signature = ModelSignature(
        inputs=Schema([TensorSpec(kind, (-1, result.example.shape[1]), x.name)]),
        outputs=Schema([TensorSpec(kind, (-1, y.type.tensor_type.shape.dim[1].dim_value), y.name)]),
    )
    mlflow.onnx.log_model(
        model,
        name="model",
        run_id=run_id,
        signature=signature,
        input_example={x.name: result.example},
        pip_requirements=list(result.requirements),
        onnx_execution_providers=["CPUExecutionProvider"],
        save_as_external_data=False,
    )


def _create(store: Store, params: Params, training_id: str, now: int) -> str:
    """Create a run that says from its first moment who is training what."""
    tags = _context() | {"training_id": training_id}
    name = lineage.run_name(params)
    run = store.client.create_run(store.experiment_id, start_time=now, tags=tags, run_name=name)
    return str(run.info.run_id)


_CONTEXT = ("mlflow.source.git.commit", "dvc.experiment", "dvc.baseline", "mlflow.user")


def _context() -> dict[str, str]:
    """Tags: who runs this from which code, and under which DVC experiment."""
    changed = lineage.changed_files()
    tags = {
        "mlflow.source.name": "dvc.yaml",
        "mlflow.source.type": "LOCAL",
        "mlflow.source.git.commit": lineage.commit(),
        "git.changed_files": ", ".join(changed)[:5000] or "none",
        "dvc.experiment": os.environ.get("DVC_EXP_NAME"),
        "dvc.baseline": os.environ.get("DVC_EXP_BASELINE_REV"),
    }
    with suppress(OSError, KeyError):  # a user without a name, as in some containers
        tags["mlflow.user"] = getpass.getuser()
    return {key: value for key, value in tags.items() if value}


def _log_params(store: Store, run_id: str, values: Mapping[str, Any]) -> None:
    params = [Param(key, _cut(lineage.short(value))) for key, value in values.items()]
    for start in range(0, len(params), PARAMS_PER_BATCH):
        store.client.log_batch(run_id, params=params[start : start + PARAMS_PER_BATCH])


def _cut(text: str, longest: int = 500) -> str:
    """A long value is one that nobody reads in a table: params.yaml, an artifact, has it all."""
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"


def _metric_names(metrics: Mapping[str, float]) -> dict[str, float]:
    """Metrics under names that MLflow takes: letters, digits and a few signs, and not too many.

    A column may be called anything; names that come out the same are told apart by a number.
    """
    named: dict[str, float] = {}
    for name, value in metrics.items():
        plain = re.sub(r"[^\w.\- :]", "_", name)[:200]
        number = 2
        unique = plain
        while unique in named:
            unique, number = f"{plain} {number}", number + 1
        named[unique] = value
    return named


def _parent(path: Path) -> str | None:
    place = path if path.is_dir() else path.parent
    return None if place == Path() else place.as_posix()
