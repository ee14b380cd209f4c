"""The same function over all row groups of a table, on threads here or on a cluster."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol, Self, TypeVar

from tqdm import tqdm

from pipeline.compute.pool import Pool, PoolError, Work, threads
from pipeline.compute.summarize import Fragment

MOST_ROW_GROUPS, FEWEST_ROW_GROUPS = 64, 4
"""Row groups of one task: each task opens its file, plans slices and makes integers of its sums."""
MOST_TASKS_FOR_THREAD, FEWEST_TASKS_FOR_THREAD = 8, 2
"""A thread beside another busy program gets less done, so there are more tasks than threads."""
SECONDS_BETWEEN_CHECKS = 5.0
CLUSTER = "DASK_SCHEDULER_ADDRESS"
"""Dask's own variable: the address of the scheduler of a cluster."""


class Addable(Protocol):
    """What is known of some rows; adding it up in any order gives the same."""

    @property
    def rows(self) -> int:
        """Number of rows."""

    def __add__(self, other: Self) -> Self:
        """Return what is known of the rows of both."""


Known = TypeVar("Known", bound=Addable)


@dataclass(frozen=True)
class Task:
    """Some row groups of a fragment, and the number of rows in them."""

    fragment: Fragment
    row_groups: range
    rows: int


@contextmanager
def workers(bytes_in_thread: int = 0, device: str = "cpu") -> Iterator[Pool]:
    """Yield the threads of the Dask cluster that DASK_SCHEDULER_ADDRESS names, or of this machine.

    bytes_in_thread: see `threads`, which are those of this machine. device: cuda lets its GPU
    multiply, if it has one.
    Raises PoolError if the cluster cannot compute.
    """
    if address := os.environ.get(CLUSTER):
        try:
            from pipeline.compute import dask_cluster  # half a second that most people do not need
        except ModuleNotFoundError as error:
            raise PoolError(
                f"{CLUSTER} is set, but {error.name} is not installed; `pip install -e '.[dask]'`"
                f" installs it, `unset {CLUSTER}` lets this machine compute"
            ) from None
        with dask_cluster.connected(address) as cluster:
            yield cluster
    else:
        with threads(bytes_in_thread) as pool:
            if device == "cuda":
                # Importing torch takes a second, which a table for a GPU is worth.
                from pipeline.compute import gpu_products

                pool.product = gpu_products.product()
            yield pool


def check_cluster() -> None:
    """Raise PoolError if there is a cluster that cannot compute, before a table is read for it."""
    if os.environ.get(CLUSTER):
        with workers():
            pass


def note_small_table() -> None:
    """Tell who has a cluster that a table is too small for it."""
    if os.environ.get(CLUSTER):
        print(f"note: a small table is summed up here, not on {CLUSTER}", file=sys.stderr)


def tasks_of(fragment: Fragment, rows_of: Sequence[int], threads: int) -> list[Task]:
    """Divide a fragment into tasks. rows_of: number of rows of each row group.

    threads: number of threads that will compute the tasks.
    """
    few, many = (
        len(rows_of) // (threads * tasks)
        for tasks in (MOST_TASKS_FOR_THREAD, FEWEST_TASKS_FOR_THREAD)
    )
    size = max(1, min(MOST_ROW_GROUPS, max(few, min(many, FEWEST_ROW_GROUPS))))
    return [
        Task(fragment, groups, sum(rows_of[group] for group in groups))
        for start in range(0, len(rows_of), size)
        if (groups := range(start, min(start + size, len(rows_of))))
    ]


def reduced(
    tasks: Sequence[Task],
    work: Work[Known],
    nothing: Known,
    pool: Pool | None,
    title: str = "summing up",
    note: Callable[[Task, Known], None] | None = None,
) -> Known:
    """Return what is known of the rows of all tasks.

    nothing: what is known of no rows. pool: None to compute in this thread. title: of the bar that
    shows the progress. note: is called with each task and what is known of its rows.
    Adding integers is exact in any order, but adding a task twice is an error, as is losing one, so
    the numbers of rows are compared.
    Raises UserError if rows cannot be read.
    """
    rows = sum(task.rows for task in tasks)
    whole = nothing
    with tqdm(total=rows, desc=title, unit=" rows", unit_scale=True, delay=1, disable=None) as bar:
        for task, part in _completed(tasks, work, pool):
            assert part.rows == task.rows, f"{part.rows} rows of {task}"
            if note is not None:
                note(task, part)
            whole += part
            bar.update(part.rows)
    assert whole.rows == rows, f"{whole.rows} of {rows} rows"
    return whole


def _completed(
    tasks: Sequence[Task], work: Work[Known], pool: Pool | None
) -> Iterator[tuple[Task, Known]]:
    """Yield each task with its result, as they come."""
    if pool is None:
        for task in tasks:
            yield task, work(task.fragment, task.row_groups)
        return
    pool.prepare(task.fragment for task in tasks)
    # Two for each thread: a thread need not wait for its next task, and few results wait in memory.
    most_waiting = 2 * pool.threads
    waiting: dict[Future[Known], Task] = {}
    coming = iter(tasks)
    try:
        while True:
            while len(waiting) < most_waiting and (following := next(coming, None)):
                future = pool.submit(work, following.fragment, following.row_groups)
                waiting[future] = following
            if not waiting:
                return
            ended = wait(waiting, SECONDS_BETWEEN_CHECKS, FIRST_COMPLETED).done
            if not ended:
                pool.check()
            for future in ended:
                yield waiting.pop(future), future.result()
    finally:
        for future in waiting:
            future.cancel()
