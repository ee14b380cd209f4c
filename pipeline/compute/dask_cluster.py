"""The threads of a Dask cluster as a pool: the same tasks, on the workers of several machines."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

from distributed import Client, KilledWorker

from pipeline.compute import dask_worker
from pipeline.compute.dask_worker import named
from pipeline.compute.pool import Pool, Work
from pipeline.compute.summarize import Fragment
from pipeline.settings.errors import UserError

SECONDS_TO_CONNECT = 5.0
SECONDS_TO_ANSWER = 10.0
SECONDS_WITHOUT_WORKERS = 60.0
"""A worker whose memory was full, or whose machine restarts, comes back within a minute."""
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
        self._without_workers: float | None = None

    def prepare(self, fragments: Iterable[Fragment]) -> None:
        """Raise UserError if workers do not see the files of fragments; see Pool."""
        files = (fragment.file for fragment in fragments)
        # One of each folder: a table may have ten thousand files.
        one_of_each = list({file.parent: file for file in files if file is not None}.values())
        answers = self._ask(lambda: self._client.run(dask_worker.unseen, one_of_each))
        unseen = [
            f"{name}: {file}"
            for address, name in self._workers().items()
            for file in answers.get(address, ())
        ]
        if unseen:
            raise UserError(dask_worker.unshared(unseen))
        counts = f"{_count(len(answers), 'worker')}, {_count(self.threads, 'thread')}"
        _note(f"computing on the Dask cluster {self._address}: {counts}")

    def submit(self, work: Work[Known], fragment: Fragment, row_groups: range) -> Future[Known]:
        """Let a thread of a worker call `work`; see Pool."""
        compute = partial(dask_worker.compute, NEEDED, work)
        return self.executor.submit(compute, fragment, row_groups)

    def check(self) -> None:
        """Raise UserError if the scheduler has gone, or all workers for a minute; see Pool."""
        workers = self._state()["workers"].values()
        if any(worker["status"] == "running" for worker in workers):
            self._without_workers = None
            return
        what = "is left" if not workers else f"of {len(workers)} computes: memory is full"
        if self._without_workers is None:
            self._without_workers = time.monotonic()
            seconds = f"{SECONDS_WITHOUT_WORKERS:.0f} s"
            _note(f"no worker {what}; waiting {seconds} for one")
        elif time.monotonic() - self._without_workers > SECONDS_WITHOUT_WORKERS:
            raise UserError(
                f"no worker of the Dask cluster {self._address} {what}{self.log()}\nstart workers"
                " (`dask worker`), with more memory if theirs was full, and run the stage again"
            )

    def check_environments(self) -> None:
        """Raise UserError if the scheduler or workers have other versions than this process."""
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
            raise UserError(dask_worker.refusal(refused))

    def log(self) -> str:
        """Return the last lines that tell of trouble in the logs of the cluster, indented."""
        lines: list[str] = []
        with suppress(Exception):  # there may be nobody to answer
            logs = self._ask(lambda: self._client.get_worker_logs(nanny=True))
            logs = {f"nanny of {name}": log for name, log in logs.items()}
            logs["scheduler"] = self._ask(lambda: self._client.get_scheduler_logs())
            for name, log in logs.items():
                trouble = [text for level, text in log if level in ("WARNING", "ERROR", "CRITICAL")]
                lines += [f"  {name}: {text}" for text in reversed(trouble[:LINES_OF_LOG])]
        return "".join(f"\n{line}" for line in lines)

    def _workers(self) -> dict[str, str]:
        """Return the workers as messages call them, by address."""
        workers = self._state()["workers"].items()
        return {address: named(address, worker["name"]) for address, worker in workers}

    def _state(self) -> dict[str, Any]:
        """Ask the scheduler for its workers. Raises UserError if it does not answer."""
        client = self._client
        state: dict[str, Any] = self._ask(
            lambda: client.sync(client.scheduler.identity, callback_timeout=SECONDS_TO_ANSWER)
        )
        return state

    def _ask(self, question: Callable[[], Answer]) -> Answer:
        """Return the answer of the cluster. Raises UserError if the scheduler does not answer."""
        try:
            return question()
        except (OSError, TimeoutError) as error:
            raise UserError(gone(self._address, error)) from None


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """Yield the workers of the cluster of a scheduler. address: of the scheduler.

    Raises UserError if the scheduler does not answer, has no worker, or has workers with other
    versions; in the block, if the cluster is lost.
    """
    for name in ("distributed", "distributed.client", "distributed.core"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # our messages say it
    try:
        client = Client(address, timeout=SECONDS_TO_CONNECT, set_as_default=False)
    except Exception as error:
        raise UserError(
            f"DASK_SCHEDULER_ADDRESS: there is no Dask scheduler at {address}"
            f" ({str(error) or type(error).__name__}); `dask scheduler` starts one and shows its"
            " address, `unset DASK_SCHEDULER_ADDRESS` lets this machine compute"
        ) from None
    try:
        with suppress(TimeoutError):
            client.wait_for_workers(1, timeout=SECONDS_TO_CONNECT)
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        if not workers:
            raise UserError(
                f"DASK_SCHEDULER_ADDRESS: the Dask cluster {address} has no worker; `dask worker"
                f" {address}` starts one, `unset DASK_SCHEDULER_ADDRESS` lets this machine compute"
            )
        cluster = Cluster(client, address, sum(worker["nthreads"] for worker in workers))
        cluster.check_environments()
        try:
            yield cluster
        except CancelledError as error:
            raise UserError(gone(address, error)) from None
        except KilledWorker as error:
            raise UserError(killed(error, cluster.log())) from None
    finally:
        with suppress(Exception):  # the scheduler may have gone
            client.close(timeout=SECONDS_TO_CONNECT)


def gone(address: str, error: Exception) -> str:
    """Return the message about a scheduler that does not answer any more."""
    return (
        f"the Dask scheduler {address} does not answer any more ({type(error).__name__}); look into"
        " its log, start it and its workers again, and run the stage again"
    )


def killed(error: KilledWorker, log: str) -> str:
    """Return the message about a task whose workers die. log: lines of the cluster's logs."""
    worker = error.last_worker
    return (
        f"the same task ended {error.allowed_failures + 1} workers, at last"
        f" {named(worker.address, worker.name)}{log}\nmost often a worker has too little memory"
        " for its threads: give workers more (`dask worker --memory-limit`) or fewer threads"
        " (`--nthreads`), and run the stage again; the whole log is where the worker was started"
    )


def reason(answer: object) -> str:
    """Return why a process that was asked for its environment is refused, or ""."""
    if isinstance(answer, dict):
        return dask_worker.differences(answer, NEEDED)
    if isinstance(answer, ModuleNotFoundError):
        what = "abline" if answer.name == "pipeline" else answer.name
        return f"{what} is not installed"
    return f"{type(answer).__name__}: {answer}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _note(text: str) -> None:
    print(f"note: {text}", file=sys.stderr, flush=True)
