"""Workers in processes of their own: whatever happens to them, the same bytes or a message."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import HERE, ROOT, environment, eventually, stopping
from dask_processes import Processes, cluster, die, die_once, fill_memory, wait_for

from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import Plan, RowCounts
from pipeline.compute import dask_cluster, own_rows, written
from pipeline.compute.draws import DrawnFolds, Side
from pipeline.compute.mapping import CLUSTER
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tables import table
from pipeline.tables.table import Table

pytestmark = pytest.mark.slow

PATHS: dict[Side, Path] = {"train": files.TRAIN, "test": files.TEST}
NAMES = ("a", "y")


@pytest.fixture
def tables(workspace: Path) -> Path:
    """Return a folder with a training table of three row groups and a test table of one."""
    for path, rows in ((files.TRAIN, 150_000), (files.TEST, 1_000)):
        numbers = np.random.default_rng(rows).standard_normal((rows, 2))
        table.write(path, Table(NAMES, np.asfortranarray(numbers)))
    return workspace


def sum_up() -> dict[str, str]:
    """Sum up the tables, write what generate writes, and return the md5 of each file."""
    counts = RowCounts(source=151_000, dropped={}, training=150_000, test=1_000)
    column = NumberColumn(name="a", missing_rows=0, fill=None, indicator=False, min=-9, max=9)
    plan = Plan(rows=counts, excluded=(), columns=(column,))
    known, layout = own_rows.summarized(PATHS, plan, ("y",), seed=0, folds=DrawnFolds(0, 5))
    written.write(known, layout, table.schema(files.TRAIN))
    outputs = (files.SUMMARY, files.SAMPLE)
    return {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in outputs}


def work(monkeypatch: pytest.MonkeyPatch, running: Processes, done: Callable[..., Any]) -> None:
    """Let the workers do something else than to sum up."""
    monkeypatch.setenv(CLUSTER, running.address)
    monkeypatch.setattr(own_rows, "summarize", done)


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_one_is_killed_and_the_bytes_are_the_same(
    workers: int, tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A single worker is started again by its nanny."""
    here = sum_up()
    with cluster(tmp_path, workers) as running:
        monkeypatch.setenv(CLUSTER, running.address)
        assert sum_up() == here
        flag = tmp_path / "killed"
        work(monkeypatch, running, partial(die_once, flag))
        files.SUMMARY.unlink()
        assert sum_up() == here
        assert flag.exists()


def refusal() -> str:
    """Sum up, which must fail and leave no file; return the message."""
    with pytest.raises(UserError) as refused:
        sum_up()
    assert not files.SUMMARY.exists()
    assert not files.SAMPLE.exists()
    return str(refused.value)


def test_a_task_that_ends_every_worker_ends_the_stage_with_their_log(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cluster(tmp_path, workers=2, failures=1) as running:
        work(monkeypatch, running, die)
        message = refusal()
    assert message.startswith("the same task ended 2 workers, at last worker tcp://127.0.0.1:")
    assert "was killed by signal 9" in message
    assert message.endswith("the whole log is where the worker was started")


def test_a_worker_out_of_memory_is_named_so(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cluster(tmp_path, workers=0, failures=0) as running:
        running.add_worker("small", "--memory-limit", "600MB")
        work(monkeypatch, running, fill_memory)
        message = refusal()
    assert "exceeded 95% memory budget" in message
    assert "(small)" in message


def test_when_no_worker_is_left_it_waits_a_while(
    tables: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(dask_cluster, "SECONDS_WITHOUT_WORKERS", 1.0)
    with cluster(tmp_path, workers=0) as running:
        running.add_worker("alone", "--no-nanny")
        work(monkeypatch, running, die)
        message = refusal()
    assert "note: no worker is left; waiting 1 s for one\n" in capsys.readouterr().err
    assert message.startswith(f"no worker of the Dask cluster {running.address} is left")


def test_a_scheduler_that_is_killed_is_noticed_within_seconds(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with cluster(tmp_path, workers=1) as running:
        work(monkeypatch, running, partial(wait_for, tmp_path))
        submit = dask_cluster.Cluster.submit

        def submit_and_kill(*task: Any) -> Any:
            future = submit(*task)
            eventually((tmp_path / "started").exists)
            running.scheduler.kill()
            return future

        monkeypatch.setattr(dask_cluster.Cluster, "submit", submit_and_kill)
        begin = time.monotonic()
        message = refusal()
        (tmp_path / "go").touch()
    assert message.startswith(f"the Dask scheduler {running.address} does not answer any more")
    assert time.monotonic() - begin < 300


def test_workers_with_other_code_or_without_it_are_refused_by_name(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, none = tmp_path / "other", tmp_path / "none"
    shutil.copytree(ROOT / "pipeline", other / "pipeline")
    with (other / "pipeline/exact/gram.py").open("a") as file:
        file.write("# edited\n")
    (none / "pipeline").mkdir(parents=True)
    absent = "raise ModuleNotFoundError(\"No module named 'pipeline'\", name='pipeline')\n"
    (none / "pipeline/__init__.py").write_text(absent)
    with cluster(tmp_path, workers=1) as running:
        running.add_worker("edited", FIRST_PATH=str(other))
        running.add_worker("bare", FIRST_PATH=str(none))
        monkeypatch.setenv(CLUSTER, running.address)
        message = refusal()
    lines = message.splitlines()
    assert len(lines) == 4, "the scheduler and w1 are as here"
    assert any("(edited): the code of abline " in line and "(here " in line for line in lines)
    assert any(line.endswith("(bare): abline is not installed") for line in lines)


PROGRAM = """
import sys
from functools import partial
from pathlib import Path
import dask_processes
import test_dask_workers
from pipeline.compute import own_rows
from pipeline.settings import runner
own_rows.summarize = partial(dask_processes.wait_for, Path(sys.argv[1]))
with runner.program():
    test_dask_workers.sum_up()
"""


def test_ctrl_c_leaves_a_cluster_that_works(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = sum_up()
    for path in (files.SUMMARY, files.SAMPLE):
        path.unlink()
    with cluster(tmp_path, workers=2) as running:
        paths = os.pathsep.join(map(str, (ROOT, HERE, Path(__file__).parent)))
        program = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, tmp_path],
            env=environment(PYTHONPATH=paths, **{CLUSTER: running.address}),
            stderr=subprocess.PIPE,
            text=True,
        )
        with stopping(program):
            eventually((tmp_path / "started").exists)
            program.send_signal(signal.SIGINT)
            _, told = program.communicate()
        assert program.returncode == 130, told
        assert told.splitlines()[-1].startswith("stopped: ")
        assert not files.SUMMARY.exists()
        (tmp_path / "go").touch()
        monkeypatch.setenv(CLUSTER, running.address)
        assert sum_up() == here
