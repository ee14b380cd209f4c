"""Ways to lose a run, each tried: the store, the process, git, the folder, the moment."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import (
    GENEROUS,
    Checkout,
    Clone,
    TrackedRun,
    environment,
    eventually,
    job,
    job_text,
    stopping,
    tracked_runs,
    wait_for_losses,
)
from mlflow import MlflowClient

from pipeline import evaluate, export, generate, track, train
from pipeline.settings import files, ids, processes
from pipeline.settings.params import Params
from pipeline.tracking import replay, runs, store, store_check, waiting
from pipeline.tracking.tags import CHANGED, COMMIT, RECORDER_PROCESS

LATER = "`python -m pipeline.track --all` makes the run when the store works again"
STAGES = ("generate", "train", "evaluate", "export", "track")


def run_stages(checkout: Checkout) -> str:
    """Each stage as a process of its own: what all of them said."""
    return "".join(checkout.stage(name) for name in STAGES)


def is_whole(run: TrackedRun, epochs: int = 100) -> bool:
    """Whether a run has everything, and each step once."""
    steps = [step for step, _ in run.losses()]
    return (
        run.status == "FINISHED"
        and steps == list(range(1, epochs + 1))
        and "result_id" in run.tags
        and "train.mse" in run.metrics
        and len(run.models) == 1
        and len(run.client.get_metric_history(run.id, "train.mse")) == 1
    )


# The store.


def serve(folder: Path, port: int) -> "subprocess.Popen[bytes]":
    """A real tracking server, in a process group of its own, that answers."""
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


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@pytest.mark.slow
def test_a_server_that_comes_and_goes(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down when training begins, up later, gone halfway through the next one, up again."""
    port = free_port()
    place = tmp_path / "server"
    place.mkdir()
    uri = f"http://127.0.0.1:{port}"
    checkout = Checkout(workspace, MLFLOW_TRACKING_URI=uri)
    told = run_stages(checkout)
    assert told.count("warning: ") == 1, told
    assert LATER in told
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
        _, told = training.communicate()
        assert training.returncode == 0, told
        told += "".join(checkout.stage(name) for name in STAGES[2:])
        assert told.count("warning: ") == 1, told

        server = serve(place, port)
        told = checkout("python", "-m", "pipeline.track", "--all")
        assert "replayed from files" in told
        assert "run completed" in told, "the run that was cut short is the one that is completed"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        runs = [TrackedRun(client, run) for run in client.search_runs(["1"])]
        assert sorted(run.params["train.epochs"] for run in runs) == ["100", "30000"]
        for run in runs:
            assert is_whole(run, int(run.params["train.epochs"]))
        assert "0 results had a run already" in told
        assert not list((workspace / files.OURS / "waiting").glob("*"))
    finally:
        stop(server)


@contextmanager
def answering(status: int | None) -> Iterator[str]:
    """A server whose health is good and who answers all else with `status`, or never."""
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

    with ThreadingHTTPServer(("127.0.0.1", 0), Bad) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            over.set()
            server.shutdown()
            thread.join()


@pytest.mark.slow
@pytest.mark.parametrize("status", [500, None])
def test_a_server_that_is_ill(workspace: Path, status: int | None) -> None:
    with answering(status) as uri:
        told = run_stages(Checkout(workspace, MLFLOW_TRACKING_URI=uri))
    assert told.count("warning: ") == 1, told
    assert LATER in told
    told = Checkout(workspace)("python", "-m", "pipeline.track", "--all")
    assert told.startswith("run replayed from files: ")
    (run,) = tracked_runs(workspace)
    assert is_whole(run)


def lock_store() -> sqlite3.Connection:
    other = sqlite3.connect("mlflow.db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    return other


@pytest.mark.slow
def test_a_store_that_is_locked(workspace: Path) -> None:
    """Another program has it for itself, and does not let go while the job runs."""
    store.open_store("abline")
    with closing(lock_store()):
        told = run_stages(Checkout(workspace))
    assert told.count("warning: ") == 1, told
    assert "database is locked" in told
    assert "1 run" not in Checkout(workspace)("python", "-m", "pipeline.track", "--all")
    (run,) = tracked_runs(workspace)
    assert is_whole(run)


@pytest.mark.slow
def test_a_store_that_is_broken(workspace: Path) -> None:
    """The file is no database; moved away, as the message says, the runs come back."""
    Path("mlflow.db").write_bytes(b"not a database, " * 100)
    checkout = Checkout(workspace)
    told = run_stages(checkout)
    assert told.count("warning: ") == 1, told
    assert "move the file away" in told
    told = checkout("python", "-m", "pipeline.track", "--all", ok=False)
    assert told.startswith("error: the tracking store sqlite:")
    assert "Traceback" not in told
    Path("mlflow.db").rename("broken")
    checkout("python", "-m", "pipeline.track", "--all")
    (run,) = tracked_runs(workspace)
    assert is_whole(run)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no file system can be mounted here; root can in most places")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("state", ["full", "read-only"])
def test_a_disk_that_takes_no_more(workspace: Path, small_disk: Path, state: str) -> None:
    uri = f"sqlite:///{small_disk}/mlflow.db"
    checkout = Checkout(workspace, MLFLOW_TRACKING_URI=uri)
    run_stages(Checkout(workspace, MLFLOW_TRACKING_URI=f"sqlite:///{workspace}/first.db"))
    shutil.copy(workspace / "first.db", small_disk / "mlflow.db")
    if state == "full":
        with suppress(OSError), (small_disk / "filler").open("wb") as filler:
            while True:
                filler.write(bytes(4096))
                filler.flush()
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    Path("params.yaml").write_text(job_text(train__lr=0.02))
    told = run_stages(checkout)
    assert told.count("warning: ") == 1, told
    assert "Traceback" not in told
    assert told.count("\n") < 8, "one warning is enough"
    assert ("free some space" if state == "full" else "writable") in told
    if state == "full":
        (small_disk / "filler").unlink()
    else:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)
    checkout("python", "-m", "pipeline.track", "--all")
    client = MlflowClient(uri)
    runs = [TrackedRun(client, run) for run in client.search_runs(["1"])]
    assert sorted(run.params["train.lr"] for run in runs) == ["0.01", "0.02"]
    assert all(is_whole(run) for run in runs)


@pytest.mark.slow
def test_a_store_that_is_made_is_made_whole(workspace: Path) -> None:
    """To be killed while the store is made must not leave one that nobody can open."""
    code = "from pipeline.tracking import store; store.open_store('abline')"
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
        maker.wait()
    subprocess.run([sys.executable, "-c", code], env=environment(), check=True)
    assert tracked_runs(workspace) == []


# The process.


def killed_training(workspace: Path, **changes: Any) -> Params:
    """A training that is killed together with the process that writes its run."""
    changes = {"train__epochs": 200_000, "train__lr": 1e-9} | changes
    Path("params.yaml").write_text(job_text(**changes))
    generate.main(job(**changes))
    training = subprocess.Popen(
        [sys.executable, "-m", "pipeline.train"], env=environment(), start_new_session=True
    )
    wait_for_losses(workspace)
    (run,) = tracked_runs(workspace)
    _, _, recorder, _ = run.tags[RECORDER_PROCESS].split(" ")
    for pid in (training.pid, int(recorder)):
        os.kill(pid, signal.SIGKILL)
    training.wait()
    return job(**changes)


@pytest.mark.slow
def test_a_run_whose_processes_are_gone_does_not_say_running(workspace: Path) -> None:
    killed_training(workspace)
    (run,) = tracked_runs(workspace)
    assert run.status == "RUNNING", "nobody was left to say otherwise"
    eventually(lambda: processes.is_gone(run.tags[RECORDER_PROCESS]))
    told = Checkout(workspace)("python", "-m", "pipeline.track", "--all")
    assert "1 run marked KILLED: their processes are gone" in told
    (run,) = tracked_runs(workspace)
    assert run.status == "KILLED"


def test_a_run_of_another_host_is_left_alone(workspace: Path) -> None:
    opened = store.open_store("abline")
    here = processes.identity()
    host, boot, _, start = here.split(" ")
    others = {
        "elsewhere": f"elsewhere {boot} 1 {start}",
        "another container": f"{host} {boot.partition('/')[0]}/pid:[1] 1 {start}",
        "alive": here,
    }
    gone = {"ended": f"{host} {boot} 4194303 {start}", "before the boot": f"{host} old/x 1 1"}
    ids = {
        name: opened.client.create_run("1", run_name=name, tags={RECORDER_PROCESS: each})
        for name, each in (others | gone).items()
    }
    assert len(ids) == 5
    assert runs.end_abandoned(opened) == 2
    status = {run.name: run.status for run in tracked_runs(workspace)}
    assert {name for name, said in status.items() if said == "RUNNING"} == set(others)
    assert {name for name, said in status.items() if said == "KILLED"} == set(gone)


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.5, None])
def test_a_killed_training_goes_on_in_its_own_run(workspace: Path, seconds: float | None) -> None:
    """No step twice or missing, with and without a checkpoint; `track` completes that run."""
    killed_training(workspace, train__epochs=100_000, train__checkpoint_seconds=seconds)
    (before,) = tracked_runs(workspace)
    run_stages(Checkout(workspace))
    (run,) = tracked_runs(workspace)
    assert run.id == before.id
    assert is_whole(run, 100_000)
    assert "reason" not in run.tags


@pytest.mark.slow
def test_a_result_completes_a_run_that_was_killed(workspace: Path) -> None:
    """A colleague's result comes from the cache, for a training that was killed here."""
    params = killed_training(workspace, train__epochs=100_000)
    (before,) = tracked_runs(workspace)
    checkout = Checkout(workspace)
    for name in STAGES[1:-1]:
        checkout.stage(name, DVC_ROOT=str(workspace / "colleague"))
    checkout.stage("track")
    (run,) = tracked_runs(workspace)
    assert run.id == before.id
    assert is_whole(run, params.train.epochs)


@pytest.mark.slow
def test_no_number_that_is_none_is_in_the_store(workspace: Path) -> None:
    """Divergence: FAILED, the reason as a tag, and finite losses only."""
    for changes in ({"train__lr": 1e30}, {"train__lr": 1e20, "train__optimizer": "adam"}):
        Path("params.yaml").write_text(job_text(**changes))
        generate.main(job(**changes))
        assert "diverged" in Checkout(workspace).stage("train", ok=False)
    runs = tracked_runs(workspace)
    assert [run.status for run in runs] == ["FAILED"] * 2
    assert all(run.tags["reason"].startswith("the fit diverged") for run in runs)
    with closing(sqlite3.connect("mlflow.db")) as database:
        assert database.execute("SELECT count(*) FROM metrics WHERE is_nan").fetchone() == (0,)
        (largest,) = database.execute("SELECT max(abs(value)) FROM metrics").fetchone()
    assert largest is None or largest < 1e308


# Git, DVC and the folder.


@pytest.mark.slow
def test_files_of_a_run_that_are_gone_come_back(workspace: Path) -> None:
    for stage in (generate, train, evaluate, export, track):
        stage.main(job(tracking__model_name="doubling"))
    (run,) = tracked_runs(workspace)
    place = Path(run.client.get_model_version("doubling", 1).source.removeprefix("file://"))
    before = {file.name for file in place.iterdir()}
    shutil.rmtree("mlartifacts")
    track.main(job(tracking__model_name="doubling"))
    (run,) = tracked_runs(workspace)
    assert run.artifact("reports/plots/fit.svg").startswith(b"<?xml")
    # In the same place, to which the registered version points.
    assert run.model_file() == files.ONNX.read_bytes()
    assert {file.name for file in place.iterdir()} == before
    assert len(run.client.search_model_versions("name = 'doubling'")) == 1


def experiments(checkout: Checkout) -> None:
    checkout("dvc", "exp", "run", "--name", "faster", "-S", "train.lr=0.02")
    checkout("git", "checkout", ".")
    checkout("dvc", "exp", "run", "--name", "other-query", "-S", "evaluate.queries=[[5.0]]")
    checkout("git", "checkout", ".")
    checkout("dvc", "repro")


@pytest.fixture
def team(clone: Clone, tmp_path: Path) -> Checkout:
    """A clone with a remote, two experiments, and a commit of another result."""
    checkout = clone("team")
    # Before the experiments: DVC takes the remote of the commit that they start from.
    checkout("dvc", "remote", "add", "--default", "shared", str(tmp_path / "remote"))
    checkout("git", "commit", "--quiet", "--all", "--message=a remote")
    checkout("dvc", "repro")
    experiments(checkout)
    text = (checkout.path / "params.yaml").read_text()
    (checkout.path / "params.yaml").write_text(text.replace("epochs: 100\n", "epochs: 150\n"))
    checkout("dvc", "repro")
    checkout("git", "commit", "--quiet", "--all", "--message=longer")
    return checkout


@pytest.mark.slow
def test_a_fresh_clone_shows_what_the_team_has_tried(team: Checkout, tmp_path: Path) -> None:
    """After the commands that are advised, without training; once and not again."""
    team("dvc", "push", "--all-commits")
    team("dvc", "exp", "push", "origin", "faster", "other-query")
    team("git", "push", "--quiet", "origin", "HEAD:refs/heads/longer")
    origin = team("git", "remote", "get-url", "origin").strip()
    fresh = Checkout(tmp_path / "fresh")
    subprocess.run(["git", "clone", "--quiet", "--branch=longer", origin, fresh.path], check=True)
    told = fresh("python", "-m", "pipeline.track", "--all")
    assert "`dvc fetch --all-commits` may bring them" in told, "the cache is empty yet"
    bare = fresh.runs()
    assert all(run.losses() for run in bare)
    assert not any(run.models for run in bare)
    fresh("dvc", "exp", "pull", "--no-cache", "origin", "faster", "other-query")
    told += fresh("python", "-m", "pipeline.track", "--all")
    advised = set(re.findall(r"`(dvc [^`]*)`", told))
    assert advised == {"dvc fetch --all-commits", "dvc exp pull origin faster other-query"}
    for command in advised:
        fresh(*command.split())
    told = fresh("python", "-m", "pipeline.track", "--all")
    assert "fetch" not in told, told
    runs = fresh.runs()
    assert {run.tags["dvc.experiment"] for run in runs if "dvc.experiment" in run.tags} == {
        "faster",
        "other-query",
    }
    assert [is_whole(run, int(run.params["train.epochs"])) for run in runs] == [True] * 4
    ours = {run.tags["result_id"]: run for run in team.runs()}
    for run in runs:
        mine = ours[run.tags["result_id"]]
        assert run.losses() == mine.losses()
        assert run.metrics == mine.metrics
        assert run.params == mine.params
        assert run.model_file() == mine.model_file()
        assert run.artifact("reports/plots/fit.svg") == mine.artifact("reports/plots/fit.svg")
    assert any(run.name.startswith("train.lr=0.02 (faster)") for run in runs)
    assert any(run.name.startswith("train.epochs=150 (") for run in runs)
    assert fresh("python", "-m", "pipeline.track", "--all") == "4 results had a run already\n"
    assert [run.id for run in fresh.runs()] == [run.id for run in runs]


@pytest.mark.slow
def test_a_commit_is_named_once_there_is_one(team: Checkout) -> None:
    """A run is made before its result is committed; its commit is then that of the result."""
    head = team("git", "rev-parse", "HEAD").strip()
    run = next(run for run in team.runs() if run.params["train.epochs"] == "150")
    assert run.tags[COMMIT] != head
    team("python", "-m", "pipeline.track", "--all")
    run = next(run for run in team.runs() if run.params["train.epochs"] == "150")
    assert run.tags[COMMIT] == head
    assert run.tags[CHANGED] == "none"
    experiment = next(run for run in team.runs() if run.params["train.lr"] == "0.02")
    code = team("git", "rev-parse", experiment.tags[COMMIT]).strip()
    assert team("git", "show", f"{code}:params.yaml").count("lr: 0.02") == 1
    assert len(team.runs()) == 4


@pytest.mark.slow
def test_a_result_is_found_from_any_end_of_it(team: Checkout) -> None:
    team("python", "-m", "pipeline.track", "--all")
    run = next(run for run in team.runs() if run.params["train.lr"] == "0.02")
    commit = run.tags[COMMIT]
    # The file alone, somewhere else, under another name.
    (team.path / "elsewhere.onnx").write_bytes(run.model_file())
    answers = [
        team("python", "-m", "pipeline.track", "--find", what)
        for what in (run.id, run.name, "faster", commit, commit[:9], "elsewhere.onnx")
    ]
    assert len(set(answers)) == 1, answers
    for part in (
        run.id,
        "faster, based on ",
        commit,
        f"data/train.parquet, md5 {run.md5s()['data/train.parquet']}",
        f"models/model.onnx, md5 {run.md5s()['models/model.onnx']}",
        "train.lr=0.02\n",
        f"git checkout {commit[:12]}\n",
    ):
        assert part in answers[0], part
    # And the commands do what they say.
    (team.path / "elsewhere.onnx").unlink()
    team("git", "checkout", "--quiet", commit[:12])
    team("dvc", "repro", "--force")
    assert ids.md5(team.path / files.ONNX) == run.md5s()["models/model.onnx"]
    assert team.status() == ""


@pytest.mark.parametrize(
    "what",
    [
        "nothing",
        *(pytest.param(w, marks=pytest.mark.slow) for w in ("nothing.onnx", "params.yaml")),
    ],
)
def test_what_is_not_found_is_told(workspace: Path, what: str) -> None:
    told = Checkout(workspace)("python", "-m", "pipeline.track", "--find", what, ok=False)
    assert told.startswith(f"error: {what}: ")
    assert told.count("\n") == 1


@pytest.mark.slow
def test_a_lost_store_comes_back(team: Checkout) -> None:
    before = {run.tags["result_id"] for run in team.runs()}
    (team.path / "mlflow.db").unlink()
    shutil.rmtree(team.path / "mlartifacts")
    team("python", "-m", "pipeline.track", "--all")
    runs = team.runs()
    assert {run.tags["result_id"] for run in runs} == before
    assert all(is_whole(run, int(run.params["train.epochs"])) for run in runs)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["renamed", "copied"])
def test_a_folder_that_moved(clone: Clone, how: str) -> None:
    """Each result has one run, with its files, in the new folder; the old store stays as it is."""
    checkout = clone("home")
    checkout("dvc", "repro")
    checkout("git", "commit", "--quiet", "--all", "--amend", "--no-edit")
    (checkout.path / "params.yaml").write_text(job_text(train__lr=0.1))
    checkout.stage("train", ok=False)
    home, moved = checkout.path, checkout.path.with_name("moved")
    before = (home / "mlflow.db").read_bytes()
    if how == "renamed":
        home.rename(moved)
    else:
        shutil.copytree(home, moved, symlinks=True)
    there = Checkout(moved)
    (moved / "params.yaml").write_text(job_text(train__lr=0.02))
    told = there("dvc", "repro")
    assert told.count("warning: ") == 1, told
    assert f"{moved}/mlflow.db was made when this repository was {home}" in told
    assert (moved / "mlflow.db").read_bytes() == before
    told = there("python", "-m", "pipeline.track", "--all")
    (aside,) = moved.glob("mlflow.moved-*.db")
    assert aside.read_bytes() == before
    assert f"`mlflow ui --backend-store-uri 'sqlite:///{aside}'`" in told
    old_runs = MlflowClient(f"sqlite:///{aside}").search_runs(["1"])
    assert sorted(run.info.status for run in old_runs) == ["FAILED", "FINISHED"]
    if how == "copied":
        assert (home / "mlflow.db").read_bytes() == before
        shutil.rmtree(home)
    runs = there.all_runs()
    assert sorted(run.params["train.lr"] for run in runs) == ["0.01", "0.02"]
    for run in runs:
        assert is_whole(run)
        assert run.model_file()
        assert run.artifact("reports/plots/fit.svg").startswith(b"<?xml")
    assert there("python", "-m", "pipeline.track", "--all") == "2 results had a run already\n"
    assert not home.exists()


@pytest.mark.slow
def test_an_unverified_model_is_never_registered(workspace: Path) -> None:
    for stage in (generate, train, evaluate, export):
        stage.main(job())
    told = json.loads(files.VERIFICATION.read_text())
    files.write_json(files.VERIFICATION, told | {"model_md5": "of another file"})
    track.main(job())
    (run,) = tracked_runs(workspace)
    assert run.client.search_model_versions() == []
    other = job(train__lr=0.02, tracking__model_name=None)
    for stage in (train, evaluate, export, track):
        stage.main(other)
    assert run.client.search_model_versions() == []


def test_a_version_has_its_lineage(workspace: Path) -> None:
    for stage in (generate, train, evaluate, export, track, track):
        stage.main(job())
    (run,) = tracked_runs(workspace)
    (version,) = run.client.search_model_versions()
    assert (version.name, version.run_id) == ("abline", run.id)
    for tag in ("training_id", "result_id", "outputs"):
        assert version.tags[tag] == run.tags[tag]


@pytest.mark.slow
def test_results_that_are_not_in_git_are_kept_until_they_are_tracked(workspace: Path) -> None:
    """One after the other takes the folder while the store is away: all have a run at last."""
    checkout = Checkout(workspace, MLFLOW_TRACKING_URI="http://127.0.0.1:9")
    for lr in (0.01, 0.02, 0.03):
        Path("params.yaml").write_text(job_text(train__lr=lr))
        assert run_stages(checkout).count("warning: ") == 1
    assert len(list(waiting.results())) == 3
    lines, _ = replay.replay_missing(job().tracking)
    assert "".join(lines).count("run replayed from files") == 3
    runs = tracked_runs(workspace)
    assert sorted(run.params["train.lr"] for run in runs) == ["0.01", "0.02", "0.03"]
    assert all(is_whole(run) for run in runs)
