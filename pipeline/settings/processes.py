"""Which process is which: whether one that wrote its name somewhere is still there.

A process id alone is used again after a while, and means nothing on another machine.
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
    """A process of this machine, this one by default: host, boot, process id and start."""
    pid = pid or os.getpid()
    return f"{socket.gethostname()} {_boot()} {pid} {_start(pid)}"


def is_gone(process: str) -> bool:
    """Whether a process called by its `identity` has ended, as far as can be seen from here.

    Another host's never has: it cannot be seen. Nor one of another container on this host, nor
    what is no identity: the name comes from a store that anybody may have written to.
    """
    named = _IDENTITY.fullmatch(process)
    if named is None or named["host"] != socket.gethostname():
        return False
    boot, pid, start = named["boot"], named["pid"], named["start"]
    kernel, _, space = boot.partition("/")
    our_kernel, _, our_space = _boot().partition("/")
    if kernel != our_kernel:
        return True  # before this machine was started anew
    return space == our_space and _start(int(pid)) != start


_IDENTITY = re.compile(r"(?P<host>\S+) (?P<boot>\S+) (?P<pid>[0-9]{1,10}) (?P<start>[0-9]+)")


def mark() -> str:
    """Name this process in a few letters, for the name of a file that is its own."""
    pid = os.getpid()
    return f"{pid}-{_start(pid)}-{_machine()}"


def is_dead(mark: str) -> bool:
    """True if the process with this `mark` has ended; False if it cannot be seen."""
    pid, start, machine = mark.split("-")
    return machine == _machine() and _start(int(pid)) != start


def _machine() -> str:
    """The host, its boot and its name space of process ids, in eight letters."""
    return hashlib.md5(f"{socket.gethostname()} {_boot()}".encode()).hexdigest()[:8]


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
    except (FileNotFoundError, ProcessLookupError):
        if PROC.joinpath("self").exists():
            return "gone"
    import psutil  # only here: where there is /proc, nobody waits for it

    with suppress(psutil.Error):
        found = psutil.Process(pid)
        if found.status() != psutil.STATUS_ZOMBIE:
            return f"{found.create_time():.0f}"
    return "gone"


_noted: dict[int, str] = {}
"""Those who started this process, and when they started, if DVC is one of them."""


def note_starters() -> None:
    """Take note of who started this process, if DVC did: as early as possible.

    A stage imports for seconds, and whoever is its parent after that may be another one.
    """
    if "DVC_STAGE" in os.environ and not _noted:
        _noted.update((pid, _start(pid)) for pid in _starters())


def end_when_abandoned() -> None:
    """From now on, end this process with SIGTERM when nobody can use its result any more.

    That is when its working folder was deleted, or when DVC started it and is gone: `dvc queue kill
    -f` and the like end DVC and leave the stage. What a person starts by hand, under nohup for one,
    outlives its parent.
    """
    note_starters()
    parent = next(iter(_noted), None)

    def watch() -> None:
        while True:
            time.sleep(SECONDS_BETWEEN_LOOKS)
            if not _has_folder():
                _end("its working folder was deleted")
            # Where there is no /proc, that the parent is another one says the same.
            is_orphan = parent is not None and os.getppid() != parent
            if is_orphan or any(_start(pid) != at for pid, at in _noted.items()):
                _end("the DVC process that started it is gone")

    threading.Thread(target=watch, daemon=True, name="abandoned").start()


def _starters() -> list[int]:
    """The parent, and if that is a shell which DVC started, every process up to DVC."""
    found = [os.getppid()]
    with suppress(OSError):
        # DVC sets the variable for what it starts, and has none itself.
        while b"\0DVC_STAGE=" in b"\0" + (PROC / str(found[-1]) / "environ").read_bytes():
            fields = (PROC / str(found[-1]) / "stat").read_text().rpartition(")")[2].split()
            found.append(int(fields[1]))
    return found


def _has_folder() -> bool:
    try:
        os.getcwd()  # noqa: PTH109 - Path.cwd() is the same, and hides that the call is the point
    except FileNotFoundError:
        return False
    return True


def _end(reason: str) -> None:
    with suppress(OSError):  # whoever read it may be gone, too
        print(f"stopped: {reason}", file=sys.stderr, flush=True)
    # The main thread, because another one would not wake it.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)
    time.sleep(SECONDS_TO_END)
    os._exit(128 + signal.SIGTERM)
