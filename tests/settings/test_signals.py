"""However a signal ends a program, it says so in one line, and it ends soon."""

import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import environment, job_text
from programs import ended, started

from pipeline import generate
from pipeline.settings import params, signals

IMPORTED = b"import time:"
"""Begin of a line that `python -X importtime` prints when a module has been imported."""


def interrupted_after(imports: int, program: str, number: signal.Signals) -> tuple[int, str]:
    """Send a signal to a program as soon as it has imported so many modules after `pipeline`.

    The program itself tells how far it is; one that imports no more for ten seconds is past its
    imports, and is interrupted where it is. Returns its exit status and what it said.
    """
    with subprocess.Popen(
        [sys.executable, "-X", "importtime", "-m", f"pipeline.{program}"],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stderr is not None
        source, text = process.stderr.fileno(), b""
        while select.select([source], [], [], 10)[0] and (piece := os.read(source, 2**16)):
            text += piece
            lines = text.splitlines()
            names = [line.split(b"|")[-1].strip() for line in lines]
            if b"pipeline" not in names:
                continue
            after = lines[names.index(b"pipeline") + 1 :]
            if len(after) >= imports or not all(line.startswith(IMPORTED) for line in after):
                break
        process.send_signal(number)
        text += process.stderr.read()
    said = [line for line in text.splitlines() if not line.startswith(IMPORTED)]
    return process.returncode, b"\n".join(said).decode()


@pytest.fixture
def endless(workspace: Path) -> None:
    """A training that goes on for hours."""
    text = job_text(train__epochs=10**7, train__lr=1e-9)
    Path("params.yaml").write_text(text)
    generate.main(params.parse(text))


# Of about 2,000 modules: torch, whose set-up aborts if an exception comes out of it, comes between
# 400 and 1,200, and what it imports when it is first used after that.
MOMENTS = [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (100, 500, 900, 1150, 1250))]


@pytest.mark.parametrize("imports", MOMENTS)
def test_ctrl_c_while_a_program_imports(endless: None, imports: int) -> None:
    status, told = interrupted_after(imports, "train", signal.SIGINT)
    assert re.fullmatch(r"stopped: (train|the program) was ended by Ctrl-C .*", told)
    assert status == 130


@pytest.mark.slow
@pytest.mark.parametrize("imports", range(0, 2200, 110))
@pytest.mark.parametrize("program", ["train", "export", "track"])
def test_ctrl_c_at_any_moment_of_the_imports(endless: None, program: str, imports: int) -> None:
    status, told = interrupted_after(imports, program, signal.SIGINT)
    # Without the result of the stage before it a program may have ended by itself.
    stopped = rf"stopped: ({program}|the program) was ended by Ctrl-C .*"
    assert re.fullmatch(stopped, told) or status == 1
    assert "Traceback" not in told
    assert status in (1, 130)


WAITING = """
    print("waits", flush=True)
    while True:
        time.sleep(0.01)
"""

# As where a library waits for a thread of its own: no signal ends that.
IN_A_LIBRARY = """
import ctypes
pthread, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
signals.TICKS_WITHOUT_REACTION = 4
with runner.program():
    pthread.pthread_mutex_lock(mutex)
    print("waits", flush=True)
    pthread.pthread_mutex_lock(mutex)
"""

WHILE_CLEANING_UP = """
signals.TICKS_TO_CLEAN_UP = 4
with runner.program():
    try:
        print("waits", flush=True)
        time.sleep(3600)
    finally:
        time.sleep(3600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize(
    "code", [f"with runner.program():{WAITING}", IN_A_LIBRARY, WHILE_CLEANING_UP]
)
def test_one_signal_ends_a_program(workspace: Path, code: str, number: signal.Signals) -> None:
    """Its main thread may compute, wait in a library, or hang while it cleans up."""
    process = started(code)
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"
    process.send_signal(number)
    status, _, told = ended(process)
    assert status == 128 + number
    assert told.startswith(f"stopped: of_a_test was ended by {signals.cause(number)}")
    assert told.count("\n") == 1


AS_IT_BEGINS = """
begin = signals._Ending.begin
def begin_and_end(self):
    begin(self)
    signal.raise_signal(NUMBER)
signals._Ending.begin = begin_and_end
with runner.program():
    print("it worked")
"""

AFTER_ITS_END = """
with runner.program():
    pass
signal.raise_signal(NUMBER)
print("it worked")
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("code", [AS_IT_BEGINS, AFTER_ITS_END], ids=["begins", "ended"])
def test_a_signal_in_the_instructions_around_the_work(
    workspace: Path, code: str, number: signal.Signals
) -> None:
    status, worked, told = ended(started(code.replace("NUMBER", str(int(number)))))
    assert status == 128 + number
    assert told.startswith(f"stopped: of_a_test was ended by {signals.cause(number)}")
    assert told.count("\n") == 1
    assert not worked


def test_a_signal_in_the_middle_of_an_import_waits_for_its_end(workspace: Path) -> None:
    """An exception there may abort the process in C++, or be dropped by Python."""
    Path("imported.py").write_text(
        "import signal\nsignal.raise_signal(signal.SIGTERM)\nprint('whole', flush=True)\n"
    )
    status, told, _ = ended(started(f"with runner.program():\n    import imported{WAITING}"))
    assert told.startswith("whole\n")
    assert status == 128 + signal.SIGTERM


def test_a_program_that_is_to_outlive_its_terminal_does(workspace: Path) -> None:
    """`nohup` ignores SIGHUP for what it starts, a shell SIGINT for its jobs."""
    ignored = (signal.SIGHUP, signal.SIGINT)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in ignored}
    try:
        process = started(f"with runner.program():{WAITING}")
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"
    for number in (*ignored, signal.SIGTERM):
        process.send_signal(number)
    status, _, told = ended(process)
    assert status == 128 + signal.SIGTERM
    assert "SIGTERM" in told
