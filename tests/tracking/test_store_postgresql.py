"""A database server as the store: PostgreSQL accepts other values than SQLite."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import environment, job, job_text
from mlflow import MlflowClient

from pipeline import generate, train
from pipeline.results.provenance import Origin
from pipeline.settings import files, processes
from pipeline.settings.errors import UserError
from pipeline.tracking import completion, store
from pipeline.tracking.store_failures import explained
from pipeline.tracking.training_run import TrainingRun

pytestmark = pytest.mark.slow


def _program(name: str) -> str | None:
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(name, path=os.pathsep.join([*map(str, places), os.environ["PATH"]]))


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """A fresh PostgreSQL: its address, without the database's name."""
    pytest.importorskip("psycopg")
    initdb, postgres, create = map(_program, ("initdb", "postgres", "createdb"))
    if initdb is None or postgres is None or create is None:
        pytest.skip("PostgreSQL is not installed")
    # Not in pytest's own folder, which is closed to every other user.
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        user: list[str] = []
        if os.getuid() == 0:  # it does not run as root
            with suppress(KeyError):
                who = pwd.getpwnam("postgres")
                os.chown(folder, who.pw_uid, who.pw_gid)
                user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
            if not user:
                pytest.skip("there is no user postgres")
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = str(probe.getsockname()[1])
        data = f"{folder}/data"
        made = [initdb, "--auth=trust", "--username=abline", "--no-sync", "--encoding=UTF8"]
        subprocess.run(
            [*user, *made, "-D", data], check=True, stdout=subprocess.DEVNULL, cwd=folder
        )
        server = subprocess.Popen(
            [*user, postgres, "-D", data, "-h", "127.0.0.1", "-p", port, "-k", folder, "-F"],
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        try:
            place = ["-h", "127.0.0.1", "-p", port, "-U", "abline"]
            while subprocess.run([create, *place, "probe"], capture_output=True).returncode:
                assert server.poll() is None, "PostgreSQL does not run here"
            yield f"postgresql://abline:secret@127.0.0.1:{port}"
        finally:
            server.send_signal(signal.SIGINT)  # SIGTERM would wait for every client
            server.wait()


@pytest.fixture
def address(
    database: str, workspace: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> str:
    """An empty database of the test's own, where runs of the workspace go."""
    name = f"t{abs(hash(request.node.name))}"
    _, _, port = database.rpartition(":")
    create = _program("createdb")
    assert create is not None
    place = ["-h", "127.0.0.1", "-p", port, "-U", "abline"]
    subprocess.run([create, *place, name], check=True)
    uri = f"{database}/{name}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("DVC_ROOT", str(workspace))
    return uri


def test_a_run_in_a_fresh_database_is_whole(address: str) -> None:
    """MLflow takes seconds to make its tables: longer than a store with tables may take."""
    generate.main(job())
    told = subprocess.run(
        [sys.executable, "-m", "pipeline.train"],
        env=environment(MLFLOW_TRACKING_URI=address),
        capture_output=True,
        text=True,
    )
    assert (told.returncode, told.stderr) == (0, "")
    (run,) = MlflowClient(address).search_runs(["1"])
    assert run.info.status == "FINISHED"


def test_a_name_that_is_too_long_for_the_database(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin = replace(Origin.here(job()), name="n" * 1000)
    monkeypatch.setattr(Origin, "here", lambda *_: origin)
    run = TrainingRun(job(), "0" * 32, processes.identity(), 1)
    assert run.open()
    opened = run.store
    assert opened is not None
    completion._supersede(
        opened, opened.client.get_run(run.run_id), opened.client.get_run(run.run_id)
    )
    too_long = pytest.raises(UserError, match="value too long for type character varying")
    with too_long as caught, explained(address):
        opened.client.create_run(opened.experiment_id, run_name="n" * 251)
    assert "autoflush" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_database_that_is_not_there_is_told_at_once(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"postgresql://abline:secret@127.0.0.1:{port}/x")
    with pytest.raises(UserError, match="Connection refused") as caught:
        store.open_store("abline")
    assert "secret" not in str(caught.value)


def test_two_clones_in_one_database(
    address: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.open_store("abline")
    other = workspace / "other"
    other.mkdir()
    monkeypatch.setenv("DVC_ROOT", str(other))
    with pytest.raises(UserError, match=f"keeps its files in {workspace}, the folder of the clone"):
        store.open_store("abline")
    # The training continues, and warns once.
    Path("params.yaml").write_text(job_text())
    generate.main(job())
    train.main(job())
    assert files.MODEL.exists()
