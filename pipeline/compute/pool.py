"""Threads that compute tasks: here, or (dask_cluster) on other machines."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from pipeline.compute.summarize import Fragment
from pipeline.exact import cores
from pipeline.exact.products import Product, own_product
from pipeline.settings.errors import UserError

MOST_THREADS = 8
"""More threads of one process would mostly wait for Python's lock."""

MOST_BYTES = 200 << 20
"""Memory for the blocks of rows that the threads compute with."""

Known = TypeVar("Known")
Work = Callable[[Fragment, range], Known]
"""Function from some row groups of a fragment to what is known of their rows."""


class PoolError(UserError):
    """The threads of a pool cannot compute, whatever the rows are."""


@dataclass
class Pool:
    """An executor, the number of threads that it has in all, and what multiplies their slices."""

    executor: Executor
    threads: int
    product: Product = own_product

    def prepare(self, fragments: Iterable[Fragment]) -> None:
        """Raise PoolError if the threads cannot open the file of a fragment."""

    def submit(self, work: Work[Known], fragment: Fragment, row_groups: range) -> Future[Known]:
        """Let a thread call `work`."""
        return self.executor.submit(work, fragment, row_groups)

    def check(self) -> None:
        """Raise PoolError if nothing will be computed any more; called while no task ends."""


@contextmanager
def threads(bytes_in_thread: int = 0) -> Iterator[Pool]:
    """Yield a pool with a thread for each core of this machine; one BLAS thread in each.

    bytes_in_thread: memory that a thread needs; of wide tables fewer threads compute.
    """
    count = min(cores.available(), MOST_THREADS, max(1, MOST_BYTES // max(1, bytes_in_thread)))
    executor = ThreadPoolExecutor(count)
    try:
        with cores.one_blas_thread():
            yield Pool(executor, count)
    finally:
        # A program that is asked to end cannot wait for a disk that does not answer.
        executor.shutdown(wait=False, cancel_futures=True)
