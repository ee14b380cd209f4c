"""A Dask cluster of processes on this machine, and what its workers do in tests."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from conftest import HERE, ROOT, environment, eventually, free_port

from pipeline.compute import summarize
from pipeline.compute.summarize import Fragment, Layout, Partial
from pipeline.exact.products import Product

HOST = "127.0.0.1"


@contextmanager
def process(log: Path, *arguments: str, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a command of Dask during the block. log: the file for what it prints."""
    paths = os.pathsep.join([variables.pop("FIRST_PATH", ""), str(ROOT), str(HERE)])
    with log.open("wb") as out:
        started = subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments],
            env=environment(PYTHONPATH=paths.strip(os.pathsep), **variables),
            cwd=log.parent,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        yield started
    finally:
        # A nanny that is asked to end also ends its worker.
        started.terminate()
        started.wait()


class Processes:
    """A scheduler and its workers.

    address: of the scheduler. scheduler: its process. folder: of the logs.
    """

    def __init__(self, folder: Path, stack: ExitStack, failures: int) -> None:
        port = free_port()
        self.address = f"tcp://{HOST}:{port}"
        # Not where a test has a copy of the pipeline: the folder of a process comes first.
        self.folder = folder / "cluster"
        self.folder.mkdir()
        self._stack = stack
        self.scheduler = stack.enter_context(
            process(
                self.folder / "scheduler.log",
                *("scheduler", "--host", HOST, "--port", str(port), "--no-dashboard"),
                DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=str(failures),
            )
        )

    def add_worker(self, name: str, *options: str, **variables: str) -> None:
        """Start a worker of one thread with a nanny, and wait until the scheduler has it."""
        log = self.folder / f"{name}.log"
        arguments = ("worker", self.address, "--nthreads", "1", "--name", name, "--no-dashboard")
        place = ("--local-directory", str(self.folder), "--host", HOST)
        self._stack.enter_context(process(log, *arguments, *place, *options, **variables))
        eventually(lambda: "Registered to:" in log.read_text())


@contextmanager
def cluster(folder: Path, workers: int, failures: int = 3) -> Iterator[Processes]:
    """Run a scheduler and workers w1, w2, … during the block.

    failures: how many workers a task may end before it is given up, besides the first.
    """
    with ExitStack() as stack:
        running = Processes(folder, stack, failures)
        for number in range(1, workers + 1):
            running.add_worker(f"w{number}")
        yield running


def die_once(
    flag: Path, fragment: Fragment, row_groups: range, layout: Layout, product: Product
) -> Partial:
    """End the first worker that comes here, as a machine that fails does; then sum up rows."""
    try:
        flag.touch(exist_ok=False)
    except FileExistsError:
        return summarize.summarize(fragment, row_groups, layout, product)
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die(fragment: Fragment, row_groups: range, layout: Layout, product: Product) -> Partial:
    """End each worker that comes here."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def fill_memory(fragment: Fragment, row_groups: range, layout: Layout, product: Product) -> Partial:
    """Need more memory than the worker may have."""
    held = []
    while True:
        held.append(b"x" * 20_000_000)
        time.sleep(0.05)


def wait_for(
    folder: Path, fragment: Fragment, row_groups: range, layout: Layout, product: Product
) -> Partial:
    """Say that a worker came here, and wait until `go` is in the folder; then sum up rows."""
    (folder / "started").touch()
    eventually((folder / "go").exists)
    return summarize.summarize(fragment, row_groups, layout, product)
