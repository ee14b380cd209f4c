"""The tracking store: what is said of one that fails, and what is never replaced, shown or filled.

Servers that answer oddly are in test_server.py.
"""

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import GENEROUS, environment, eventually, job, tracked_runs
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import OperationalError

from pipeline import ui
from pipeline.settings import files, processes
from pipeline.settings.errors import UserError
from pipeline.tracking import live, run_name, store, store_check
from pipeline.tracking.provenance import Origin
from pipeline.tracking.store_address import masked, page, shown
from pipeline.tracking.training_run import TrainingRun


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh store, which takes seconds to make."""
    path = tmp_path_factory.mktemp("fresh") / "mlflow.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DVC_ROOT", str(path.parent))
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        store.open_store("abline")
    return path


@pytest.fixture
def place(fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository's folder with a store of its own."""
    shutil.copy(fresh, tmp_path / "mlflow.db")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        database.execute(
            "UPDATE experiments SET artifact_location = ? WHERE name = 'abline'",
            [(tmp_path / "mlartifacts/runs").as_uri()],
        )
        database.commit()
    return tmp_path


# Passwords.


@pytest.mark.parametrize(
    ("uri", "seen"),
    [
        ("mysql://user:secret@host/db", "mysql://user:***@host/db"),
        ("http://:secret@host:5000", "http://:***@host:5000"),
        ("postgresql://user:se@cret@host/db", "postgresql://user:***@host/db"),
        ("postgresql://user:sec/ret@host/db", "postgresql://user:***@host/db"),
        ("postgresql://user:sec?ret@host/db", "postgresql://user:***@host/db"),
        ("http://host/?token=secret", "http://host/?token=***"),
        ("http://host/x?a=b&api_key=secret#c", "http://host/x?a=b&api_key=***#c"),
        ("postgresql://host/db?user=u&password=secret", "postgresql://host/db?user=u&password=***"),
        ("postgresql://host/db?sslpassword=sec@ret", "postgresql://host/db?sslpassword=***"),
        ("mssql+pyodbc:///?odbc_connect=PWD%3Dsecret", "mssql+pyodbc:///?odbc_connect=***"),
        ("http://host:5000", "http://host:5000"),
        ("http://TOKEN@host:5000", "http://***@host:5000"),
        ("https://to/ken@host", "https://***@host"),
        ("postgresql://user@host:1/db", "postgresql://user@host:1/db"),
        ("sqlite:////a/b:c@d/mlflow.db", "sqlite:////a/b:c@d/mlflow.db"),
        ("databricks", "databricks"),
    ],
)
def test_a_password_is_not_shown(uri: str, seen: str) -> None:
    assert shown(uri) == seen


def test_a_password_is_in_no_message_of_a_library() -> None:
    uri = "postgresql://user:p%40ss/word@host/db?token=tok%2Fen"
    text = (
        f"cannot use {uri}: no host ss/word@host; 'p@ss' is wrong; GET /db?token=tok/en, tok%2Fen"
    )
    told = masked(text, uri)
    for secret in ("p%40ss", "p@ss", "word", "tok/en", "tok%2Fen"):
        assert secret not in told
    assert "user" in told
    assert "no host" in told


def test_a_token_is_in_no_message_of_a_library() -> None:
    told = masked("no http://tok%2Fen@host, no tok/en", "http://tok%2Fen@host")
    assert told == "no http://***@host, no ***"


def test_a_link_for_a_browser_has_no_password() -> None:
    assert page("http://user:p?ss@host:5000/mlflow/?token=x") == "http://host:5000/mlflow"
    assert page("http://127.0.0.1:5000") == "http://127.0.0.1:5000"


class StartedError(Exception):
    """Stands for a process that would have been started."""


def test_a_password_is_in_no_list_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`mlflow ui` is told its store by its environment: its options are everybody's to read."""
    commands: list[list[str]] = []

    def start(command: list[str], **_: object) -> None:
        commands.append(command)
        raise StartedError

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    uri = "postgresql://user:secret@host/db"
    with pytest.raises(StartedError):
        ui._serve(store.Store(MlflowClient(), uri, "1"), 5000)
    assert "secret" not in str(commands)
    assert os.environ["MLFLOW_BACKEND_STORE_URI"] == uri


# Messages.


def told(error: Exception, uri: str = "postgresql://user:secret@host/db") -> str:
    with pytest.raises(UserError) as caught, store.explained(uri):
        raise error
    assert "secret" not in str(caught.value)
    return str(caught.value)


AUTOFLUSH = (
    "(raised as a result of Query-invoked autoflush; consider using a session.no_autoflush block if"
    " this autoflush is occurring prematurely)\n"
)


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
    """Letters that are no UTF-8, in what MLflow reads first."""
    return content.replace(b"mlartifacts/runs", b"mlartifacts/ru\xff\xfe")


def damage_schema(content: bytes) -> bytes:
    return content.replace(b"CREATE TABLE", b"CREATE T\xffBLE")


def damage_pages(content: bytes) -> bytes:
    return content[: 3 * 4096] + b"\x7f" * (len(content) - 3 * 4096)


@pytest.mark.parametrize("damage", [damage_text, damage_schema, damage_pages])
def test_a_damaged_store_is_a_failure_of_the_store(
    place: Path, damage: Callable[[bytes], bytes]
) -> None:
    """`track` warns and keeps the result aside; to raise would stop `dvc repro`."""
    file = place / "mlflow.db"
    before = file.read_bytes()
    file.write_bytes(damage(before))
    assert file.read_bytes() != before
    with pytest.raises(UserError, match="it is damaged; move the file away") as caught:
        store.open_store("abline")
    assert "\n" not in str(caught.value)


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Mount something on a folder of its own: `mount` with these arguments."""
    points: list[Path] = []

    def mount(*arguments: str) -> Path:
        point = tmp_path / f"mount {len(points)}"
        point.mkdir()
        done = subprocess.run(["mount", *arguments, str(point)], capture_output=True)
        if done.returncode:
            pytest.skip("nothing can be mounted here; root can in most places")
        points.append(point)
        return point

    yield mount
    for point in points:
        subprocess.run(["umount", "-l", str(point)], check=True)


def test_a_read_only_store_is_one_message(
    place: Path, mounted: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = mounted("-t", "tmpfs", "tmpfs")
    shutil.copy(place / "mlflow.db", disk)
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{disk}/mlflow.db")
    with pytest.raises(UserError, match="readonly database.*: make the file and its folder writ"):
        store.open_store("abline")


def test_mlflow_prints_no_traceback_of_what_it_raises(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    opened = store.open_store("abline")
    with closing(sqlite3.connect(place / "mlflow.db")) as database:
        database.execute("DROP TABLE tags")
        database.commit()
    with pytest.raises(UserError, match="no such table: tags"), store.explained(opened.uri):
        opened.client.create_run(opened.experiment_id, 1, {"a": "b"}, "name")
    assert "Traceback" not in "".join(capfd.readouterr())


# Names.


def test_a_long_name_is_cut_for_every_store(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL takes 250 letters and SQLite more: a run must not depend on its store."""
    here = Origin.here(job())
    monkeypatch.setattr(Origin, "here", lambda *_: replace(here, name="é" * 1000))
    run = TrainingRun(job(), "0" * 32, processes.identity(), 1)
    assert run.open()
    (tracked,) = tracked_runs(place)
    assert tracked.name == "é" * 249 + "…"
    assert run_name.cut("a name") == "a name"


def test_an_experiment_that_was_renamed_is_found(place: Path) -> None:
    """The page had an empty table and said that `make repro` makes the first run."""
    opened = store.open_store("abline")
    assert "no run yet   `make repro` makes the first" in ui.links(opened, "http://127.0.0.1:5000")
    opened.client.create_run(opened.experiment_id, tags={"training_id": "0" * 32})
    opened.client.create_experiment("somebody else's")
    opened.client.rename_experiment(opened.experiment_id, "last year's")
    opened = store.open_store("abline")
    assert store.other_experiments(opened) == ["last year's"]
    told = ui.links(opened, "http://127.0.0.1:5000")
    assert 'no run yet   here; there are runs in "last year\'s": set tracking.experiment' in told


# Which folder a store is of.


def test_another_clone_is_told_that_the_artifacts_would_go_elsewhere(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared.db"
    shutil.copy(fresh, shared)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{shared}")
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "second clone"))
    with pytest.raises(UserError) as caught:
        store.open_store("abline")
    message = str(caught.value)
    assert f"keeps its files in {fresh.parent}, the folder of the clone that made it" in message
    # And what it advises works.
    command = [sys.executable, "-m", "mlflow", "experiments", "create", "--experiment-name", "ours"]
    assert "`mlflow experiments create --experiment-name NAME --artifact-location PLACE`" in message
    location = (tmp_path / "for all").as_uri()
    variables = environment(MLFLOW_TRACKING_URI=f"sqlite:///{shared}")
    subprocess.run(
        [*command, "--artifact-location", location],
        env=variables, cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    opened = store.open_store("ours")
    run = opened.client.create_run(opened.experiment_id)
    assert run.info.artifact_uri.startswith(location)


def test_the_clone_that_made_a_shared_store_goes_on(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Under its other path, too: through a link and through a mount."""
    shared = tmp_path / "shared.db"
    shutil.copy(fresh, shared)
    (tmp_path / "link").symlink_to(fresh.parent)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{shared}")
    for root in (fresh.parent, tmp_path / "link"):
        monkeypatch.setenv("DVC_ROOT", str(root))
        assert store.open_store("abline").experiment_id


def test_one_folder_under_two_paths_is_no_other_folder(
    place: Path, mounted: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each change of the path added a copy of the whole store."""
    home = place / "home"
    home.mkdir()
    monkeypatch.setenv("DVC_ROOT", str(home))
    (place / "mlflow.db").rename(home / "mlflow.db")
    with closing(sqlite3.connect(home / "mlflow.db")) as database:
        database.execute(
            "UPDATE experiments SET artifact_location = ? WHERE name = 'abline'",
            [(home / "mlartifacts/runs").as_uri()],
        )
        database.commit()
    point = mounted("--bind", str(home))
    for root in (point, home, point):
        monkeypatch.setenv("DVC_ROOT", str(root))
        assert store.open_store("abline").experiment_id


def test_the_warning_of_a_store_that_moved_says_one_thing_to_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    moved = store.MovedError(tmp_path / "mlflow.db", tmp_path / "old")
    with live.live_run() as run:
        run._warn(str(moved), live.later(moved))
    told = capsys.readouterr().err
    assert told.endswith(
        "; run `python -m pipeline.track --all` once. The result is not touched by this\n"
    )
    assert live.later(UserError("")) == f"; {live.LATER}"


def test_a_store_that_moved_is_renewed_in_its_place(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where two paths cannot be seen to be one folder, as in a container, nothing grows."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    shutil.copy(fresh, tmp_path / "mlflow.db")
    with pytest.raises(store.MovedError) as caught:
        store.open_store("abline")
    store.renew(caught.value)
    opened = store.open_store("abline")
    run = opened.client.create_run(opened.experiment_id)
    assert run.info.artifact_uri.startswith((tmp_path / "mlartifacts/runs").as_uri())
    assert [file.name for file in tmp_path.glob("mlflow*")] == ["mlflow.db"]


@pytest.mark.parametrize("kind", ["symlink_to", "hardlink_to"])
def test_a_store_that_two_folders_link_to_is_not_renewed(
    fresh: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """It would then name this folder in the other one, whose store it is."""
    own = tmp_path / "theirs/mlflow.db"
    own.parent.mkdir()
    shutil.copy(fresh, own)
    home = tmp_path / "ours"
    home.mkdir()
    getattr(home / "mlflow.db", kind)(own)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("DVC_ROOT", str(home))
    with pytest.raises(UserError, match="the folder of the clone that made it"):
        store.open_store("abline")


# A store that is not there, and one that is being made.


def test_a_store_on_a_share_that_is_not_mounted_is_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    for name in ("mlflow.db", "mlartifacts"):
        link = tmp_path / name
        link.symlink_to("/mnt/not mounted just now")
        with pytest.raises(UserError, match="is a link to /mnt/not mounted just now, which is not"):
            store.open_store("abline")
        assert link.is_symlink()
        link.unlink()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/not mounted/mlflow.db")
    with pytest.raises(UserError, match=r"there is no folder .*/not mounted; mount or make it"):
        store.open_store("abline")
    assert not list(tmp_path.glob("*"))


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_has_come_meanwhile_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    if not has_links:

        def refuse(*_: object) -> None:
            raise PermissionError

        monkeypatch.setattr(Path, "hardlink_to", refuse)
    for name, theirs in (("taken", "theirs"), ("free", None)):
        path = tmp_path / name
        with files.whole(path, replace=False) as partial:
            partial.write_text("ours")
            if theirs:
                path.write_text(theirs)
        assert path.read_text() == (theirs or "ours")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["free", "taken"]


def test_a_store_that_another_program_is_making_is_waited_for(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two programs that bring one file to MLflow's newest form break it for good."""
    file = place / "mlflow.db"
    newest = store._form(file)
    forms = iter([0, 4096, "old", "old", "newer", newest])
    seen: list[object] = []

    def form(_: Path) -> object:
        seen.append(next(forms))
        return seen[-1]

    monkeypatch.setattr(store, "_form", form)
    store._wait_until_made(file)
    assert seen[-1] == newest
    # One that does not get on is left to MLflow, which says what it is.
    monkeypatch.setattr(store, "_form", lambda _: "older")
    monkeypatch.setattr(store, "SECONDS_LOCKED", 0.1)
    store._wait_until_made(file)


@pytest.mark.slow
def test_a_plain_mlflow_that_makes_the_store_at_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own file is used, and it goes on with it."""
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    # By a relative address, as `mlflow ui` does: MLflow's own lock goes by the address.
    code = "from mlflow import MlflowClient; c = MlflowClient('sqlite:///mlflow.db');"
    code += "e = c.create_experiment('theirs'); print(c.create_run(e).info.run_id)"
    plain = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    eventually((tmp_path / "mlflow.db").exists)
    opened = store.open_store("abline")
    run_id, _ = plain.communicate()
    assert plain.returncode == 0
    assert opened.client.get_run(run_id.strip())
    assert MlflowClient(f"sqlite:///{tmp_path}/mlflow.db").get_experiment_by_name("theirs")


def test_a_store_that_is_slow_to_answer_is_given_up() -> None:
    over = threading.Event()
    with pytest.raises(TimeoutError):
        store_check.within(0.01, over.wait)
    over.set()
    assert store_check.within(GENEROUS, lambda: 7) == 7
    with pytest.raises(ZeroDivisionError):
        store_check.within(GENEROUS, lambda: 1 / 0)


def test_a_store_that_is_at_work_has_more_time() -> None:
    over = threading.Event()

    def more() -> float:
        over.set()
        return GENEROUS

    assert store_check.within(0.01, over.wait, more)
