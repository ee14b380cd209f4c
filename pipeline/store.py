"""Where runs are kept: the tracking store's address, opening it safely, its failures in words."""

import http.client
import logging
import os
import re
import sqlite3
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from filelock import FileLock, Timeout

from pipeline import UserError, files
from pipeline.files import OURS, root

# MLflow is imported where it is needed: a training, which is not to wait for it, asks whether its
# store can be used.
if TYPE_CHECKING:
    from mlflow import MlflowClient

SECONDS_LOCKED = 2.0  # after which whoever writes to a store in a file has it for themselves


@dataclass(frozen=True)
class Store:
    """An open tracking store: a client, its address and this project's experiment there."""

    client: "MlflowClient"
    uri: str
    experiment_id: str


class MovedError(UserError):
    """The store says that its artifacts lie in another folder than the repository's."""

    def __init__(self, place: Path, old: Path) -> None:
        super().__init__(
            f"{place} was made when this repository was {old}, where it would still keep its"
            " files; `python -m pipeline.track --all` makes a store for this folder, with the same"
            " runs, beside it"
        )
        self.place = place
        self.old = old


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


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store; None for any other kind."""
    return Path(uri.removeprefix("sqlite:///")) if uri.startswith("sqlite:///") else None


def check_usable(uri: str, seconds: float) -> None:
    """See in so many seconds that a store answers and can be written to.

    MLflow itself would retry for minutes. Raises UserError if it does not or cannot.
    """
    if is_server(uri):
        _answers(uri, seconds)
    elif (file := sqlite_file(uri)) is not None and file.exists():
        with explained(uri):
            # "rw", or a file that has just been moved away would be made anew.
            place = f"{file.absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(place, timeout=seconds, uri=True)) as database:
                database.isolation_level = None
                database.execute("BEGIN IMMEDIATE")
                database.execute("ROLLBACK")


def check_at_work(uri: str) -> None:
    """See that a store which takes long is a file that can be written to: it has much to write.

    Raises UserError for any other, such as one behind a network.
    """
    if sqlite_file(uri) is None:
        raise UserError(f"the tracking store {shown(uri)} is too slow")
    check_usable(uri, SECONDS_LOCKED)


def open_store(experiment: str) -> Store:
    """Open the store and the experiment, making either if it is not there.

    Raises UserError if the store cannot be used, with the reason and what helps: MovedError if it
    belongs to a folder that this repository no longer is.
    """
    uri = address()
    check_usable(uri, 2 * SECONDS_LOCKED)
    _refuse_moved(uri)
    import mlflow
    from mlflow import MlflowClient

    # It tells of its database's every migration, and of CUDA being absent, as if it were news.
    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.ERROR)
    with lock(), explained(uri):
        if (file := sqlite_file(uri)) is not None and not file.exists():
            _make(file)
        mlflow.set_tracking_uri(uri)
        client = MlflowClient(uri)
        found = client.get_experiment_by_name(experiment)
        if found is None:
            # Left to itself, MLflow would put artifacts under the working directory, which for
            # a temporary DVC experiment is deleted soon after.
            place = None if is_server(uri) else _artifacts().as_uri()
            return Store(client, uri, client.create_experiment(experiment, place))
    if found.lifecycle_stage != "active":
        raise UserError(
            f"tracking.experiment: '{experiment}' was deleted in {shown(uri)}; choose another name,"
            f" or `mlflow experiments restore --experiment-id {found.experiment_id}`"
        )
    return Store(client, uri, found.experiment_id)


def _make(file: Path) -> None:
    """Make a fresh store in a file, whole or not at all.

    MLflow could not go on with one that SIGKILL left half made.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with files.whole(file) as partial:
        place = _artifacts().parent.as_uri()
        made = SqlAlchemyStore(f"sqlite:///{partial}", place)  # type: ignore[no-untyped-call]
        made.engine.dispose()


def _artifacts() -> Path:
    """Where a store in a file keeps what it does not hold itself."""
    return root() / "mlartifacts" / "runs"


def _refuse_moved(uri: str) -> None:
    """Raise MovedError if a store in a file keeps its artifacts in another repository's folder.

    Asked without MLflow, which would go on with the file that it has once opened.
    """
    file = sqlite_file(uri)
    if file is None or not file.exists() or file.parent.resolve() != root().resolve():
        return  # somebody's own store, who knows where it keeps what
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT artifact_location FROM experiments").fetchall()
    except sqlite3.Error:
        return  # MLflow says best what is wrong with it
    ours = _artifacts()
    for (location,) in rows:
        place = Path(unquote(urlsplit(location or "").path))
        if place.parts[-2:] == ours.parts[-2:] and place.resolve() != ours.resolve():
            raise MovedError(file, place.parent.parent)


def renew(moved: MovedError) -> Path:
    """Put a store aside that was made in another folder, and a copy for this one in its place.

    Gives the name that the old one has now. The copy says of every artifact that it lies in this
    folder: one that was moved or copied with its files has them all.
    """
    with lock():
        number = 1
        while (aside := moved.place.with_name(f"{moved.place.stem}.moved-{number}.db")).exists():
            number += 1
        copy = moved.place.with_name(f"{moved.place.name}.{os.getpid()}.partial")
        with (
            explained(str(moved.place)),
            closing(sqlite3.connect(moved.place)) as old,
            closing(sqlite3.connect(copy)) as new,
        ):
            old.backup(new)
            _rename(new, (moved.old / "mlartifacts").as_uri(), _artifacts().parent.as_uri())
        moved.place.rename(aside)
        copy.rename(moved.place)
    return aside


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


def _answers(uri: str, seconds: float) -> None:
    """Ask a server once. Raises UserError if it does not answer."""
    try:
        with urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=seconds):
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
    except Exception as error:
        if not isinstance(error, (sqlite3.Error, ImportError, *_failures())):
            raise
        text = str(error)
        reason = next((line for line in text.splitlines() if line.strip()), type(error).__name__)
        cure = next((cure for sign, cure in _CURES.items() if sign in text), "")
        cure = cure.format(version=metadata.version("mlflow"), uri=shown(uri))
        raise UserError(
            f"the tracking store {shown(uri)} failed ({reason[:300]}){': ' if cure else ''}{cure}"
        ) from error


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
_CURES = {
    "Can't locate revision": _OTHER_MLFLOW,
    "database schema": _OTHER_MLFLOW,
    "readonly database": "make the file and its folder writable",
    "unable to open database": "make the file and its folder writable",
    "disk is full": "free some space",
    "database is locked": "another process is writing to it; try again when that has ended",
    "file is not a database": "move the file away, and `make ui` makes a fresh one",
    "filesystem tracking backend": "unset MLFLOW_TRACKING_URI, or use sqlite:///",
    "No module named": "install what this kind of database needs, or unset MLFLOW_TRACKING_URI",
}
