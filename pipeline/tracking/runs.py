"""Runs in the store: a training's runs, runs that no process writes any more, losses, params."""

from collections.abc import Mapping, Sequence
from typing import Any

from mlflow.entities import Metric, Param, Run

from pipeline.results import provenance
from pipeline.settings import processes
from pipeline.tracking.store import Store
from pipeline.tracking.store_failures import explained
from pipeline.tracking.tags import (
    REASON,
    RECORDER_PROCESS,
    RESULT,
    RESULT_ID,
    SUPERSEDED_BY,
    TRAINING_ID,
    TRAINING_PROCESS,
)
from pipeline.tracking.wire import TimedLosses

PARAMS_PER_BATCH = 100  # MLflow's limits
METRICS_PER_BATCH = 1000


def runs_of_training(store: Store, training_id: str) -> list[Run]:
    """Return the runs of a training, newest first, without superseded ones."""
    runs = store.client.search_runs(
        [store.experiment_id],
        f"tags.{TRAINING_ID} = '{training_id}'",
        order_by=["attributes.start_time DESC"],
    )
    return [run for run in runs if SUPERSEDED_BY not in run.data.tags]


def is_cut_short(run: Run) -> bool:
    """True if a run has neither a result nor the end of its training, and no process writes it."""
    if RESULT in run.data.tags or RESULT_ID in run.data.tags:
        return False
    return run.info.status in ("KILLED", "RUNNING") and is_abandoned(run)


def is_abandoned(run: Run) -> bool:
    """True if the processes behind a run are known to be gone."""
    tags = run.data.tags
    named = [tags[tag] for tag in (TRAINING_PROCESS, RECORDER_PROCESS) if tag in tags]
    return all(map(processes.is_gone, named)) and (bool(named) or run.info.status == "KILLED")


def end_abandoned(store: Store) -> int:
    """Mark runs that say RUNNING as KILLED if their processes are gone; return their number."""
    with explained(store.uri):
        running = store.client.search_runs([store.experiment_id], "attributes.status = 'RUNNING'")
        abandoned = list(filter(is_abandoned, running))
        for run in abandoned:
            store.client.set_tag(run.info.run_id, REASON, "its process is gone")
            store.client.set_terminated(run.info.run_id, "KILLED")
    return len(abandoned)


def logged_epochs(store: Store, run_id: str) -> set[int]:
    """Return the epochs of which a run has the loss."""
    return {metric.step for metric in store.client.get_metric_history(run_id, "loss")}


def log_losses(store: Store, run_id: str, losses: Sequence[TimedLosses]) -> None:
    """Log finite losses; step = epoch."""
    metrics = [
        Metric(name, value, known_at, epoch)
        for epoch, loss, test_loss, known_at in losses
        for name, value in (("loss", loss), ("test_loss", test_loss))
        if value is not None
    ]
    with explained(store.uri):
        for start in range(0, len(metrics), METRICS_PER_BATCH):
            store.client.log_batch(run_id, metrics=metrics[start : start + METRICS_PER_BATCH])


def log_params(store: Store, run_id: str, values: Mapping[str, Any]) -> None:
    """Log parameters under their dotted names."""
    params = [Param(key, param_text(value)) for key, value in values.items()]
    for start in range(0, len(params), PARAMS_PER_BATCH):
        store.client.log_batch(run_id, params=params[start : start + PARAMS_PER_BATCH])


def param_text(value: Any, longest: int = 500) -> str:
    """Return a parameter's value as a run shows it, cut to the length that a table can show.

    The whole value is in params.yaml, an artifact of the run.
    """
    text = provenance.one_line(value)
    return text if len(text) <= longest else f"{text[:longest]}... ({len(text)} characters)"
