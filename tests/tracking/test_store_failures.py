"""A store that fails is one message with the reason and the likely fix."""

import json
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError

from pipeline.settings.errors import UserError
from pipeline.tracking import runs, store_file
from pipeline.tracking.store import open_store
from pipeline.tracking.store_failures import StoreError, explained

AUTOFLUSH = (
    "(raised as a result of Query-invoked autoflush; consider using a session.no_autoflush block if"
    " this autoflush is occurring prematurely)\n"
)


def told(error: Exception, uri: str = "postgresql://user:secret@host/db") -> str:
    with pytest.raises(UserError) as caught, explained(uri):
        raise error
    assert "secret" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("reason", "cure"),
    [
        ("attempt to write a readonly database", "make the file and its folder writable"),
        ("database or disk is full", "free some space"),
        ("database disk image is malformed", "it is damaged; move the file away"),
        ("malformed database schema (runs)", "it is damaged; move the file away"),
        ("value too long for type character varying(200)", "this folder's path is too long"),
    ],
)
def test_the_reason_is_told_and_not_when_it_was_noticed(reason: str, cure: str) -> None:
    error = OperationalError("INSERT", {}, sqlite3.OperationalError(reason))
    message = told(MlflowException(f"{AUTOFLUSH}{error}"))
    assert f"failed ((sqlite3.OperationalError) {reason}): {cure}" in message
    assert "autoflush" not in message


@pytest.mark.parametrize(
    ("module", "cure"),
    [
        ("boto3", "`pip install boto3`, which the place of its artifacts needs"),
        ("psycopg2", "`pip install psycopg2-binary`, which this kind of database needs"),
        ("azure.storage", "`pip install azure-storage-blob azure-identity`, which the place of"),
        ("unheard_of", "`pip install unheard_of`, which this kind of store needs"),
    ],
)
def test_who_needs_a_missing_package(module: str, cure: str) -> None:
    message = told(ModuleNotFoundError(f"No module named '{module}'", name=module))
    assert cure in message


def damage_text(content: bytes) -> bytes:
    """Put letters that are not UTF-8 into the text that MLflow reads first."""
    return content.replace(b"mlartifacts/runs", b"mlartifacts/ru\xff\xfe")


def damage_schema(content: bytes) -> bytes:
    return content.replace(b"CREATE TABLE", b"CREATE T\xffBLE")


def damage_pages(content: bytes) -> bytes:
    return content[: 3 * 4096] + b"\x7f" * (len(content) - 3 * 4096)


@pytest.mark.parametrize("damage", [damage_text, damage_schema, damage_pages])
def test_a_damaged_store_is_a_failure_of_the_store(
    store_folder: Path, damage: Callable[[bytes], bytes]
) -> None:
    """`track` warns and keeps the result aside; an error would stop `dvc repro`."""
    file = store_folder / "mlflow.db"
    before = file.read_bytes()
    file.write_bytes(damage(before))
    assert file.read_bytes() != before
    with pytest.raises(UserError, match="it is damaged; move the file away") as caught:
        open_store("abline")
    assert "\n" not in str(caught.value)


def test_a_read_only_store_is_one_message(
    store_folder: Path, mounted: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = mounted("-t", "tmpfs", "tmpfs")
    shutil.copy(store_folder / "mlflow.db", disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{disk}/mlflow.db")
    with pytest.raises(UserError, match="readonly database.*: make the file and its folder writ"):
        open_store("abline")


def test_mlflow_prints_no_traceback_of_what_it_raises(
    store_folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    opened = open_store("abline")
    with closing(sqlite3.connect(store_folder / "mlflow.db")) as database:
        database.execute("DROP TABLE tags")
        database.commit()
    with pytest.raises(UserError, match="no such table: tags"), explained(opened.uri):
        opened.client.create_run(opened.experiment_id, 1, {"a": "b"}, "name")
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_fault_of_our_own_is_not_taken_for_the_stores() -> None:
    with pytest.raises(TypeError), explained("sqlite:///mlflow.db"):
        runs.param_text(None, longest=None)  # type: ignore[arg-type]
    with pytest.raises(StoreError, match=r"failed \(JSONDecodeError: Expecting"):  # noqa: SIM117
        with explained("sqlite:///mlflow.db"):
            json.loads("[")
    with pytest.raises(FileNotFoundError), explained("sqlite:///mlflow.db"):
        Path("nowhere").read_bytes()


@pytest.mark.slow
def test_a_store_of_another_mlflow(workspace: Path) -> None:
    store_file.make(Path("mlflow.db"))  # without the client, which would remember it
    with sqlite3.connect("mlflow.db") as database:
        database.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    database.close()
    with pytest.raises(UserError, match=r"the tracking store sqlite:") as caught:
        open_store("abline")
    assert f"it was made by another MLflow than {mlflow.__version__}; move it" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_no_store(workspace: Path) -> None:
    Path("mlflow.db").write_bytes(b"not a database, " * 100)
    with pytest.raises(
        UserError, match=r"the tracking store sqlite:.* failed .*: move the file away"
    ):
        open_store("abline")
