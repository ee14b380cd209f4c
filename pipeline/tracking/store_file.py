"""The SQLite file of a store: made whole, and not opened while another program migrates it."""

import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

from pipeline.settings import files
from pipeline.tracking.store_address import artifacts
from pipeline.tracking.store_failures import DAMAGED_FILE

# MLflow's SQL store is imported where it is needed: a server's address needs no SQLAlchemy.

SECONDS_LOCKED = 2.0  # until a process that writes to a store in a file counts as blocking it


def make(file: Path) -> None:
    """Make a fresh store in a file, whole or not at all.

    MLflow could not use a file that SIGKILL left half-made.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    # Another clone, or somebody's `mlflow ui`, may be making the same file.
    with files.whole(file, replace=False) as partial:
        place = artifacts().parent.as_uri()
        store = SqlAlchemyStore(f"sqlite:///{partial}", place)  # type: ignore[no-untyped-call]
        store.engine.dispose()


def wait_until_made(file: Path) -> None:
    """Wait while another program makes a store or migrates it to MLflow's newest schema.

    Two programs that do so at once break the file. A store that does not change any more is left
    to MLflow, which says what is wrong with it.
    """
    from mlflow.store.db.utils import _get_latest_schema_revision

    newest = _get_latest_schema_revision()  # type: ignore[no-untyped-call]
    changed_at = time.monotonic()
    with suppress(*DAMAGED_FILE):
        before = schema_revision(file)
        while before != newest and time.monotonic() - changed_at < SECONDS_LOCKED:
            time.sleep(0.05)
            if (now := schema_revision(file)) != before:
                before, changed_at = now, time.monotonic()


def schema_revision(file: Path) -> str | int:
    """Return the revision of a store's schema; the file's size while it has no revision yet."""
    with (
        suppress(TypeError, sqlite3.OperationalError),  # no such row, no such table, locked
        closing(connection(file)) as database,
    ):
        (name,) = database.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(name)
    return file.stat().st_size


def connection(file: Path, mode: str = "ro", timeout: float = 5.0) -> sqlite3.Connection:
    """Return a connection to a file that exists: without a mode, SQLite would make a new file."""
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode={mode}", timeout=timeout, uri=True)
