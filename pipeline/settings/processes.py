"""Identities of processes, and the end of a process whose result nobody can use.

A process id alone is not enough: it is used again after a while, and by other machines.
"""

import hashlib
import os
import re
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
SECONDS_BETWEEN_LOOKS = 1.0
SECONDS_TO_END = 90.0  # after SIGTERM: longer than `signals` gives the program to clean up


def identity(pid: int | None = None) -> str:
    """Return the identity of a process of this machine: host, boot, process id and start.

    pid: None is this process.
    """
    pid = pid or os.getpid()
    return f"{socket.gethostname()} {_boot()} {pid} {_start(pid)}"


def is_gone(process: str) -> bool:
    """True if the process with this `identity` has certainly ended.

    False for a process of another host or container, which cannot be seen from here, and for text
    that is no identity: it may come from a store that anybody can write to.
    """
    named = _IDENTITY.fullmatch(process)
    if named is None or named["host"] != socket.gethostname():
        return False
    boot, pid, start = named["boot"], named["pid"], named["start"]
    kernel, _, space = boot.partition("/")
    our_kernel, _, our_space = _boot().partition("/")
    if kernel != our_kernel:
        return True  # it ran before this machine was restarted
    return space == our_space and _start(int(pid)) != start


_IDENTITY = re.compile(r"(?P<host>\S+) (?P<boot>\S+) (?P<pid>[0-9]{1,10}) (?P<start>[0-9]+)")


def mark() -> str:
    """Return a short name of this process, for the names of files that only this process uses."""
    pid = os.getpid()
    return f"{pid}-{_start(pid)}-{_machine()}"


def is_dead(mark: str) -> bool:
    """True if the process with this `mark` has ended; False if it cannot be seen."""
    pid, start, machine = mark.split("-")
    return machine == _machine() and _start(int(pid)) != start


def _machine() -> str:
    """Return a hash of the host, its boot and its name space of process ids, in eight letters."""
    return hashlib.md5(f"{socket.gethostname()} {_boot()}".encode()).hexdigest()[:8]


def _boot() -> str:
    """Return the last boot of this machine, and the name space of process ids."""
    with suppress(OSError):
        boot = (PROC / "sys/kernel/random/boot_id").read_text().strip()
        return f"{boot}/{(PROC / 'self/ns/pid').readlink()}"
    return "-"


def _start(pid: int) -> str:
    """Return the start time of a process; "gone" if it has ended, even if it is a zombie."""
    try:
        # Ticks since the boot: seconds since 1970 would change when the clock is set.
        fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return "gone" if fields[0] in "ZX" else fields[19]
    except (FileNotFoundError, ProcessLookupError):
        if PROC.joinpath("self").exists():
            return "gone"
    import psutil  # takes 20 ms, and a system with /proc does not need it

    with suppress(psutil.Error):
        process = psutil.Process(pid)
        if process.status() != psutil.STATUS_ZOMBIE:
            return f"{process.create_time():.0f}"
    return "gone"


_noted: dict[int, str] = {}
"""Start times of the processes that started this one; empty if DVC is not among them."""


def note_starters() -> None:
    """Note the processes that started this one, if DVC is among them, as early as possible.

    A stage imports for seconds; if its parent ends meanwhile, it has another parent afterwards.
    """
    if "DVC_STAGE" in os.environ and not _noted:
        _noted.update((pid, _start(pid)) for pid in _starters())


def end_when_abandoned() -> None:
    """Start a thread that ends this process with SIGTERM when nobody can use its result any more.

    That is when the working folder was deleted, or when DVC started the process and has ended:
    `dvc queue kill -f` ends DVC and leaves the stage. A process that a person starts by hand, for
    example with nohup, outlives its parent.
    """
    note_starters()
    parent = next(iter(_noted), None)

    def watch() -> None:
        while True:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            if not _has_folder():
                _end("its working folder was deleted")
            # Without /proc, another parent is the only sign.
            is_orphan = parent is not None and os.getppid() != parent
            if is_orphan or any(_start(pid) != at for pid, at in _noted.items()):
                _end("the DVC process that started it is gone")

    threading.Thread(target=watch, daemon=True, name="abandoned").start()


def _starters() -> list[int]:
    """Return the parent, and if it is a shell that DVC started, every process up to DVC."""
    starters = [os.getppid()]
    with suppress(OSError):
        # DVC sets the variable for the processes that it starts, and does not have it itself.
        while b"\0DVC_STAGE=" in b"\0" + (PROC / str(starters[-1]) / "environ").read_bytes():
            fields = (PROC / str(starters[-1]) / "stat").read_text().rpartition(")")[2].split()
            starters.append(int(fields[1]))
    return starters


def _has_folder() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - Path.cwd() is the same, and hides that the call is the point
    except FileNotFoundError:
        return False
    return True


def _end(reason: str) -> None:
    with suppress(OSError):  # the reader may have ended, too
        print(f"stopped: {reason}", file=sys.stderr, flush=True)
    # To the main thread, because a signal to another thread would not wake it.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(SECONDS_TO_END)
    os._exit(128 + signal.SIGTERM)
