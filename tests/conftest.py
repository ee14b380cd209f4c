"""Jobs to run, clones to run them in, and a look into the store that they leave behind."""

import inspect
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import chdir, closing, contextmanager, suppress
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, TypeVar
from unittest.mock import patch

import pytest
import yaml

from pipeline.settings import params as params_yaml
from pipeline.settings.params import Params

pytest_plugins = ["stores"]

# A shell that starts the tests in the background has Ctrl-C ignored, by all that they start, too;
# nohup does the same with the signal of a terminal that closes.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)

HERE = Path(__file__).parent
ROOT = HERE.parent

Found = TypeVar("Found")

Clone = Callable[[str], "Checkout"]

GENEROUS = 900
"""Seconds after which a test gives up waiting. Long: a machine may do much else at the same time,
and no test is about time."""


def eventually(event: Callable[[], Found | None]) -> Found:
    """Wait until `event` gives something true, and return it. It may fail by itself."""
    deadline = time.monotonic() + GENEROUS
    while not (found := event()):
        assert time.monotonic() < deadline, "what the test waits for has not come"
        time.sleep(0.05)
    return found


def job(**changes: Any) -> Params:
    """The tutorial's job with other values: job(train__lr=0.02) is train.lr."""
    return params_yaml.parse(job_text(**changes))


def job_text(**changes: Any) -> str:
    """See `job`; the text of its params.yaml."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    for key, value in changes.items():
        *sections, name = key.split("__")
        place = values
        for section in sections:
            place = place[section]
        assert name in place, key
        place[name] = value
    return yaml.safe_dump(values)


HIDDEN = [*"\t\x1b\x85\u00ad\u200b\u200d\u2028\u202e\u2066\ufeff"]
"""Characters that a name must not have, wherever it is written."""

# All that NumPy chooses among, beyond what every x86-64 processor of the last fifteen years has.
NUMPY_OFF = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"

# What libraries let a machine say about its processor: an emulated one is another.
ARITHMETIC = ("OPENBLAS_", "OMP_", "MKL_", "NPY_", "ATEN_")

# What a `make` that runs the tests hands down: a `make` in a test would take it for its own.
OUTER_MAKE = ("MAKE", "MFLAGS")


def environment(**extra: str) -> dict[str, str]:
    """The environment of a stage's user: this Python first, nothing that libraries listen to."""
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
    """A clone of the repository, as it is in the working tree, in a folder of its own."""

    def __init__(self, path: Path, **variables: str) -> None:
        self.path = path
        self.variables = variables

    def __call__(self, *command: str, ok: bool = True, **variables: Any) -> str:
        """Run a command in the clone: what it printed. It must succeed, or must not."""
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
        """What `git status` has to say; nothing if every byte is as committed."""
        return self("git", "status", "--porcelain")

    def runs(self) -> list["TrackedRun"]:
        """The runs of the experiment, oldest first, superseded ones left out."""
        return [run for run in self.all_runs() if "superseded_by" not in run.tags]

    def all_runs(self) -> list["TrackedRun"]:
        """The runs of the experiment, oldest first."""
        return tracked_runs(self.path)


def wait_for_queue(checkout: Checkout) -> str:
    """Wait until every queued experiment has ended, with success: what `dvc queue status` says."""

    def over() -> str | None:
        told = checkout("dvc", "queue", "status")
        return None if re.search(r"Running|Queued", told) else told

    told = eventually(over)
    assert "Failed" not in told, told
    return told


class TrackedRun:
    """A run as MLflow gives it, reduced to what tests ask."""

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
        """The md5 of each output of its result, by path."""
        outs: dict[str, str] = json.loads(self.tags["outputs"])
        return outs

    def losses(self) -> list[tuple[int, float]]:
        """Steps and values of the loss."""
        return [(m.step, m.value) for m in self.client.get_metric_history(self.id, "loss")]

    def artifact(self, name: str) -> bytes:
        """An artifact's bytes, fetched through MLflow."""
        return Path(self.client.download_artifacts(self.id, name)).read_bytes()

    def model_file(self) -> bytes:
        """The ONNX file of the logged model."""
        import mlflow.artifacts

        (model,) = self.models
        where = self.client.get_logged_model(model.model_id).artifact_location
        return Path(mlflow.artifacts.download_artifacts(f"{where}/model.onnx")).read_bytes()


def tracked_runs(root: Path, experiment: str = "abline") -> list[TrackedRun]:
    """The runs in the store at `root`, oldest first."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{root}/mlflow.db")
    found = client.get_experiment_by_name(experiment)
    assert found is not None, "there is no such experiment in the store"
    runs = client.search_runs([found.experiment_id], order_by=["attributes.start_time ASC"])
    return [TrackedRun(client, run) for run in runs]


def wait_for_losses(root: Path) -> None:
    """Wait until a training has logged its first losses in the store at `root`."""
    # Not through MLflow: a client that meets a store in the making would make it too.
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
def stopping(process: "subprocess.Popen[str]") -> Iterator[None]:
    """See to it that a failure in the block does not leave the process behind."""
    try:
        yield
    except BaseException:
        process.kill()
        process.communicate()
        raise


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository whose one commit is the working tree, changes not committed yet included."""
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
    """Clone the repository into a folder of the given name."""

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


def _models(place: Path, **changes: Any) -> Path:
    for name in ("dvc.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, place / name)
    shutil.copytree(ROOT / "pipeline", place / "pipeline")
    with chdir(place):
        make(job(**WIDE | changes))
    return place / "models"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """models/ of a job with three features, for clients."""
    return _models(tmp_path_factory.mktemp("wide"))


@pytest.fixture(scope="session")
def answering(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of a job that asks for all outputs there are."""
    return _models(
        tmp_path_factory.mktemp("answering"),
        data__generate__noise=0.5,
        train__optimizer="exact",
        export__outputs=["prediction", "interval", "in_range"],
    )


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory with what the stages read: no clone, no git."""
    for name in ("params.yaml", "dvc.yaml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "pipeline", tmp_path / "pipeline")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    return tmp_path


# Tests that start no process are the fast ones, which `make check` runs.

STARTING = {"subprocess", "multiprocessing", "sync_playwright"}
"""Names in the code of whatever starts a process."""
STARTED_BY = {"pipeline.tracking.live", "pipeline.train"}
"""Modules of ours that start one. Git, which others ask, takes milliseconds and does not count."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that start a process: by what they, their fixtures and helpers name."""
    for item in items:
        if isinstance(item, pytest.Function):
            fixtures = item._fixtureinfo.name2fixturedefs.values()
            functions = [item.function, *(each[-1].func for each in fixtures)]
            seen: set[int] = set()
            if any(starts_a_process(function, seen) for function in functions):
                item.add_marker("process")


def starts_a_process(thing: object, seen: set[int]) -> bool:
    """True if `thing`, of a test's module, names what starts a process, by whatever detours."""
    if id(thing) in seen:
        return False
    seen.add(id(thing))
    if isinstance(thing, ModuleType):
        return thing.__name__ in STARTING | STARTED_BY
    if isinstance(thing, tuple | list):
        return any(starts_a_process(each, seen) for each in thing)
    if getattr(thing, "__module__", "") in STARTED_BY:
        return True
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if isinstance(thing, type):
        methods = [each for each in vars(thing).values() if inspect.isfunction(each)]
        return any(starts_a_process(each, seen) for each in methods)
    if not inspect.isfunction(thing) or HERE not in Path(thing.__code__.co_filename).parents:
        return False
    names = set(names_in(thing.__code__))
    known = (thing.__globals__[name] for name in names if name in thing.__globals__)
    return bool(names & STARTING) or any(starts_a_process(each, seen) for each in known)


def names_in(code: CodeType) -> Iterator[str]:
    """The names that a function's code uses, functions inside it included."""
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from names_in(constant)


@pytest.fixture(autouse=True)
def no_process(request: pytest.FixtureRequest) -> Iterator[None]:
    """See to it that no test starts a process that is not marked so."""
    WATCHED[:] = [] if request.node.get_closest_marker("process") else [request.node.nodeid]
    yield
    WATCHED[:] = []


WATCHED: list[str] = []
"""The test that runs, if it may start no process."""


def _refuse(event: str, arguments: tuple[object, ...]) -> None:
    if WATCHED and event == "subprocess.Popen" and arguments[0] != "git":
        raise AssertionError(
            f"{WATCHED[0]} starts a process, which conftest.starts_a_process has not foreseen:"
            f" {arguments[:2]}"
        )


sys.addaudithook(_refuse)
