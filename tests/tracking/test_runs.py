"""Runs in the store: runs whose processes are gone, and values as a run takes them."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace as Namespace
from typing import Any
from unittest.mock import MagicMock

import pytest
from conftest import tracked_runs

from pipeline.settings import processes
from pipeline.tracking import runs, store
from pipeline.tracking.tags import RECORDER_PROCESS, RESULT, RESULT_ID, TRAINING_PROCESS

HERE = processes.identity()
GONE = HERE.replace(f" {HERE.split(' ')[2]} ", " 4194303 ")


def a_run(status: str, tags: Mapping[str, str]) -> Any:
    """Return a run with these tags."""
    return Namespace(info=Namespace(status=status), data=Namespace(tags=tags))


@pytest.mark.slow
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


@pytest.mark.parametrize(
    ("status", "tags", "expected"),
    [
        ("RUNNING", {TRAINING_PROCESS: GONE, RECORDER_PROCESS: GONE}, True),
        ("RUNNING", {TRAINING_PROCESS: GONE, RECORDER_PROCESS: HERE}, False),
        ("RUNNING", {TRAINING_PROCESS: HERE, RECORDER_PROCESS: GONE}, False),
        ("RUNNING", {TRAINING_PROCESS: "not an identity", RECORDER_PROCESS: GONE}, False),
        ("RUNNING", {}, False),  # perhaps another program writes it
        ("KILLED", {}, True),
        ("KILLED", {RECORDER_PROCESS: HERE}, False),
        ("FAILED", {TRAINING_PROCESS: GONE}, False),
        ("KILLED", {TRAINING_PROCESS: GONE, RESULT: "0" * 32}, False),
        ("KILLED", {TRAINING_PROCESS: GONE, RESULT_ID: "an id"}, False),
    ],
)
def test_only_a_run_that_no_process_writes_is_taken_up(
    status: str, tags: dict[str, str], expected: bool
) -> None:
    """Two writers in one run would log epochs twice; a result's run must stay as it is."""
    assert runs.is_cut_short(a_run(status, tags)) is expected


def test_no_batch_is_larger_than_mlflow_takes_and_nothing_is_lost() -> None:
    client = MagicMock()
    opened: Any = Namespace(client=client, uri="sqlite:///mlflow.db")
    runs.log_params(opened, "id", {f"key {number}": number for number in range(250)})
    batches = [call.kwargs["params"] for call in client.log_batch.call_args_list]
    assert [len(batch) for batch in batches] == [100, 100, 50]
    assert [param.value for batch in batches for param in batch] == list(map(str, range(250)))
    client.reset_mock()
    runs.log_losses(opened, "id", [(epoch, 0.5, None, 7) for epoch in range(1, 1501)])
    runs.log_losses(opened, "id", [(1501, 0.5, 0.25, 8)])
    batches = [call.kwargs["metrics"] for call in client.log_batch.call_args_list]
    assert [len(batch) for batch in batches] == [1000, 500, 2]
    assert [metric.step for batch in batches[:2] for metric in batch] == list(range(1, 1501))
    last = [(metric.key, metric.value, metric.timestamp, metric.step) for metric in batches[2]]
    assert last == [("loss", 0.5, 8, 1501), ("test_loss", 0.25, 8, 1501)]


def test_a_parameter_that_is_too_long_for_a_table_says_how_long_it_is() -> None:
    assert runs.param_text("adam") == "adam"
    assert runs.param_text([["ü"], None]) == '[["ü"], null]'
    assert runs.param_text("x" * 501) == "x" * 500 + "... (501 characters)"
