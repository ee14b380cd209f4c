"""Which process is which: whether one that wrote its name somewhere is still there.

A process id alone is used again after a while, and means nothing on another machine.
"""

import os
import socket
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")


def identity(pid: int | None = None) -> str:
    """A process of this machine, this one by default: host, boot, process id and start."""
    pid = pid or os.getpid()
    return f"{socket.gethostname()} {_boot()} {pid} {_start(pid)}"


def is_gone(process: str) -> bool:
    """Whether a process called by its `identity` has ended, as far as can be seen from here.

    Another host's never has: it cannot be seen. Nor one of another container on this host.
    """
    host, boot, pid, start = process.split(" ")
    if host != socket.gethostname():
        return False
    kernel, _, space = boot.partition("/")
    our_kernel, _, our_space = _boot().partition("/")
    if kernel != our_kernel:
        return True  # before this machine was started anew
    return space == our_space and _start(int(pid)) != start


def _boot() -> str:
    """The machine's last start, and the name space that process ids are counted in."""
    with suppress(OSError):
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(PROC / 'self/ns/pid').readlink()}"
    return "-"


def _start(pid: int) -> str:
    """When a process started; "gone" if it has ended, though nobody may have taken note of it."""
    try:
        # Ticks since the boot: seconds since 1970 would change when the clock is set.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return "gone" if fields[0] in "ZX" else fields[19]
    except FileNotFoundError:
        if PROC.joinpath("self").exists():
            return "gone"
    import psutil  # only here: where there is /proc, nobody waits for it

    with suppress(psutil.Error):
        found = psutil.Process(pid)
        if found.status() != psutil.STATUS_ZOMBIE:
            return f"{found.create_time():.0f}"
    return "gone"
