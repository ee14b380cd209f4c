"""A cluster in this process: the same sums as here, and a message for whatever is missing."""

import gc
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from conftest import free_port, job
from distributed import LocalCluster
from own_tables import put
from summed_tables import RowsInMemory, content, count, layout, make_rows, summed, tasks

from pipeline import generate
from pipeline.compute import dask_cluster, dask_worker, mapping
from pipeline.compute.mapping import CLUSTER, reduced
from pipeline.compute.pool import PoolError
from pipeline.compute.summarize import Fragment, Partial, no_rows
from pipeline.settings import files
from pipeline.settings.errors import UserError


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """Return the address of a cluster of two workers, threads of this process."""
    with local_cluster(2) as cluster:
        yield cluster.scheduler_address


def local_cluster(workers: int) -> Any:
    return LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=False, dashboard_address="127.0.0.1:0"
    )


@pytest.fixture(autouse=True)
def short_times(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping, "SECONDS_BETWEEN_CHECKS", 0.05)
    monkeypatch.setattr(dask_cluster, "SECONDS_WITHOUT_WORKERS", 0.2)


def sum_there(address: str, work: Any, rows: RowsInMemory | None = None) -> Partial:
    """Sum up rows on a cluster."""
    divided = tasks(10, 2) if rows is None else [replace(tasks(10, 2)[0], fragment=rows)]
    with dask_cluster.connected(address) as cluster:
        return reduced(divided, work, no_rows(layout(), make_rows().schema), cluster)


def refuse(fragment: Fragment, row_groups: range) -> Partial:
    """Refuse rows: a work for a worker."""
    raise UserError("t.parquet: damaged")


def fill_memory(fragment: Fragment, row_groups: range) -> Partial:
    """Need more memory than there is: a work for a worker."""
    raise MemoryError("1 TB")


def miscalculate(fragment: Fragment, row_groups: range) -> Partial:
    """Make a mistake of ours: a work for a worker."""
    raise ZeroDivisionError


def test_the_workers_of_a_cluster_give_the_same_sums(
    scheduler: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(CLUSTER, scheduler)
    with mapping.workers() as cluster:
        assert cluster.threads == 2
        there = summed(cluster)
    assert content(there) == content(summed(None))
    told = f"note: computing on the Dask cluster {scheduler}: 2 workers, 2 threads\n"
    assert capsys.readouterr().err == told


@pytest.mark.parametrize(
    ("work", "reason", "kind"),
    [
        (refuse, "t.parquet: damaged", UserError),
        # Not of the rows: nobody need read them all to tell it in their order.
        (fill_memory, "out of memory (1 TB)", PoolError),
    ],
)
def test_a_mistake_on_a_worker_is_the_same_message_with_its_name(
    scheduler: str, work: Any, reason: str, kind: type[UserError]
) -> None:
    with pytest.raises(UserError) as refused:
        sum_there(scheduler, work)
    assert type(refused.value) is kind
    message, _, place = str(refused.value).rpartition("\n")
    assert message.startswith(reason)
    assert place.startswith("(on worker inproc://")


def test_a_mistake_of_ours_stays_one(scheduler: str) -> None:
    with pytest.raises(ZeroDivisionError):
        sum_there(scheduler, miscalculate)


def test_the_cluster_can_be_used_after_a_mistake(scheduler: str) -> None:
    with pytest.raises(UserError):
        sum_there(scheduler, refuse)
    assert sum_there(scheduler, count).rows == 1_000


def test_a_file_that_a_worker_does_not_see(scheduler: str, tmp_path: Path) -> None:
    """All workers are named before any task is sent."""
    missing = tmp_path / "train.parquet"
    with pytest.raises(UserError) as refused:
        sum_there(scheduler, refuse, RowsInMemory(10, file=missing))
    first, *workers, advice = str(refused.value).splitlines()
    assert first == "these workers of the Dask cluster do not see the rows:"
    assert len(workers) == 2
    assert all(line.startswith("  worker inproc://") for line in workers)
    assert all(line.endswith(f": {missing}") for line in workers)
    assert "under the same path" in advice


def test_a_file_that_a_worker_does_not_see_any_more(
    scheduler: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that came later was not asked."""
    monkeypatch.setattr(dask_cluster.Cluster, "prepare", lambda *_: None)
    with pytest.raises(UserError, match=r"do not see the rows:\n  worker inproc://"):
        sum_there(scheduler, refuse, RowsInMemory(10, file=tmp_path / "train.parquet"))


def test_other_versions_are_refused_with_both(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = {**dask_worker.ENVIRONMENT, "numpy": "3.1.4", "the code of abline": "0123"}
    # The workers of this process have the module's; a copy of it is asked here.
    monkeypatch.setattr(dask_cluster, "NEEDED", here)
    with pytest.raises(UserError) as refused:
        sum_there(scheduler, count)
    first, *processes, advice = str(refused.value).splitlines()
    assert first == "these processes of the Dask cluster would not give the promised bytes:"
    assert len(processes) == 3
    assert processes[0].startswith("  the scheduler: numpy ")
    assert all("(here 3.1.4), the code of abline " in line for line in processes)
    assert "unset DASK_SCHEDULER_ADDRESS" in advice


def test_a_worker_that_comes_later_with_other_versions_is_refused(
    scheduler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dask_cluster, "NEEDED", {"numpy": "3.1.4"})
    monkeypatch.setattr(dask_cluster.Cluster, "check_environments", lambda *_: None)
    with pytest.raises(UserError, match=r"bytes:\n  worker inproc://.*: numpy .* \(here 3.1.4\)"):
        sum_there(scheduler, count)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ModuleNotFoundError("No module named 'pipeline'"), "abline is not installed"),
        (Exception("ModuleNotFoundError(\"No module named 'flint'\")"), "flint is not installed"),
        (
            ModuleNotFoundError("No module named 'pipeline.compute'"),
            "another version of abline, without pipeline.compute",
        ),
        (OSError("timed out"), "OSError: timed out"),
        (dask_worker.environment(), ""),
    ],
)
def test_why_a_process_is_refused(answer: object, reason: str) -> None:
    assert dask_cluster.reason(answer) == reason


@pytest.fixture
def no_garbage() -> Iterator[None]:
    """Remove a client that could not connect: if the loop of the next one did, both would wait."""
    yield
    gc.collect()


@pytest.mark.usefixtures("no_garbage")
def test_a_scheduler_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "SECONDS_TO_CONNECT", 0.2)
    address = f"tcp://127.0.0.1:{free_port()}"
    monkeypatch.setenv(CLUSTER, address)
    with pytest.raises(UserError) as refused:
        mapping.check_cluster()
    assert str(refused.value) == (
        f"DASK_SCHEDULER_ADDRESS: there is no Dask scheduler at {address} (Timed out trying to"
        f" connect to {address} after 0.2 s); `dask scheduler` starts one and shows its address,"
        " `unset DASK_SCHEDULER_ADDRESS` lets this machine compute"
    )


@pytest.mark.usefixtures("no_garbage")
@pytest.mark.parametrize("address", ["no such scheme://x", "nowhere.invalid:8786", "127.0.0.1:x"])
def test_an_address_that_is_none(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "SECONDS_TO_CONNECT", 0.2)
    monkeypatch.setenv(CLUSTER, address)
    with pytest.raises(UserError, match=f"there is no Dask scheduler at {address}"):
        mapping.check_cluster()


def test_a_cluster_without_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask_cluster, "SECONDS_TO_CONNECT", 0.2)
    with local_cluster(0) as cluster:
        monkeypatch.setenv(CLUSTER, cluster.scheduler_address)
        with pytest.raises(UserError, match=r"has no worker; `dask worker inproc://"):
            mapping.check_cluster()


def test_a_small_table_is_summed_up_here(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(CLUSTER, "tcp://127.0.0.1:1")
    mapping.note_small_table()
    assert capsys.readouterr().err == (
        "note: a small table is summed up here, not on DASK_SCHEDULER_ADDRESS\n"
    )


@pytest.mark.parametrize(
    "chosen",
    [
        {"data__test_fraction": 0.2},
        {"data__test_fraction": {"by": "a"}, "data__folds": {"number": 3, "by": "level"}},
    ],
    ids=["row by row", "by columns"],
)
def test_rows_that_stay_where_they_are_are_summed_up_there(
    chosen: dict[str, Any],
    scheduler: str,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A median and levels are learnt there, too."""
    numbers = np.random.default_rng(0)
    for part in range(3):
        columns = {name: pa.array(numbers.standard_normal(1_000)) for name in ("a", "y")}
        columns["level"] = pa.array(numbers.choice(["low", "high", "middle"], 1_000))
        put(pa.table(columns), f"parts/{part}.parquet")
    features = {"a": {"kind": "number", "missing": "median"}, "level": {"kind": "category"}}
    asked = job(
        data__source="data/raw/parts",
        data__features=features,
        data__targets=["y"],
        data__keep_rows=False,
        evaluate__queries=[],
        **chosen,
    )
    written = {}
    for address in ("", scheduler):
        monkeypatch.setenv(CLUSTER, address)
        generate.main(asked)
        outputs = (files.SUMMARY, files.SAMPLE, files.COLUMNS)
        written[address] = [path.read_bytes() for path in outputs]
    assert written[scheduler] == written[""]
    assert capsys.readouterr().err.count("note: computing on the Dask cluster") == 1
