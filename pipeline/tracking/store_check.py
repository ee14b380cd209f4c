"""Check, in a few seconds, that a tracking store can be used now.

MLflow itself would try for minutes, and would never give up a server that sends single bytes.
"""

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from pipeline.settings.files import root
from pipeline.tracking.store_address import (
    address,
    is_database,
    is_server,
    masked,
    shown,
    sqlite_file,
)
from pipeline.tracking.store_failures import StoreError, explained
from pipeline.tracking.store_file import SECONDS_LOCKED, connection

# MLflow is imported where it is needed: a training imports this module, and does not wait for it.

SECONDS_TO_WAIT = 2.5  # for a store, after the training; `track` waits as long again: 5 in all
SECONDS_OF_WORK = 60.0  # for a database that answers and has much to write

Answer = TypeVar("Answer")


def check_usable(uri: str, seconds: float) -> None:
    """Check within `seconds` that a store answers and can be written to.

    Raises StoreError if it does not or cannot, and whatever a database raises.
    """
    if is_server(uri):
        _ask_server(uri, seconds)
    elif is_database(uri):
        _ask_database(uri, seconds)
    elif (file := sqlite_file(uri)) is not None:
        _refuse_unmounted(file)
        if file.exists():
            _try_writing(file, seconds)


def check_at_work() -> None:
    """Check that a store that takes long is a database that answers: it has much to write.

    Raises StoreError for any other store, such as a server.
    """
    uri = address()
    if sqlite_file(uri) is None and not is_database(uri):
        raise StoreError(f"the tracking store {shown(uri)} is too slow")
    with explained(uri):
        check_usable(uri, SECONDS_LOCKED)


def within(
    seconds: float, work: Callable[[], Answer], more: Callable[[], float] = lambda: 0.0
) -> Answer:
    """Return the result of `work`; raise what it raises, or TimeoutError if it takes longer.

    more: called once the time is over; returns how many seconds to add, or raises.
    Work that takes longer continues in a thread that does not keep the program from ending.
    """
    results: list[Answer] = []
    errors: list[BaseException] = []

    def try_it() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=try_it, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        thread.join(more())
    for error in errors:
        raise error
    if not results:
        raise TimeoutError(f"no answer within {seconds:g} s")
    return results[0]


def _ask_server(uri: str, seconds: float) -> None:
    """Ask a server once, as MLflow will: with its credentials, certificates and proxies."""
    import mlflow.tracking  # noqa: F401 - it takes seconds that are not the server's
    from mlflow.exceptions import MlflowException
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    def ask() -> None:
        answer = http_request(  # type: ignore[no-untyped-call]
            get_default_host_creds(uri),  # type: ignore[no-untyped-call]
            "/health",
            "GET",
            max_retries=0,
            timeout=seconds,
            raise_on_status=False,
        )
        if answer.status_code >= 500:  # below, the server works, and MLflow reports its objection
            raise MlflowException(f"HTTP Error {answer.status_code}: {answer.reason}")

    try:
        within(seconds, ask)
    except (MlflowException, OSError) as error:
        reason = masked(_first_cause(error), uri)
        cure = "start it, correct the address"
        if "CERTIFICATE_VERIFY_FAILED" in reason:
            cure = "name its certificate in MLFLOW_TRACKING_SERVER_CERT_PATH"
        raise StoreError(
            f"MLFLOW_TRACKING_URI: {shown(uri)} does not answer as a tracking server ({reason});"
            f" {cure}, or unset the variable to track in mlflow.db"
        ) from None


def _first_cause(error: BaseException) -> str:
    """Return the message of the first error in a chain."""
    while inner := error.__cause__ or (None if error.__suppress_context__ else error.__context__):
        error = inner
    return str(error) or type(error).__name__


def _ask_database(uri: str, seconds: float) -> None:
    """Connect to a database server once. Raises StoreError if it is too slow."""
    import sqlalchemy
    from mlflow.store.db.utils import create_sqlalchemy_engine

    def ask() -> None:
        engine = create_sqlalchemy_engine(uri)  # type: ignore[no-untyped-call]
        try:
            with engine.connect() as connection:
                connection.execute(sqlalchemy.text("SELECT 1"))
        finally:
            engine.dispose()

    try:
        within(seconds, ask)
    except TimeoutError as error:
        raise StoreError(f"the tracking store {shown(uri)} is too slow ({error})") from None


def _refuse_unmounted(file: Path) -> None:
    """Raise StoreError if a store would be made in place of a store that is out of reach.

    It may be on a share that is not mounted now.
    """
    for path in (file, root() / "mlartifacts"):
        if path.is_symlink() and not path.exists():
            raise StoreError(
                f"{path} is a link to {path.readlink()}, which is not there; mount or make that, or"
                " remove the link, and a fresh store is made in its place"
            )
    if not file.parent.is_dir() and file.parent.resolve() != root().resolve():
        raise StoreError(
            f"MLFLOW_TRACKING_URI: there is no folder {file.parent.absolute()}; mount or make it,"
            " or correct the address"
        )


def _try_writing(file: Path, seconds: float) -> None:
    # With "rw" SQLite does not make a new file if this one was just moved away.
    with closing(connection(file, "rw", seconds)) as database:
        database.isolation_level = None
        database.execute("BEGIN IMMEDIATE")
        # In a file that is read-only the transaction begins, and the first change fails.
        (version,) = database.execute("PRAGMA user_version").fetchone()
        database.execute(f"PRAGMA user_version = {version}")
        database.execute("ROLLBACK")
