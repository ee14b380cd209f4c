"""Failures of a tracking store, as one message with the likely fix.

This module does not import MLflow.
"""

import re
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path

from pipeline.settings.errors import UserError
from pipeline.tracking.store_address import masked, shown

REPLAY_LATER = "; `python -m pipeline.track --all` makes the run when the store works again"
DAMAGED_FILE = (sqlite3.Error, UnicodeDecodeError)
"""Errors in reading a damaged SQLite file."""


class StoreError(UserError):
    """The store cannot be used, or failed; nothing is wrong with the result."""


class MovedError(UserError):
    """The store would keep its files in another folder than the repository's.

    The message says to run `track --all`, the only cure: see `moved_store`.
    """

    def __init__(self, file: Path, old_folder: Path) -> None:
        super().__init__(
            f"{file} was made when this repository was {old_folder}, where it would still keep its"
            " files; run `python -m pipeline.track --all` once, which puts it aside and makes a new"
            " store from git and DVC's cache"
        )
        self.file = file
        self.old_folder = old_folder


def cure(error: Exception) -> str:
    """Return the advice to add to a warning that a run was not written because of `error`.

    The message of MovedError has its own.
    """
    return "" if isinstance(error, MovedError) else REPLAY_LATER


@contextmanager
def explained(uri: str) -> Iterator[None]:
    """Turn a store's failure into one StoreError with the likely fix.

    A value that a working store refuses, such as a name, becomes a plain UserError.
    Each kind of artifact store raises classes of its own. So an error that another package raises
    in the block is a failure of the store, and an error that this package raises is not.
    """
    try:
        yield
    except (UserError, MemoryError):
        raise
    except Exception as error:
        is_known = isinstance(error, (*DAMAGED_FILE, ImportError, *_mlflow_errors()))
        # `runner` adds the cure to the message of a disk's error.
        is_disk = type(error).__module__ == "builtins" and isinstance(error, OSError)
        if not is_known and (is_disk or _is_own(error)):
            raise
        if getattr(error, "error_code", None) == "INVALID_PARAMETER_VALUE":
            refusal = (_reason(masked(str(error), uri)) or "")[:300]
            raise UserError(f"the tracking store {shown(uri)} refused it ({refusal})") from error
        text = masked(str(error) if is_known else f"{type(error).__name__}: {error}", uri)
        reason = _reason(text) or type(error).__name__
        fix = next((fix for sign, fix in _FIXES.items() if sign in text), "")
        fix = fix.format(version=metadata.version("mlflow"), uri=shown(uri), **_package(text))
        raise StoreError(
            f"the tracking store {shown(uri)} failed ({reason[:300]}){': ' if fix else ''}{fix}"
        ) from error


def _reason(text: str) -> str | None:
    """Return the first line of a message that gives a reason.

    SQLAlchemy's may begin with a line about when it was noticed.
    """
    lines = (line.strip() for line in text.splitlines())
    return next((line for line in lines if line and not line.startswith("(raised as a res")), None)


def _package(text: str) -> dict[str, str]:
    """Return pip's name of a module that a message reports missing, and the part that needs it."""
    missing = re.search(r"No module named '(\w+)", text)
    name = missing[1] if missing else ""
    package, needs = _PACKAGES.get(name, (name, "this kind of store"))
    return {"package": package, "needs": needs}


def _is_own(error: Exception) -> bool:
    """True if an error was raised by a line of this package."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    raised_in = trace.tb_frame.f_globals.get("__name__", "") if trace is not None else ""
    return str(raised_in).partition(".")[0] == __name__.partition(".")[0]


def _mlflow_errors() -> tuple[type[Exception], ...]:
    """Return the classes that MLflow and its database raise, if MLflow has been imported."""
    if "mlflow" not in sys.modules:
        return ()
    from mlflow.exceptions import MlflowException  # only here: a training imports this module
    from sqlalchemy.exc import SQLAlchemyError

    return (MlflowException, SQLAlchemyError)


_OTHER_MLFLOW = (
    "it was made by another MLflow than {version}; move it away, and `make ui` makes"
    " a fresh one, or `mlflow db upgrade '{uri}'` if it is the older of the two"
)
_MOVE_AWAY = "move the file away, and `make ui` makes a fresh one"
_FIXES = {
    "malformed": f"it is damaged; {_MOVE_AWAY}",
    "decode": f"it is damaged; {_MOVE_AWAY}",
    "Can't locate revision": _OTHER_MLFLOW,
    "database schema": _OTHER_MLFLOW,
    "readonly database": "make the file and its folder writable",
    "unable to open database": "make the file and its folder writable",
    "disk is full": "free some space",
    "database is locked": "another process is writing to it; try again when that has ended",
    "file is not a database": _MOVE_AWAY,
    "filesystem tracking backend": "unset MLFLOW_TRACKING_URI, or use sqlite:///",
    "character varying(200)": "this folder's path is too long for the database; use an experiment"
    " with `--artifact-location`, or a shorter path",
    "No module named": "`pip install {package}`, which {needs} needs",
}
"""Fixes by a part of the message."""
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
"""Packages of pip by the module that is missing, and the part that needs them."""
