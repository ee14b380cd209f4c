"""Where runs are kept: opening the tracking store safely, and its failures in words."""

import logging
import re
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout

from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.files import OURS, root
from pipeline.tracking.store_address import (
    address,
    is_database,
    is_server,
    masked,
    shown,
    sqlite_file,
)
from pipeline.tracking.store_check import SECONDS_LOCKED, StoreError, check_usable, within
from pipeline.tracking.tags import TRAINING_ID

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Experiment

SECONDS_TO_OPEN = 20.0  # for a server that is there, until it has said which experiment is ours
_DAMAGED = (sqlite3.Error, UnicodeDecodeError)  # what reading a damaged file raises


@dataclass(frozen=True)
class Store:
    """An open tracking store: a client, its address and this project's experiment there."""

    client: "MlflowClient"
    uri: str
    experiment_id: str


class MovedError(UserError):
    """The store says that its artifacts lie in another folder than the repository's.

    Nothing but `track --all` helps, which renews the store, so the message has it.
    """

    def __init__(self, place: Path, old: Path) -> None:
        super().__init__(
            f"{place} was made when this repository was {old}, where it would still keep its"
            " files; run `python -m pipeline.track --all` once"
        )
        self.place = place
        self.old = old


@contextmanager
def lock(name: str = "store", seconds: float = 60.0) -> Iterator[None]:
    """One process at a time. Raises UserError if another holds the lock for so many seconds.

    MLflow's first use of a fresh store is not safe against a second one.
    """
    folder = root() / OURS / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / f"{name}.lock", timeout=seconds):
            yield
    except Timeout:
        raise UserError(
            f"another process has kept {folder / name}.lock for {seconds:g} s; try again when that"
            " has ended"
        ) from None


def check_at_work() -> None:
    """See that a store which takes long is a database that answers: it has much to write.

    Raises StoreError for any other, such as a server.
    """
    uri = address()
    if sqlite_file(uri) is None and not is_database(uri):
        raise StoreError(f"the tracking store {shown(uri)} is too slow")
    with explained(uri):
        check_usable(uri, SECONDS_LOCKED)


def open_store(experiment: str) -> Store:
    """Open the store and the experiment, making either if it is not there.

    Raises StoreError if it cannot be used, with the reason and what helps, and MovedError if it
    belongs to a folder that this repository no longer is.
    """
    uri = address()
    with explained(uri):
        check_usable(uri, 2 * SECONDS_LOCKED)
    _refuse_moved(uri)
    import mlflow
    from mlflow import MlflowClient

    # It tells of its database's every migration, and of CUDA being absent, as if it were news. What
    # goes wrong it raises, and prints a traceback besides.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with lock(), explained(uri):
        if (file := sqlite_file(uri)) is not None:
            if not file.exists():
                _make(file)
            _wait_until_made(file)
        mlflow.set_tracking_uri(uri)
        client = MlflowClient(uri)
        found = _experiment(client, uri, experiment)
        if found is None:
            # Left to itself, MLflow would put artifacts under the working directory, which for
            # a temporary DVC experiment is deleted soon after.
            place = None if is_server(uri) else _artifacts().as_uri()
            return Store(client, uri, client.create_experiment(experiment, place))
    if found.lifecycle_stage != "active":
        raise StoreError(
            f"tracking.experiment: '{experiment}' was deleted in {shown(uri)}; choose another name,"
            f" or `mlflow experiments restore --experiment-id {found.experiment_id}`"
        )
    if not is_server(uri):
        _refuse_anothers(uri, found)
    return Store(client, uri, found.experiment_id)


def _experiment(client: "MlflowClient", uri: str, name: str) -> "Experiment | None":
    if not is_server(uri):
        return client.get_experiment_by_name(name)
    try:
        return within(SECONDS_TO_OPEN, lambda: client.get_experiment_by_name(name))
    except TimeoutError as error:
        raise StoreError(f"the tracking store {shown(uri)} is too slow ({error})") from None


def other_experiments(store: Store) -> list[str]:
    """Names of the store's other experiments that hold runs of this pipeline.

    Whoever renames ours in MLflow's page finds an empty one under its name, and its runs in these.
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


def _make(file: Path) -> None:
    """Make a fresh store in a file, whole or not at all.

    MLflow could not go on with one that SIGKILL left half made.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    # Another clone, or somebody's `mlflow ui`, may be making the same one.
    with files.whole(file, replace=False) as partial:
        place = _artifacts().parent.as_uri()
        made = SqlAlchemyStore(f"sqlite:///{partial}", place)  # type: ignore[no-untyped-call]
        made.engine.dispose()


def _wait_until_made(file: Path) -> None:
    """Wait as long as another program makes a store or brings it to MLflow's newest form.

    To join in would break it. One that does not get on is left to MLflow to judge.
    """
    from mlflow.store.db.utils import _get_latest_schema_revision

    newest = _get_latest_schema_revision()  # type: ignore[no-untyped-call]
    changed = time.monotonic()
    with suppress(*_DAMAGED):
        form = _form(file)
        while form != newest and time.monotonic() - changed < SECONDS_LOCKED:
            time.sleep(0.05)
            if (now := _form(file)) != form:
                form, changed = now, time.monotonic()


def _form(file: Path) -> str | int:
    """The name of a store's form in MLflow's history; its size before it has any."""
    with (
        suppress(TypeError, sqlite3.OperationalError),  # no such row, no such table, locked
        closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database,
    ):
        (form,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(form)
    return file.stat().st_size


def _artifacts() -> Path:
    """Where a store in a file keeps what it does not hold itself."""
    return root() / "mlartifacts" / "runs"


def _refuse_moved(uri: str) -> None:
    """Raise MovedError if a store in a file keeps its artifacts in another repository's folder.

    Asked without MLflow, which would go on with the file that it has once opened.
    """
    file = sqlite_file(uri)
    if file is None or not file.exists() or file.resolve().parent != root().resolve():
        return  # somebody's own store, who knows where it keeps what
    if file.stat().st_nlink > 1:
        return  # another folder's, too
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT artifact_location FROM experiments").fetchall()
    except _DAMAGED:
        return  # MLflow says best what is wrong with it
    for (location,) in rows:
        if (old := _another_repository(location or "")) is not None:
            raise MovedError(file, old)


def _another_repository(location: str) -> Path | None:
    """The repository whose folder an artifact location is, if it is not this one."""
    parts = urlsplit(location)
    place = Path(unquote(parts.path))
    ours = _artifacts()
    if parts.scheme not in ("", "file") or place.parts[-2:] != ours.parts[-2:]:
        return None
    repository = place.parent.parent
    if repository.resolve() == root().resolve():
        return None
    with suppress(OSError):  # one folder may have two paths: links, and mounts of it elsewhere
        if repository.samefile(root()):
            return None
    return repository


def _refuse_anothers(uri: str, experiment: "Experiment") -> None:
    """Raise StoreError if an experiment keeps its artifacts in another clone's folder.

    MLflow would write them there, or make that path anew on this machine.
    """
    other = _another_repository(experiment.artifact_location or "")
    if other is not None:
        raise StoreError(
            f"tracking.experiment: '{experiment.name}' in {shown(uri)} keeps its files in {other},"
            " the folder of the clone that made it. For more than one clone make an experiment in a"
            " place that all of them reach, `mlflow experiments create --experiment-name NAME"
            " --artifact-location PLACE`, and set tracking.experiment to NAME; or let"
            " MLFLOW_TRACKING_URI be a server's address (`mlflow server`)"
        )


def renew(moved: MovedError) -> None:
    """Let a store that was made in another folder say of every artifact that it lies in this one.

    A folder that was moved or copied with its files has them all. In one transaction, whole or not
    at all, and in place: a folder that is used under two paths would fill up with copies.
    """
    with (
        lock(),
        explained(str(moved.place)),
        closing(sqlite3.connect(moved.place, timeout=2 * SECONDS_LOCKED)) as database,
    ):
        _rename(database, (moved.old / "mlartifacts").as_uri(), _artifacts().parent.as_uri())


def _rename(database: sqlite3.Connection, old: str, new: str) -> None:
    """Let every text that starts with the address `old` start with `new` instead."""
    tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    for (table,) in tables:
        for column in database.execute(f'PRAGMA table_info("{table}")').fetchall():
            name = f'"{column[1]}"'
            database.execute(
                f'UPDATE "{table}" SET {name} = ? || substr({name}, ?)'
                f" WHERE typeof({name}) = 'text' AND substr({name}, 1, ?) = ?",
                (new, len(old) + 1, len(old) + 1, f"{old}/"),
            )
    database.commit()


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn a store's failure into one StoreError with the likely fix.

    What a store that works refuses, such as a name, is told in a plain UserError.
    What an artifact store raises has a class of its own for each kind of store, so whatever another
    package raises in the block is a failure of the store, and what our own code raises is not.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        known = isinstance(error, (*_DAMAGED, ImportError, *_failures()))
        # A disk's error has its cure where it is told.
        if not known and (
            _is_ours(error) or (type(error).__module__ == "builtins" and isinstance(error, OSError))
        ):
            raise
        if getattr(error, "error_code", None) == "INVALID_PARAMETER_VALUE":
            refused = (_reason(masked(str(error), uri)) or "")[:300]
            raise UserError(f"the tracking store {shown(uri)} refused it ({refused})") from error
        text = masked(str(error) if known else f"{type(error).__name__}: {error}", uri)
        cure = next((cure for sign, cure in _CURES.items() if sign in text), "")
        cure = cure.format(version=metadata.version("mlflow"), uri=shown(uri), **_package(text))
        reason = _reason(text) or type(error).__name__
        raise StoreError(
            f"the tracking store {shown(uri)} failed ({reason[:300]}){': ' if cure else ''}{cure}"
        ) from error


def _reason(text: str) -> str | None:
    """The first line of a message that says why: SQLAlchemy's may begin with when."""
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line and not line.startswith("(raised as a res")), None)


def _package(text: str) -> dict[str, str]:
    """Name for pip of the module that a message says is missing, and who needs it."""
    missing = re.search(r"No module named '(\w+)", text)
    name = missing[1] if missing else ""
    package, needs = _PACKAGES.get(name, (name, "this kind of store"))
    return {"package": package, "needs": needs}


def _is_ours(error: Exception) -> bool:
    """True if an error was raised by a line of this package."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised_in = trace.tb_frame.f_globals.get("__name__", "") if trace is not None else ""
    return str(raised_in).partition(".")[0] == __name__.partition(".")[0]


def _failures() -> tuple[type[Exception], ...]:
    """What MLflow raises of itself and of its database, if it has been imported at all."""
    if "mlflow" not in sys.modules:
        return ()
    from mlflow.exceptions import MlflowException
    from sqlalchemy.exc import SQLAlchemyError

    return (MlflowException, SQLAlchemyError)


_OTHER_MLFLOW = (
    "it was made by another MLflow than {version}; move it away, and `make ui` makes"
    " a fresh one, or `mlflow db upgrade '{uri}'` if it is the older of the two"
)
_FRESH = "move the file away, and `make ui` makes a fresh one"
_CURES = {
    "malformed": f"it is damaged; {_FRESH}",
    "decode": f"it is damaged; {_FRESH}",
    "Can't locate revision": _OTHER_MLFLOW,
    "database schema": _OTHER_MLFLOW,
    "readonly database": "make the file and its folder writable",
    "unable to open database": "make the file and its folder writable",
    "disk is full": "free some space",
    "database is locked": "another process is writing to it; try again when that has ended",
    "file is not a database": _FRESH,
    "filesystem tracking backend": "unset MLFLOW_TRACKING_URI, or use sqlite:///",
    "character varying(200)": "this folder's path is too long for the database; use an experiment"
    " with `--artifact-location`, or a shorter path",
    "No module named": "`pip install {package}`, which {needs} needs",
}
_PACKAGES = {
    "boto3": ("boto3", "the place of its artifacts"),
    "botocore": ("boto3", "the place of its artifacts"),
    "google": ("google-cloud-storage", "the place of its artifacts"),
    "azure": ("azure-storage-blob azure-identity", "the place of its artifacts"),
    "pysftp": ("pysftp", "the place of its artifacts"),
    "psycopg2": ("psycopg2-binary", "this kind of database"),
    "psycopg": ("'psycopg[binary]'", "this kind of database"),
    "MySQLdb": ("mysqlclient", "this kind of database"),
    "pymysql": ("pymysql", "this kind of database"),
    "pyodbc": ("pyodbc", "this kind of database"),
}
