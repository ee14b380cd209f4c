"""The open tracking store: an MLflow client, and the experiment of this project's runs."""

import logging
from dataclasses import dataclass

import mlflow
from mlflow import MlflowClient
from mlflow.entities import Experiment

from pipeline.tracking import store_file
from pipeline.tracking.locks import lock
from pipeline.tracking.moved_store import other_repository, refuse_moved
from pipeline.tracking.store_address import address, artifacts, is_server, shown, sqlite_file
from pipeline.tracking.store_check import check_usable, within
from pipeline.tracking.store_failures import StoreError, explained
from pipeline.tracking.tags import TRAINING_ID

SECONDS_TO_OPEN = 20.0  # for a server that answers, until it returns this project's experiment


@dataclass(frozen=True)
class Store:
    """An open tracking store: a client, its address and this project's experiment there."""

    client: MlflowClient
    uri: str
    experiment_id: str


def open_store(experiment: str) -> Store:
    """Open the store and the experiment, and make each of them if it does not exist.

    Raises StoreError, with the reason and the cure, if it cannot be used, and MovedError if this
    repository was renamed or copied after the store was made.
    """
    uri = address()
    with explained(uri):
        check_usable(uri, 2 * store_file.SECONDS_LOCKED)
    refuse_moved(uri, experiment)
    # These loggers report each migration of the database, and that there is no CUDA. Their errors
    # are raised as exceptions, too.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with lock(), explained(uri):
        if (file := sqlite_file(uri)) is not None:
            if not file.exists():
                store_file.make(file)
            store_file.wait_until_made(file)
        mlflow.set_tracking_uri(uri)
        client = MlflowClient(uri)
        existing = _experiment(client, uri, experiment)
        if existing is None:
            # MLflow's default is under the working directory, which DVC deletes after a temporary
            # experiment.
            place = None if is_server(uri) else artifacts().as_uri()
            return Store(client, uri, client.create_experiment(experiment, place))
    if existing.lifecycle_stage != "active":
        raise StoreError(
            f"tracking.experiment: '{experiment}' was deleted in {shown(uri)}; choose another name,"
            f" or `mlflow experiments restore --experiment-id {existing.experiment_id}`"
        )
    if not is_server(uri):
        _refuse_other_clone(uri, existing)
    return Store(client, uri, existing.experiment_id)


def _experiment(client: MlflowClient, uri: str, name: str) -> Experiment | None:
    if not is_server(uri):
        return client.get_experiment_by_name(name)
    try:
        return within(SECONDS_TO_OPEN, lambda: client.get_experiment_by_name(name))
    except TimeoutError as error:
        raise StoreError(f"the tracking store {shown(uri)} is too slow ({error})") from None


def other_experiments(store: Store) -> list[str]:
    """Return the names of the store's other experiments that hold runs of this pipeline.

    Where somebody has renamed the experiment in MLflow's page, its runs are in one of these, and a
    new, empty experiment has its name.
    """
    with explained(store.uri):
        return [
            each.name
            for each in store.client.search_experiments()
            if each.experiment_id != store.experiment_id
            and store.client.search_runs(
                [each.experiment_id], f"tags.{TRAINING_ID} != ''", max_results=1
            )
        ]


def _refuse_other_clone(uri: str, experiment: Experiment) -> None:
    """Raise StoreError if an experiment keeps its artifacts in another clone's folder.

    MLflow would write artifacts there, or make that folder on this machine.
    """
    other = other_repository(experiment.artifact_location or "")
    if other is not None:
        raise StoreError(
            f"tracking.experiment: '{experiment.name}' in {shown(uri)} keeps its files in {other},"
            " the folder of the clone that made it. For more than one clone make an experiment in a"
            " place that all of them reach, `mlflow experiments create --experiment-name NAME"
            " --artifact-location PLACE`, and set tracking.experiment to NAME; or let"
            " MLFLOW_TRACKING_URI be a server's address (`mlflow server`). If that folder is"
            " the old name of this one, let MLFLOW_TRACKING_URI name a new file, and run"
            " `python -m pipeline.track --all`, which fills it"
        )
