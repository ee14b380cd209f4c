"""Stores that fail, each in its way: no run is lost."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import (
    GENEROUS,
    Checkout,
    TrackedRun,
    environment,
    eventually,
    free_port,
    job_text,
    served,
    stopping,
    tracked_runs,
)
from mlflow import MlflowClient
from stage_runs import NAMES, is_complete, start_stages

from pipeline.settings import files
from pipeline.tracking import store, store_check

LATER = "`python -m pipeline.track --all` makes the run when the store works again"


def serve(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """Start a real tracking server in a process group of its own; return it when it answers."""
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/server.db"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    variables = environment(MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false")
    with (folder / "server.log").open("ab") as log:
        server = subprocess.Popen(
            command, cwd=folder, env=variables, stdout=log, stderr=log, start_new_session=True
        )

    def answers() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        assert server.poll() is None, (folder / "server.log").read_text()
        return False

    eventually(answers)
    store_check.check_usable(f"http://127.0.0.1:{port}", GENEROUS)
    return server


def stop(server: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    server.wait()


@pytest.mark.slow
def test_a_server_that_comes_and_goes(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down when the training begins, up later, down halfway through the next training, up again."""
    port = free_port()
    place = tmp_path / "server"
    place.mkdir()
    uri = f"http://127.0.0.1:{port}"
    checkout = Checkout(workspace, MLFLOW_TRACKING_URI=uri)
    printed = start_stages(checkout)
    assert printed.count("warning: ") == 1, printed
    assert LATER in printed
    assert files.ONNX.exists(), "the result is whole"

    server = serve(place, port)
    try:
        # The next result takes the first one's place in the folder, and is on its way when the
        # server goes. A rate this small keeps it from converging to a loss of zero.
        slow = {"train__epochs": 30_000, "train__lr": 1e-9}
        Path("params.yaml").write_text(job_text(**slow))
        training = subprocess.Popen(
            [sys.executable, "-m", "pipeline.train"],
            env=environment(MLFLOW_TRACKING_URI=uri),
            stderr=subprocess.PIPE,
            text=True,
        )
        with stopping(training):
            client = MlflowClient(uri)
            eventually(lambda: any("loss" in run.data.metrics for run in client.search_runs(["1"])))
            stop(server)
        _, printed = training.communicate()
        assert training.returncode == 0, printed
        printed += "".join(checkout.stage(name) for name in NAMES[2:])
        assert printed.count("warning: ") == 1, printed

        server = serve(place, port)
        printed = checkout("python", "-m", "pipeline.track", "--all")
        assert "replayed from files" in printed
        assert "run completed" in printed, "the run that was cut short is the one that is completed"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        runs = [TrackedRun(client, run) for run in client.search_runs(["1"])]
        assert sorted(run.params["train.epochs"] for run in runs) == ["100", "30000"]
        for run in runs:
            assert is_complete(run, int(run.params["train.epochs"]))
        assert "0 results had a run already" in printed
        assert not list((workspace / files.STATE_FOLDER / "waiting").glob("*"))
    finally:
        stop(server)


@contextmanager
def answering(status: int | None) -> Iterator[str]:
    """Yield a server whose /health is good; it answers other requests with `status`, or never."""
    over = threading.Event()

    class Bad(BaseHTTPRequestHandler):
        def answer(self) -> None:
            if self.path == "/health":
                self.send_response(200)
                self.end_headers()
            elif status is None:
                over.wait()
            else:
                self.send_error(status)

        do_GET = do_POST = do_PUT = answer  # noqa: N815 - the names of http.server

        def log_message(self, *arguments: object) -> None: ...

    with served(ThreadingHTTPServer(("127.0.0.1", 0), Bad)) as address:
        try:
            yield address
        finally:
            over.set()


@pytest.mark.slow
@pytest.mark.parametrize("status", [500, None])
def test_a_server_that_is_ill(workspace: Path, status: int | None) -> None:
    with answering(status) as uri:
        printed = start_stages(Checkout(workspace, MLFLOW_TRACKING_URI=uri))
    assert printed.count("warning: ") == 1, printed
    assert LATER in printed
    printed = Checkout(workspace)("python", "-m", "pipeline.track", "--all")
    assert printed.startswith("run replayed from files: ")
    (run,) = tracked_runs(workspace)
    assert is_complete(run)


def lock_store() -> sqlite3.Connection:
    other = sqlite3.connect("mlflow.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other


@pytest.mark.slow
def test_a_store_that_is_locked(workspace: Path) -> None:
    """Another program has locked it for as long as the job runs."""
    store.open_store("abline")
    with closing(lock_store()):
        printed = start_stages(Checkout(workspace))
    assert printed.count("warning: ") == 1, printed
    assert "database is locked" in printed
    printed = Checkout(workspace)("python", "-m", "pipeline.track", "--all")
    assert printed.startswith("run replayed from files: "), "no run was begun that is KILLED now"
    assert printed.endswith("\n0 results had a run already\n")
    (run,) = tracked_runs(workspace)
    assert is_complete(run)


@pytest.mark.slow
def test_a_store_that_is_broken(workspace: Path) -> None:
    """The file is no database; when it is moved away, as the message says, the runs come back."""
    Path("mlflow.db").write_bytes(b"not a database, " * 100)
    checkout = Checkout(workspace)
    printed = start_stages(checkout)
    assert printed.count("warning: ") == 1, printed
    assert "move the file away" in printed
    printed = checkout("python", "-m", "pipeline.track", "--all", ok=False)
    assert printed.startswith("error: the tracking store sqlite:")
    assert "Traceback" not in printed
    Path("mlflow.db").rename("broken")
    checkout("python", "-m", "pipeline.track", "--all")
    (run,) = tracked_runs(workspace)
    assert is_complete(run)


@pytest.fixture
def small_disk(mounted: Callable[..., Path]) -> Path:
    """Return a folder with a file system of two megabytes."""
    return mounted("-t", "tmpfs", "-o", "size=2m", "tmpfs")


@pytest.mark.slow
@pytest.mark.parametrize("state", ["full", "read-only"])
def test_a_disk_that_takes_no_more(workspace: Path, small_disk: Path, state: str) -> None:
    uri = f"sqlite:///{small_disk}/mlflow.db"
    checkout = Checkout(workspace, MLFLOW_TRACKING_URI=uri)
    start_stages(Checkout(workspace, MLFLOW_TRACKING_URI=f"sqlite:///{workspace}/first.db"))
    shutil.copy(workspace / "first.db", small_disk / "mlflow.db")
    if state == "full":
        with suppress(OSError), (small_disk / "filler").open("wb") as filler:
            while True:
                filler.write(bytes(4096))
                filler.flush()
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    Path("params.yaml").write_text(job_text(train__lr=0.02))
    printed = start_stages(checkout)
    assert printed.count("warning: ") == 1, printed
    assert "Traceback" not in printed
    assert printed.count("\n") < 8, "one warning is enough"
    assert ("free some space" if state == "full" else "writable") in printed
    if state == "full":
        (small_disk / "filler").unlink()
    else:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    checkout("python", "-m", "pipeline.track", "--all")
    client = MlflowClient(uri)
    runs = [TrackedRun(client, run) for run in client.search_runs(["1"])]
    assert sorted(run.params["train.lr"] for run in runs) == ["0.01", "0.02"]
    assert all(is_complete(run) for run in runs)


@pytest.mark.slow
def test_a_store_that_is_made_is_made_whole(workspace: Path) -> None:
    """A process that is killed while it makes the store leaves no store that cannot be opened."""
    code = "from pipeline.tracking import store; store.open_store('abline')"
    ends = []
    for size in (1, 50_000, 150_000, 250_000):  # by its size and not by the clock
        before = set(workspace.iterdir())
        maker = subprocess.Popen([sys.executable, "-c", code], env=environment())

        def so_far(
            size: int = size,
            before: set[Path] = before,
            maker: "subprocess.Popen[bytes]" = maker,
        ) -> bool:
            written = 0
            for path in set(workspace.iterdir()) - before:
                with suppress(FileNotFoundError):  # a journal of SQLite's
                    written += path.stat().st_size
            return written >= size or maker.poll() is not None

        eventually(so_far)
        maker.kill()
        ends.append(maker.wait())
    assert -signal.SIGKILL in ends
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)
    assert tracked_runs(workspace) == []
