"""Where runs are kept: the tracking store's address, opening it safely, its failures in words."""

import http.client
import logging
import os
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import mlflow
from filelock import FileLock
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import SQLAlchemyError

from pipeline import UserError

# MLflow tells of its database's every migration, and of CUDA being absent, as if it were news.
for _name in ("mlflow", "alembic"):
    logging.getLogger(_name).setLevel(logging.ERROR)


@dataclass(frozen=True)
class Store:
    """An open tracking store: a client, its address and this project's experiment there."""

    client: MlflowClient
    uri: str
    experiment_id: str


def root() -> Path:
    """Where the store lives. Under DVC that is the main checkout, also for `dvc exp run --temp`."""
    return Path(os.environ.get("DVC_ROOT") or Path.cwd())


def address() -> str:
    """`MLFLOW_TRACKING_URI` if it is set, else the SQLite file that plain `mlflow ui` opens.

    Raises UserError if the repository lies where no such address can point to.
    """
    if uri := os.environ.get("MLFLOW_TRACKING_URI"):
        return uri
    if odd := set("?%") & set(str(root())):
        raise UserError(
            f"the folder {root()} has {' and '.join(sorted(odd))} in its name, which MLflow's"
            " address of a store cannot have; rename it, or set MLFLOW_TRACKING_URI"
        )
    return f"sqlite:///{root() / 'mlflow.db'}"


def is_server(uri: str) -> bool:
    """Whether `uri` is that of a tracking server, which keeps artifacts in a place of its own."""
    return uri.startswith(("http://", "https://"))


def shown(uri: str) -> str:
    """The address without its password."""
    return re.sub(r"://([^:/@]+):[^@/]+@", r"://\1:***@", uri)


def lock() -> FileLock:
    """One process at a time: MLflow's first use of a fresh store is not safe against a second."""
    folder = root() / ".dvc" / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return FileLock(folder / "mlflow.lock")


def open_store(experiment: str) -> Store:
    """Open the store and the experiment, making either if it is not there.

    Raises UserError if the store cannot be used, with the reason and what helps.
    """
    uri = address()
    if is_server(uri):
        _answers(uri)
    with lock(), explained(uri):
        mlflow.set_tracking_uri(uri)
        client = MlflowClient(uri)
        found = client.get_experiment_by_name(experiment)
        if found is None:
            # Left to itself, MLflow would put artifacts under the working directory, which for
            # a temporary DVC experiment is deleted soon after.
            place = None if is_server(uri) else (root() / "mlartifacts" / "runs").as_uri()
            return Store(client, uri, client.create_experiment(experiment, place))
    if found.lifecycle_stage != "active":
        raise UserError(
            f"tracking.experiment: '{experiment}' was deleted in {shown(uri)}; choose another name,"
            f" or `mlflow experiments restore --experiment-id {found.experiment_id}`"
        )
    return Store(client, uri, found.experiment_id)


def _answers(uri: str) -> None:
    """Ask a server once, briefly: MLflow itself would retry for minutes."""
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=5):
            return
    except urllib.error.HTTPError as error:
        error.close()
        if error.code < 500:  # it is there; what it has against us, MLflow will say
            return
        reason: object = error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
    raise UserError(
        f"MLFLOW_TRACKING_URI: {shown(uri)} does not answer as a tracking server ({reason}); start"
        " it, correct the address, or unset the variable to track in mlflow.db"
    )


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn a store's failure into one message with the likely fix."""
    try:
        yield
    except (MlflowException, SQLAlchemyError, ImportError) as error:
        text = str(error)
        reason = next((line for line in text.splitlines() if line.strip()), type(error).__name__)
        cure = next((cure for sign, cure in _CURES.items() if sign in text), "")
        cure = cure.format(version=mlflow.__version__, uri=shown(uri))
        raise UserError(
            f"the tracking store {shown(uri)} failed ({reason[:300]}){': ' if cure else ''}{cure}"
        ) from error


_OTHER_MLFLOW = (
    "it was made by another MLflow than {version}; move it away, and `dvc repro -f -s track` makes"
    " a fresh one, or `mlflow db upgrade '{uri}'` if it is the older of the two"
)
_CURES = {
    "Can't locate revision": _OTHER_MLFLOW,
    "database schema": _OTHER_MLFLOW,
    "readonly database": "make the file and its folder writable",
    "unable to open database": "make the file and its folder writable",
    "disk is full": "free some space",
    "database is locked": "another process is writing to it; try again when that has ended",
    "file is not a database": "move the file away, and `dvc repro -f -s track` makes a fresh one",
    "filesystem tracking backend": "unset MLFLOW_TRACKING_URI, or use sqlite:///",
    "No module named": "install what this kind of database needs, or unset MLFLOW_TRACKING_URI",
}
