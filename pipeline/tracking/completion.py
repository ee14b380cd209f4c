"""Complete the run of a result.

MLflow is a view of the result, never its only copy: everything in a run can be rebuilt from files.
"""

from collections.abc import Mapping
from pathlib import Path

from mlflow.entities import DatasetInput, InputTag, Metric, Run, RunTag

from pipeline.results.provenance import Origin
from pipeline.settings.params import Tracking
from pipeline.tracking import (
    claims,
    description,
    logged_model,
    mlflow_names,
    registry,
    run_name,
    tags,
)
from pipeline.tracking.complete_runs import has_artifacts, outs_tag
from pipeline.tracking.locks import lock
from pipeline.tracking.result import Result
from pipeline.tracking.runs import end_abandoned, log_losses, log_params, logged_epochs
from pipeline.tracking.store import Store, open_store
from pipeline.tracking.store_failures import explained


def record(settings: Tracking, result: Result, origin: Origin) -> str:
    """Give the store one complete run of `result`; return a message of a few words.

    The newest run of its training_id that no other result has claimed is completed, if it is newer
    than the result's own run. It then supersedes that run, and the same experiment's runs without a
    result. Its training may have been killed: the result has the values that it did not log. If
    there is no such run, and no run of the result either, a run is replayed from the files.
    The tag result_id, written last of all, means that the run is complete.
    Raises UserError if no store can take the result, and UserError or OSError if the store fails;
    the next call continues from what was written.
    """
    mlflow_names.check(result)
    store = open_store(settings.experiment)
    end_abandoned(store)
    # The first lock lets one process complete a result, the second lets one process claim a run.
    with lock(f"result-{result.md5[:2]}"), explained(store.uri):
        with lock():
            run, superseded, action = claims.claim(store, result, origin)
        if action == claims.KNOWN:
            return f"run {action}: {run.info.run_name}"
        origin = run_name.shortened(store, origin, result.identity["params"], run.info.start_time)
        unregistered = ""
        try:
            _complete(store, run, result, origin)
            if settings.model_name is not None and result.verified:
                unregistered = _register(store, run, result, origin, settings.model_name)
            for older in superseded:
                _supersede(store, older, run)
            _mark_complete(store, run, result)
        except Exception as error:
            claims.leave_half_made(store, run, error)
            raise
    return f"run {action}: {origin.name}{unregistered}"


def _complete(store: Store, run: Run, result: Result, origin: Origin) -> None:
    """Add everything of `result` that a run lacks.

    Values that a completion logged before it was cut short are not logged again. A run that was
    complete once keeps its name and its description, which somebody may have changed.
    """
    client, run_id = store.client, run.info.run_id
    # With the end of the training as timestamp, a repeated completion adds no second value.
    # A replayed run has only a start: its end is the end of a completion that was cut short.
    ended = run.info.end_time if tags.TRAINING_PROCESS in run.data.tags else None
    moment = ended or run.info.start_time
    if tags.RESULT_ID not in run.data.tags:
        client.update_run(run_id, name=run_name.cut(origin.name))
    _log_values(store, run, result, origin, moment)
    _log_files(store, run_id, result)
    if ended is None and run.info.end_time is None:
        client.update_run(run_id, "FINISHED")  # replayed: how long it took is not known
    else:
        client.set_terminated(run_id, "FINISHED", moment)


def _log_values(store: Store, run: Run, result: Result, origin: Origin, moment: int) -> None:
    """Log losses, parameters, metrics, tags and tables. moment: timestamp in ms since 1970."""
    client, run_id = store.client, run.info.run_id
    if run.info.status != "FINISHED":
        logged = logged_epochs(store, run_id)
        new_losses = [(*losses, moment) for losses in result.losses if losses[0] not in logged]
        log_losses(store, run_id, new_losses)
        if tags.REASON in run.data.tags:
            client.delete_tag(run_id, tags.REASON)
    log_params(store, run_id, result.identity["params"])
    named = mlflow_names.of_metrics(result.metrics)
    metrics = [Metric(name, value, moment, 0) for name, value in named.items()]
    values = tags.of_origin(origin) | outs_tag(result.identity["outs"]) | {tags.RESULT: result.md5}
    if tags.RESULT_ID not in run.data.tags:
        link = description.report_link(result, run)
        values[tags.NOTE] = description.text(result, origin, link)
    client.log_batch(run_id, metrics=metrics, tags=[RunTag(*tag) for tag in values.items()])
    # Another experiment may have trained: its tags are removed.
    for tag in set(tags.ORIGIN_TAGS) & set(run.data.tags) - set(values):
        client.delete_tag(run_id, tag)
    tables = [
        DatasetInput(dataset, [InputTag(tags.DATA_CONTEXT, use)])
        for use, dataset in result.data.items()
    ]
    client.log_inputs(run_id, tables)


def _log_files(store: Store, run_id: str, result: Result) -> None:
    """Log the artifacts and the model."""
    for path in result.artifacts:
        is_folder = (result.folder / path).is_dir()
        log = store.client.log_artifacts if is_folder else store.client.log_artifact
        target = path if is_folder else path.parent
        log(run_id, str(result.folder / path), None if target == Path() else target.as_posix())
    # A completion that was cut short may have logged the model.
    model = logged_model.of_run(store, run_id)
    if result.onnx_file is not None and (
        model is None or not has_artifacts(model.artifact_location)
    ):
        logged_model.log(
            store,
            run_id,
            result.onnx_file,
            result.contract,
            result.example,
            result.requirements,
            model,
        )


def _register(store: Store, run: Run, result: Result, origin: Origin, name: str) -> str:
    """Make the model a version of the registered model `name`; return the reason if it is not."""
    if result.warning is not None:
        store.client.set_tag(run.info.run_id, tags.UNREGISTERED, result.warning)
        return f"; no version of {name}, because {result.warning}"
    model = logged_model.of_run(store, run.info.run_id)
    if model is not None:
        values = _ids(result.identity) | tags.of_origin(origin) | outs_tag(result.identity["outs"])
        run = store.client.get_run(run.info.run_id)
        link = description.report_link(result, run)
        registry.register(store.client, run, model, name, result.metrics, values, link)
    return ""


def _ids(identity: Mapping[str, str]) -> dict[str, str]:
    return {
        tags.TRAINING_ID: identity["training_id"],
        tags.RESULT_ID: identity["result_id"],
    }


def _supersede(store: Store, older: Run, newer: Run) -> None:
    """Mark a run that a newer run has replaced."""
    store.client.set_tag(older.info.run_id, tags.SUPERSEDED_BY, newer.info.run_id)
    store.client.update_run(
        older.info.run_id, name=run_name.cut(f"superseded: {older.info.run_name}")
    )


def _mark_complete(store: Store, run: Run, result: Result) -> None:
    """Write, last of all, which outputs the run lacks, and that the run is complete."""
    client, run_id = store.client, run.info.run_id
    if result.missing:
        client.set_tag(run_id, tags.MISSING, ", ".join(result.missing))
    elif tags.MISSING in run.data.tags:
        client.delete_tag(run_id, tags.MISSING)
    client.set_tag(run_id, tags.RESULT_ID, result.identity["result_id"])
