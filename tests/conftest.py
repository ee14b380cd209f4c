"""Jobs to run, clones to run them in, and the runs in their stores."""

import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.server import HTTPServer
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import pytest
import yaml

from pipeline.settings import params as params_yaml
from pipeline.settings.params import Params

pytest_plugins = [
    "exported_models",
    "javascript_package",
    "process_marks",
    "s3_server",
    "signals_kept",
    "stores",
]

HERE = Path(__file__).parent
ROOT = HERE.parent

Value = TypeVar("Value")

Clone = Callable[[str], "Checkout"]

GENEROUS = 900
"""Seconds after which a test stops waiting: many, because other processes may be running."""


def eventually(event: Callable[[], Value | None]) -> Value:
    """Wait until `event` returns a true value, and return it. `event` may raise."""
    deadline = time.monotonic() + GENEROUS
    while not (value := event()):
        assert time.monotonic() < deadline, "the event that the test waits for has not come"
        time.sleep(0.05)
    return value


def job(**changes: Any) -> Params:
    """Return the tutorial's job with other values: job(train__lr=0.02) sets train.lr."""
    return params_yaml.parse(job_text(**changes))


def job_text(**changes: Any) -> str:
    """Return the text of params.yaml for `job`."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    for key, value in changes.items():
        *sections, name = key.split("__")
        place = values
        for section in sections:
            place = place[section]
        assert name in place, key
        place[name] = value
    return yaml.safe_dump(values, sort_keys=False)  # the order of the features counts


HIDDEN = [*"\t\x1b\x85\u00ad\u200b\u200d\u2028\u202e\u2066\ufeff"]
"""Characters that a name must not have."""

# The instruction sets that NumPy uses if the processor has them; all x86-64 processors have others.
NUMPY_OFF = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"

# Variables by which a machine tells libraries about its processor.
ARITHMETIC = ("OPENBLAS_", "OMP_", "MKL_", "NPY_", "ATEN_")

# Variables that a `make` which runs the tests passes on; a `make` in a test must not get them.
OUTER_MAKE = ("MAKE", "MFLAGS")


def environment(**extra: str) -> dict[str, str]:
    """Return a user's environment: this Python first, no variable that changes libraries."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DVC_", "MLFLOW_", "GIT_", "PYTEST_", *ARITHMETIC, *OUTER_MAKE))
    }
    path = f"{Path(sys.executable).parent}{os.pathsep}{ours.get('PATH', '')}"
    who = {"NAME": "A User", "EMAIL": "user@example.com"}
    people = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()}
    return ours | people | {"PATH": path, "PYTHONWARNINGS": ""} | extra


class Checkout:
    """A clone of the repository, with the working tree's files, in a folder of its own."""

    def __init__(self, path: Path, **variables: str) -> None:
        self.path = path
        self.variables = variables

    def __call__(self, *command: str, ok: bool = True, **variables: Any) -> str:
        """Run a command in the clone and return its output. ok: if it must succeed, or fail."""
        done = subprocess.run(
            command,
            cwd=self.path,
            env=environment(**self.variables, **variables),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert (done.returncode == 0) is ok, f"{command}: {done.returncode}\n{done.stdout}"
        return done.stdout

    def stage(self, name: str, ok: bool = True, **variables: str) -> str:
        """Run a stage by itself."""
        return self("python", "-m", f"pipeline.{name}", ok=ok, **variables)

    def status(self) -> str:
        """Return the output of `git status`: nothing if every byte is as committed."""
        return self("git", "status", "--porcelain")

    def runs(self) -> list["TrackedRun"]:
        """Return the runs of the experiment that are not superseded, oldest first."""
        return [run for run in self.all_runs() if "superseded_by" not in run.tags]

    def all_runs(self) -> list["TrackedRun"]:
        """Return all runs of the experiment, oldest first."""
        return tracked_runs(self.path)


def wait_for_queue(checkout: Checkout) -> str:
    """Wait until each queued experiment has succeeded; return the output of `dvc queue status`."""

    def over() -> str | None:
        status = checkout("dvc", "queue", "status")
        return None if re.search(r"Running|Queued", status) else status

    status = eventually(over)
    assert "Failed" not in status, status
    return status


class TrackedRun:
    """A run in MLflow, with the properties that tests need."""

    def __init__(self, client: Any, run: Any) -> None:
        self.client = client
        self.id = run.info.run_id
        self.name = run.info.run_name
        self.status = run.info.status
        self.params: Mapping[str, str] = run.data.params
        self.metrics: Mapping[str, float] = run.data.metrics
        self.tags: Mapping[str, str] = run.data.tags
        self.inputs = run.inputs.dataset_inputs if run.inputs else []
        self.models = run.outputs.model_outputs if run.outputs else []

    def md5s(self) -> dict[str, str]:
        """Return the md5 of each output of its result, by path."""
        outs: dict[str, str] = json.loads(self.tags["outputs"])
        return outs

    def losses(self) -> list[tuple[int, float]]:
        """Return steps and values of the loss."""
        return [(m.step, m.value) for m in self.client.get_metric_history(self.id, "loss")]

    def artifact(self, name: str) -> bytes:
        """Return an artifact's bytes, fetched through MLflow."""
        return Path(self.client.download_artifacts(self.id, name)).read_bytes()

    def model_file(self) -> bytes:
        """Return the bytes of the logged model's ONNX file."""
        import mlflow.artifacts

        (model,) = self.models
        where = self.client.get_logged_model(model.model_id).artifact_location
        return Path(mlflow.artifacts.download_artifacts(f"{where}/model.onnx")).read_bytes()


def tracked_runs(root: Path, experiment: str = "abline") -> list[TrackedRun]:
    """Return the runs in the store at `root`, oldest first."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{root}/mlflow.db")
    tracked = client.get_experiment_by_name(experiment)
    assert tracked is not None, "there is no such experiment in the store"
    runs = client.search_runs([tracked.experiment_id], order_by=["attributes.start_time ASC"])
    return [TrackedRun(client, run) for run in runs]


def wait_for_losses(root: Path) -> None:
    """Wait until a training has logged its first losses in the store at `root`."""
    # Not through MLflow: a client that finds an unfinished store would make it as well.
    store = f"{(root / 'mlflow.db').as_uri()}?mode=ro"

    def logged() -> bool:
        with suppress(sqlite3.OperationalError), closing(sqlite3.connect(store, uri=True)) as db:
            return bool(db.execute("SELECT count(*) FROM metrics").fetchone()[0])
        return False

    eventually(logged)


def free_port() -> int:
    """Return a port of this machine that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def served(server: HTTPServer) -> Iterator[str]:
    """Answer requests in a thread during the block; yield the server's address."""
    with server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def stopping(process: "subprocess.Popen[str]") -> Iterator[None]:
    """End the process if the block fails."""
    try:
        yield
    except BaseException:
        process.kill()
        process.communicate()
        raise


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a repository with one commit: the working tree, with its uncommitted changes."""
    path = tmp_path_factory.mktemp("origin") / "abline"
    listed = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        text=True,
    )
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path / name)
    checkout = Checkout(path)
    checkout("git", "init", "--quiet", "--initial-branch=main")
    checkout("git", "add", "--all")
    checkout("git", "commit", "--quiet", "--message=the working tree")
    return path


@pytest.fixture
def clone(origin: Path, tmp_path: Path) -> Clone:
    """Return a function that clones the repository into a folder of the given name."""

    def make(name: str) -> Checkout:
        subprocess.run(["git", "clone", "--quiet", origin, tmp_path / name], check=True)
        return Checkout(tmp_path / name)

    return make


WIDE: dict[str, Any] = {
    "data__features": ["size", "age", "rooms"],
    "data__generate__x": None,
    "data__generate__rows": 50,
    "data__generate__weight": [[2.0], [-1.0], [0.5]],
    "data__generate__bias": [1.0],
    "evaluate__queries": [],
    "train__lr": 0.001,
}


def make(asked: Params) -> None:
    """Run the computing stages of a job in the working directory: no pictures, no run."""
    from pipeline import evaluate, export, generate, train

    with patch.object(evaluate, "draw"), patch.object(train, "live_run"):
        for stage in (generate, train, evaluate, export):
            stage.main(asked)


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty working directory with the files that the stages read: no clone, no git."""
    for name in ("params.yaml", "dvc.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    for folder in ("pipeline", "modules"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return tmp_path
