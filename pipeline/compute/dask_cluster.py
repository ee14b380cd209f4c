"""The threads of a Dask cluster as a pool: the same tasks, on the workers of several machines."""

import logging
import re
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from distributed import Client, KilledWorker

from pipeline.compute import dask_worker
from pipeline.compute.dask_worker import named
from pipeline.compute.pool import Pool, PoolError, Work
from pipeline.compute.summarize import Fragment
from pipeline.settings.messages import count

SECONDS_TO_CONNECT = 5.0
SECONDS_TO_ANSWER = 10.0
SECONDS_WITHOUT_WORKERS = 60.0
"""A worker whose memory was full, or whose machine restarts, comes back within a minute."""
NANNIES_TO_ASK = 5
LINES_OF_LOG = 15
NEEDED = dask_worker.ENVIRONMENT
"""The environment that the scheduler and all workers must have, which is that of this process."""

Known = TypeVar("Known")
Answer = TypeVar("Answer")


class Cluster(Pool):
    """The workers of a Dask cluster.

    address: of the scheduler, as the user wrote it.
    """

    def __init__(self, client: Client, address: str, threads: int) -> None:
        # Not pure: tasks of an earlier run, of the same name, are not this run's.
        super().__init__(client.get_executor(pure=False), threads)
        self._client = client
        self._address = address
        self._told = False
        self._seen = set[Path]()
        self._known: dict[str, Any] = {}
        self._running = set[str]()
        self._without_workers: float | None = None

    def prepare(self, fragments: Iterable[Fragment]) -> None:
        """Raise PoolError if workers do not see the files of fragments; see Pool."""
        files = (fragment.file for fragment in fragments)
        # One of each folder: a table may have ten thousand files.
        one_of_each = {file.parent: file for file in files if file is not None}
        asked = [file for folder, file in one_of_each.items() if folder not in self._seen]
        if self._told and not asked:
            return
        answers = self._ask(lambda: self._client.run(dask_worker.unseen, asked))
        unseen = [
            f"{name}: {file}"
            for address, name in self._workers().items()
            for file in answers.get(address, ())
        ]
        if unseen:
            raise PoolError(dask_worker.unshared(unseen))
        if not self._told:
            self._told = True
            counts = f"{count(len(answers), 'worker')}, {count(self.threads, 'thread')}"
            _note(f"computing on the Dask cluster {self._address}: {counts}")
        self._seen |= one_of_each.keys()

    def submit(self, work: Work[Known], fragment: Fragment, row_groups: range) -> Future[Known]:
        """Let a thread of a worker call `work`; see Pool."""
        compute = partial(dask_worker.compute, NEEDED, work)
        return self.executor.submit(compute, fragment, row_groups)

    def check(self) -> None:
        """Raise PoolError if the scheduler has gone, or all workers for a minute; see Pool."""
        workers = self._state().values()
        if any(worker["status"] == "running" for worker in workers):
            self._without_workers = None
            return
        what = "is left" if not workers else f"of {len(workers)} computes: memory is full"
        if self._without_workers is None:
            self._without_workers = time.monotonic()
            seconds = f"{SECONDS_WITHOUT_WORKERS:.0f} s"
            _note(f"no worker {what}; waiting {seconds} for one")
        elif time.monotonic() - self._without_workers > SECONDS_WITHOUT_WORKERS:
            raise PoolError(
                f"no worker of the Dask cluster {self._address} {what}{self.log()}\nstart workers"
                " (`dask worker`), with more memory if theirs was full, and run the stage again"
            )

    def check_environments(self) -> None:
        """Raise PoolError if the scheduler or workers have other versions than this process."""
        run_there: Any = self._client.run_on_scheduler
        answers: dict[str, object] = {}
        try:
            answers["the scheduler"] = self._ask(lambda: run_there(dask_worker.environment))
        except Exception as error:
            answers["the scheduler"] = error
        there = self._ask(lambda: self._client.run(dask_worker.environment, on_error="return"))
        names = self._workers()
        answers |= {names.get(address, address): answer for address, answer in there.items()}
        refused = [
            f"{process}: {why}" for process, answer in answers.items() if (why := reason(answer))
        ]
        if refused:
            raise PoolError(dask_worker.refusal(refused))

    def log(self) -> str:
        """Return what the nannies of the workers that have gone say of it, a line each, indented.

        A nanny is the process that starts a worker, watches its memory, and starts it again.
        """
        with suppress(PoolError):
            self._workers()
        # By nanny: one that has lost several workers is asked once.
        gone = {w["nanny"]: w["name"] for a, w in self._known.items() if a not in self._running}
        lines: list[str] = []
        for nanny, name in [*gone.items()][-NANNIES_TO_ASK:]:
            with suppress(Exception):  # it may have gone, too
                ask = partial(self._client.rpc(nanny).get_logs, n=LINES_OF_LOG)
                log = self._client.sync(ask, callback_timeout=SECONDS_TO_CONNECT)
                told = [text for level, text in log if level != "INFO" or "killed by" in text]
                lines += [f"\n  nanny of {name}: {text}" for text in reversed(told)]
        return "".join(lines)

    def _workers(self) -> dict[str, str]:
        """Return the workers as messages call them, by address."""
        workers = self._state()
        return {address: named(address, worker["name"]) for address, worker in workers.items()}

    def _state(self) -> dict[str, Any]:
        """Ask the scheduler for its workers, by address. Raises PoolError if it is silent."""
        client = self._client
        state = self._ask(
            lambda: client.sync(client.scheduler.identity, callback_timeout=SECONDS_TO_ANSWER)
        )
        workers: dict[str, Any] = state["workers"]
        self._known |= workers
        self._running = set(workers)
        return workers

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        """Return the answer of the cluster. Raises PoolError if the scheduler does not answer."""
        try:
            return question()
        except (OSError, TimeoutError) as error:
            raise PoolError(gone(self._address, f"{error or type(error).__name__}")) from None


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Yield the workers of the cluster of a scheduler. address: of the scheduler.

    Raises PoolError if the scheduler does not answer, has no worker, or has workers with other
    versions; in the block, if the cluster is lost.
    """
    for name in ("distributed", "distributed.client", "distributed.core"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # our messages say it
    try:
        client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except Exception as error:
        raise PoolError(
            f"DASK_SCHEDULER_ADDRESS: there is no Dask scheduler at {address}"
            f" ({str(error) or type(error).__name__}); `dask scheduler` starts one and shows its"
            " address, `unset DASK_SCHEDULER_ADDRESS` lets this machine compute"
        ) from None
    try:
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        if not workers:
            raise PoolError(
                f"DASK_SCHEDULER_ADDRESS: the Dask cluster {address} has no worker; `dask worker"
                f" {address}` starts one, `unset DASK_SCHEDULER_ADDRESS` lets this machine compute"
            )
        cluster = Cluster(client, address, sum(worker["nthreads"] for worker in workers))
        cluster.check_environments()
        try:
            yield cluster
        except CancelledError:
            raise PoolError(gone(address, "the connection was lost")) from None
        except KilledWorker as error:
            raise PoolError(killed(error, cluster.log())) from None
    finally:
        with suppress(Exception):  # the scheduler may have gone
            client.close(timeout=SECONDS_TO_CONNECT)


def gone(address: str, why: str) -> str:
    """Return the message about a scheduler that does not answer any more."""
    return (
        f"the Dask scheduler {address} does not answer any more ({why}); look into its log, start"
        " it and its workers again, and run the stage again"
    )


def killed(error: KilledWorker, log: str) -> str:
    """Return the message about a task whose workers die. log: lines of their logs."""
    worker = error.last_worker
    return (
        f"the same task ended {count(error.allowed_failures + 1, 'worker')}, at last"
        f" {named(worker.address, worker.name)}{log}\nmost often a worker has too little memory"
        " for its threads: give workers more (`dask worker --memory-limit`) or fewer threads"
        " (`--nthreads`), and run the stage again; the whole log is where the worker was started"
    )


def reason(answer: object) -> str:
    """Return why a process that was asked for its environment is refused, or ""."""
    if isinstance(answer, dict):
        return dask_worker.differences(answer, NEEDED)
    # The error comes as itself, or as text in another one.
    if missing := re.search(r"No module named '([\w.]+)'", str(answer)):
        name = missing[1]
        if name.startswith("pipeline."):
            return f"another version of abline, without {name}"
        return f"{'abline' if name == 'pipeline' else name} is not installed"
    return f"{type(answer).__name__}: {answer}"


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr, flush=True)
