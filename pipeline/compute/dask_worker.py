"""Computing a task on a worker of a Dask cluster: what runs there."""

import platform
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

import distributed
import flint
import numpy as np
import pyarrow as pa
import pydantic

from pipeline.compute import task_code
from pipeline.compute.pool import PoolError, Work
from pipeline.compute.summarize import Fragment
from pipeline.exact import cores
from pipeline.settings import runner
from pipeline.settings.errors import UserError

Known = TypeVar("Known")

# Computed while this module is imported, with the code that tasks run: a worker that is asked later
# must not hash files that have changed since.
ENVIRONMENT = {
    "Python": ".".join(platform.python_version_tuple()[:2]),
    "numpy": np.__version__,
    "pyarrow": pa.__version__,
    "python-flint": flint.__version__,
    "pydantic": pydantic.VERSION,
    "distributed": distributed.__version__,
    "the code of abline": task_code.digest()[:12],
}


def environment() -> dict[str, str]:
    """Return the versions of this process that must be the same on all machines, by name."""
    return ENVIRONMENT


def differences(there: dict[str, str], here: dict[str, str]) -> str:
    """Return how the environment of another process differs from the one needed here, or ""."""
    return ", ".join(
        f"{name} {there.get(name, 'unknown')} (here {version})"
        for name, version in here.items()
        if there.get(name) != version
    )


def unseen(files: Iterable[Path]) -> list[Path]:
    """Return the files that this machine does not see."""
    return [file for file in files if not file.exists()]


def compute(
    needed: dict[str, str], work: Work[Known], fragment: Fragment, row_groups: range
) -> Known:
    """Return what `work` finds out of some row groups, computed on a worker.

    needed: environment of the machine that adds the results. A worker may have come after the
    start, when all were asked for theirs.
    Raises PoolError if this worker has other versions, does not see the file or lacks memory,
    UserError if the rows cannot be used, EditedError if their file has changed: each with the name
    of the worker.
    """
    if different := differences(ENVIRONMENT, needed):
        raise PoolError(refusal([f"{_name()}: {different}"]))
    if fragment.file is not None and unseen([fragment.file]):
        raise PoolError(unshared([f"{_name()}: {fragment.file}"]))
    try:
        with cores.one_blas_thread():
            return work(fragment, row_groups)
    except (UserError, OSError, MemoryError) as error:
        # Without memory or a disk a worker cannot compute, whatever the rows are.
        kind = type(error) if isinstance(error, UserError) else PoolError
        raise kind(f"{runner.message(error)}\n(on {_name()})") from error


def _name() -> str:
    worker = distributed.get_worker()
    return named(worker.address, worker.name)


def named(address: str, name: object) -> str:
    """Return a worker as messages call it: its address, and its name if it has one."""
    return f"worker {address}" if name in (None, address) else f"worker {address} ({name})"


def refusal(processes: list[str]) -> str:
    """Return the message about processes of the cluster with other versions: one line each."""
    lines = "\n  ".join(processes)
    return (
        f"these processes of the Dask cluster would not give the promised bytes:\n  {lines}\n"
        "install the same commit of abline and the same requirements.txt there"
        " (docs/beyond-one-machine.md says how) and start them again; or"
        " `unset DASK_SCHEDULER_ADDRESS`, to compute here"
    )


def unshared(files: list[str]) -> str:
    """Return the message about files that workers do not see: one line each."""
    lines = "\n  ".join(files)
    return (
        f"these workers of the Dask cluster do not see the rows:\n  {lines}\n"
        "a folder that all machines share under the same path (NFS) must hold this repository; or"
        " `unset DASK_SCHEDULER_ADDRESS`, to compute here"
    )
