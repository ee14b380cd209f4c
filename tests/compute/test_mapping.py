"""Tasks give the same sums in any order; a task that is lost or added twice is noticed."""

import random
import sys
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import pytest
from summed_tables import (
    ROWS,
    RowsInMemory,
    content,
    count,
    inner_products,
    layout,
    make_rows,
    sample_of,
    summed,
    tasks,
)

from pipeline import compute
from pipeline.compute import mapping
from pipeline.compute.mapping import CLUSTER, reduced, tasks_of
from pipeline.compute.pool import Pool
from pipeline.compute.summarize import Fragment, Partial, no_rows
from pipeline.settings.errors import UserError


class Waiting(Pool):
    """A pool that computes nothing until it is asked why: then one task, of those that wait."""

    def __init__(self, threads: int, seed: int = 0) -> None:
        super().__init__(Executor(), threads)
        self.random = random.Random(seed)
        self.waiting: list[tuple[Future[Any], Any]] = []
        self.most = 0

    def submit(self, work: Any, fragment: Fragment, row_groups: range) -> Future[Any]:
        future: Future[Any] = Future()
        self.waiting.append((future, lambda: work(fragment, row_groups)))
        self.most = max(self.most, len(self.waiting))
        return future

    def check(self) -> None:
        future, compute = self.waiting.pop(self.random.randrange(len(self.waiting)))
        try:
            future.set_result(compute())
        except UserError as error:
            future.set_exception(error)


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mapping, "SECONDS_BETWEEN_CHECKS", 0.0)


@pytest.fixture(scope="module")
def alone() -> Partial:
    """Return the sums of one task after the other, here."""
    return summed(None)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("threads", [1, 3, 40])
def test_tasks_may_end_in_any_order(threads: int, seed: int, alone: Partial) -> None:
    assert content(summed(Waiting(threads, seed))) == content(alone)


@pytest.mark.parametrize("size", [1, 7, ROWS])
def test_rows_may_be_divided_in_any_way(size: int, alone: Partial) -> None:
    known = summed(None, size)
    assert inner_products(known) == inner_products(alone)
    assert sample_of(known) == sample_of(alone)


def test_an_executor_of_the_standard_library_will_do(alone: Partial) -> None:
    with ThreadPoolExecutor(3) as executor:
        assert content(summed(Pool(executor, 3))) == content(alone)


def test_no_thread_waits_and_few_results_do() -> None:
    pool = Waiting(threads=4)
    summed(pool)
    assert pool.most == 8


def sum_of(work: Any, pool: Pool | None = None) -> Partial:
    return reduced(tasks(10, 2), work, no_rows(layout(), make_rows().schema), pool)


def test_rows_that_are_lost_are_noticed() -> None:
    def forgetful(fragment: Fragment, groups: range) -> Partial:
        return count(fragment, groups[:1] if groups.start else groups)

    with pytest.raises(AssertionError, match=r"10 rows of Task"):
        sum_of(forgetful)


def test_rows_that_are_added_twice_are_noticed() -> None:
    def eager(fragment: Fragment, groups: range) -> Partial:
        return count(fragment, groups) + count(fragment, groups)

    with pytest.raises(AssertionError, match=r"120 rows of Task"):
        sum_of(eager)


def test_a_task_that_is_lost_or_added_twice_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    completed = mapping._completed

    def changed(change: Callable[[list[Any]], list[Any]]) -> None:
        monkeypatch.setattr(mapping, "_completed", lambda *asked: change([*completed(*asked)]))

    changed(lambda results: results[1:])
    with pytest.raises(AssertionError, match=f"^{ROWS - 60} of {ROWS} rows"):
        sum_of(count)
    changed(lambda results: [*results, results[0]])
    with pytest.raises(AssertionError, match=f"^{ROWS + 60} of {ROWS} rows"):
        sum_of(count)


def test_the_first_mistake_ends_it_and_nothing_else_is_computed() -> None:
    def refuse(fragment: Fragment, groups: range) -> Partial:
        raise UserError("damaged")

    pool = Waiting(threads=2)
    with pytest.raises(UserError, match="damaged"):
        sum_of(refuse, pool)
    assert len(pool.waiting) == 3
    assert all(future.cancelled() for future, _ in pool.waiting)


def test_ctrl_c_cancels_what_waits() -> None:
    class Interrupted(Waiting):
        def check(self) -> None:
            raise KeyboardInterrupt

    pool = Interrupted(threads=2)
    with pytest.raises(KeyboardInterrupt):
        sum_of(count, pool)
    assert len(pool.waiting) == 4
    assert all(future.cancelled() for future, _ in pool.waiting)


@pytest.mark.parametrize("threads", [1, 2, 8, 100])
@pytest.mark.parametrize("groups", [0, 1, 3, 64, 65, 5_000])
def test_each_row_group_is_in_one_task(groups: int, threads: int) -> None:
    divided = tasks_of(RowsInMemory(1), [10] * (groups - 1) + [3] if groups else [], threads)
    assert [group for task in divided for group in task.row_groups] == [*range(groups)]
    assert sum(task.rows for task in divided) == max(0, 10 * groups - 7)
    assert len(divided) >= min(groups, 2 * threads)
    assert len(divided) >= min(groups // 4, 8 * threads)
    assert all(len(task.row_groups) <= 64 for task in divided)


def test_without_a_cluster_the_threads_are_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CLUSTER, raising=False)
    mapping.check_cluster()
    with mapping.workers() as pool:
        assert isinstance(pool.executor, ThreadPoolExecutor)


def test_a_cluster_without_dask_is_a_clear_message(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CLUSTER, "tcp://127.0.0.1:1")
    monkeypatch.delitem(sys.modules, "pipeline.compute.dask_cluster", raising=False)
    monkeypatch.delattr(compute, "dask_cluster", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UserError) as refused:
        mapping.check_cluster()
    assert str(refused.value) == (
        "DASK_SCHEDULER_ADDRESS is set, but distributed is not installed; `pip install -e"
        " '.[dask]'` installs it, `unset DASK_SCHEDULER_ADDRESS` lets this machine compute"
    )
