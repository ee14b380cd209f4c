"""The processor cores that this process may use, and BLAS limited to the thread that calls it."""

import math
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUPS = Path("/proc/self/cgroup")


def available() -> int:
    """Return the number of cores that this process may use, at least 1.

    A container may have a share of the machine's time instead of cores of its own: 1.5 cores
    are 2 threads.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS
        cores = os.cpu_count() or 1
    return max(1, min([cores, *(math.ceil(share) for share in _shares(OWN_CGROUPS, CGROUPS))]))


def _shares(own_cgroups: Path, cgroups: Path) -> Iterator[float]:
    """Yield the limits, in cores, of this process's control groups and of their parents.

    own_cgroups: the file that names them. cgroups: the folder that holds all control groups.
    """
    lines: list[str] = []
    with suppress(OSError):
        lines = own_cgroups.read_text().splitlines()
    for line in lines:
        _, controllers, name = line.split(":", 2)
        version_2 = not controllers
        if not version_2 and "cpu" not in controllers.split(","):
            continue
        root = cgroups if version_2 else cgroups / controllers
        group = root / name.lstrip("/")
        # In a container the path may be the host's, and only the root exists.
        for folder in (group, *group.parents):
            with suppress(OSError, ValueError, ZeroDivisionError):
                if version_2:
                    quota, period = (folder / "cpu.max").read_text().split()
                else:
                    quota = (folder / "cpu.cfs_quota_us").read_text()
                    period = (folder / "cpu.cfs_period_us").read_text()
                if quota != "max" and int(quota) > 0:
                    yield int(quota) / int(period)
            if folder == root:
                break


_LOCK = threading.Lock()
_limits: list[Any] = []
"""The limit that is in force, once for each thread that asked for it."""


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let BLAS compute in the calling thread alone, for many small products one after another.

    OpenBLAS's threads wait for each other in a loop that does nothing: if another program has
    one of the cores, each product takes as long as that program's turn. The limit holds for the
    whole process. Several threads may ask for it: the last one that no longer needs it lifts it.
    """
    from threadpoolctl import threadpool_limits  # takes 10 ms, and small tables do not need it

    with _LOCK:
        _limits.append(_limits[0] if _limits else threadpool_limits(1, user_api="blas"))
    try:
        yield
    finally:
        with _LOCK:
            limit = _limits.pop()
            if not _limits:
                limit.restore_original_limits()
