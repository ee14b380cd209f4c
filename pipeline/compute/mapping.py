"""The same function over all row groups of a table, on threads or on another executor."""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass

from tqdm import tqdm

from pipeline.compute.summarize import Fragment, Layout, Partial, summarize
from pipeline.exact import cores

ROW_GROUPS_IN_TASK = 64
"""Most row groups of one task: opening a file of many row groups costs time for each task."""
TASKS_FOR_THREAD = 8
"""A thread beside another busy program gets less done, so there are more tasks than threads."""
MOST_THREADS = 8


@dataclass(frozen=True)
class Task:
    """Some row groups of a fragment, and the number of rows in them."""

    fragment: Fragment
    row_groups: range
    rows: int


def tasks_of(fragment: Fragment, rows_of: Sequence[int], workers: int) -> list[Task]:
    """Divide a fragment into tasks. rows_of: number of rows of each row group."""
    size = max(1, min(ROW_GROUPS_IN_TASK, len(rows_of) // (workers * TASKS_FOR_THREAD)))
    return [
        Task(fragment, groups, sum(rows_of[group] for group in groups))
        for start in range(0, len(rows_of), size)
        if (groups := range(start, min(start + size, len(rows_of))))
    ]


def reduced(
    tasks: Sequence[Task], layout: Layout, nothing: Partial, executor: Executor | None
) -> Partial:
    """Return what is known of the rows of all tasks.

    nothing: what is known of no rows. executor: None to compute in this thread.
    Each task is added once: adding integers is exact, but adding one twice is an error, so the
    numbers of rows are compared.
    Raises UserError if rows cannot be read.
    """
    rows = sum(task.rows for task in tasks)
    whole, done = nothing, set[int]()
    with tqdm(
        total=rows, desc="summing up", unit=" rows", unit_scale=True, delay=1, disable=None
    ) as bar:
        for number, partial in _completed(tasks, layout, executor):
            assert number not in done
            assert partial.rows == tasks[number].rows
            done.add(number)
            whole += partial
            bar.update(partial.rows)
    assert whole.rows == rows, f"{whole.rows} of {rows} rows"
    return whole


def _completed(
    tasks: Sequence[Task], layout: Layout, executor: Executor | None
) -> Iterator[tuple[int, Partial]]:
    """Yield the number of each task with its result, as they come."""
    if executor is None:
        for number, task in enumerate(tasks):
            yield number, summarize(task.fragment, task.row_groups, layout)
        return
    # Few are submitted at a time: their results wait in memory to be added.
    most_waiting = 2 * MOST_THREADS
    waiting: dict[Future[Partial], int] = {}
    coming = iter(enumerate(tasks))
    try:
        while True:
            for number, task in coming:
                future = executor.submit(summarize, task.fragment, task.row_groups, layout)
                waiting[future] = number
                if len(waiting) == most_waiting:
                    break
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                yield waiting.pop(future), future.result()
    finally:
        for future in waiting:
            future.cancel()


@contextmanager
def threads() -> Iterator[tuple[ThreadPoolExecutor, int]]:
    """Yield an executor with a thread for each core, and their number; one BLAS thread in each."""
    count = min(cores.available(), MOST_THREADS)
    pool = ThreadPoolExecutor(count)
    try:
        with cores.one_blas_thread():
            yield pool, count
    finally:
        # A program that is asked to end cannot wait for a disk that does not answer.
        pool.shutdown(wait=False, cancel_futures=True)
