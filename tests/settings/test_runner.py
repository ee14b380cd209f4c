"""However a program of ours ends, it says so in one line, and a terminal shows what it says."""

import os
import re
import select
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import ROOT, Checkout, environment, job_text

from pipeline import generate
from pipeline.settings import params, terminal
from pipeline.settings.environment import PORTABLE

IMPORTED = b"import time:"
"""How a line begins that `python -X importtime` prints when a module has been imported."""


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
MOMENTS = [0, 100, 500, 900, 1150, 1250]


@pytest.mark.parametrize("imports", MOMENTS)
def test_ctrl_c_while_a_program_imports(endless: None, imports: int) -> None:
    status, told = interrupted_after(imports, "train", signal.SIGINT)
    assert re.fullmatch(r"stopped: (train|the program) was ended by SIGINT .*", told)
    assert status == 130


@pytest.mark.slow
@pytest.mark.parametrize("imports", range(0, 2200, 110))
@pytest.mark.parametrize("program", ["train", "export", "track"])
def test_ctrl_c_at_any_moment_of_the_imports(endless: None, program: str, imports: int) -> None:
    status, told = interrupted_after(imports, program, signal.SIGINT)
    # Without the result of the stage before it a program may have ended by itself.
    stopped = rf"stopped: ({program}|the program) was ended by SIGINT .*"
    assert re.fullmatch(stopped, told) or status == 1
    assert "Traceback" not in told
    assert status in (1, 130)


def started(code: str, **variables: str) -> "subprocess.Popen[str]":
    """Start a program of ours that does `code`."""
    lines = [
        "import signal, sys, time",
        "from pipeline.settings import runner, signals",
        "from pipeline.settings.errors import UserError",
        code,
    ]
    Path("pipeline/of_a_test.py").write_text("\n".join(lines))
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.of_a_test"],
        env=environment(**variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def ended(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    """Exit status, standard output and standard error."""
    output, errors = process.communicate()
    return process.returncode, output, errors


WAITING = """
    print("waits", flush=True)
    while True:
        time.sleep(0.01)
"""

# As where a library waits for a thread of its own: no signal ends that.
DEAF = """
import ctypes
pthread, mutex = ctypes.CDLL(None), ctypes.create_string_buffer(64)
signals.DEAF = 4
with runner.program():
    pthread.pthread_mutex_lock(mutex)
    print("waits", flush=True)
    pthread.pthread_mutex_lock(mutex)
"""

STUCK = """
signals.CLEANING = 4
with runner.program():
    try:
        print("waits", flush=True)
        time.sleep(3600)
    finally:
        time.sleep(3600)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("code", [f"with runner.program():{WAITING}", DEAF, STUCK])
def test_one_signal_ends_a_program(workspace: Path, code: str, number: signal.Signals) -> None:
    """Whether its main thread computes, waits in a library, or hangs while it cleans up."""
    process = started(code)
    assert process.stdout is not None
    assert process.stdout.readline() == "waits\n"
    process.send_signal(number)
    status, _, told = ended(process)
    assert status == 128 + number
    assert told.startswith(f"stopped: of_a_test was ended by {number.name}")
    assert told.count("\n") == 1


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


# What they print.


def into(output: int, *command: str, **variables: str) -> tuple[int, str]:
    """Run a program whose standard output is a file descriptor: its exit status and its errors."""
    done = subprocess.run(
        [sys.executable, "-m", *command],
        env=environment(**variables),
        stdout=output,
        stderr=subprocess.PIPE,
        text=True,
    )
    return done.returncode, done.stderr


SAYS_MUCH = "with runner.program():\n    print('line\\n' * 100_000)"
SAYS_LITTLE = "with runner.program():\n    print('line')"
PROGRAMS = ["check --schema", "onnx_model.contract", SAYS_MUCH, SAYS_LITTLE]


def program(text: str) -> list[str]:
    """A command for a program of ours by its name and options, or by what it does."""
    if "runner.program" not in text:
        return f"pipeline.{text}".split(" ")
    started(text).communicate()
    return ["pipeline.of_a_test"]


@pytest.mark.parametrize("text", PROGRAMS)
def test_a_reader_that_has_read_enough(workspace: Path, text: str) -> None:
    """As in `… | head`."""
    command = program(text)
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert into(writer, *command) == (141, "")
    finally:
        os.close(writer)


def test_work_that_is_done_needs_no_reader(workspace: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        command = program(f"{SAYS_LITTLE}\nrunner.leave()")
        assert into(writer, *command, PYTHONUNBUFFERED="") == (0, "")
    finally:
        os.close(writer)


@pytest.mark.parametrize("text", [*PROGRAMS, f"{SAYS_LITTLE}\nrunner.leave()"])
def test_an_output_that_takes_no_more(workspace: Path, text: str) -> None:
    command = program(text)
    with Path("/dev/full").open("w") as full:
        status, told = into(full.fileno(), *command)
    assert status == 1
    assert told.startswith("error: standard output: No space left on device")
    assert told.count("\n") == 1


def test_errors_that_nobody_reads_stop_nothing(workspace: Path) -> None:
    process = started(
        "with runner.program():\n    print('warning', file=sys.stderr)\n    print('done')"
    )
    assert process.stderr is not None
    process.stderr.close()
    assert process.stdout is not None
    assert process.stdout.read() == "done\n"
    process.stdout.close()
    assert process.wait() == 0


def test_a_name_that_the_output_has_no_letters_for(workspace: Path) -> None:
    """The run is written by then, and must not be told to have failed."""
    code = "with runner.program():\n    print('größe 🏃')"
    assert ended(started(code, PYTHONIOENCODING="ascii")) == (0, "gr\\xf6\\xdfe \\U0001f3c3\n", "")
    assert ended(started(code, PYTHONIOENCODING="utf-8")) == (0, "größe 🏃\n", "")


def test_nothing_is_printed_that_a_terminal_obeys(workspace: Path) -> None:
    reply = "\x1b]0;title\x07 \x9b31m \u202eabc\u2028 \u200b \ufeff \r over"
    shown = terminal.visible(reply)
    assert shown.isprintable()
    assert shown.startswith("\\x1b]0;title\\x07 \\x9b31m \\u202eabc\\u2028 ")
    assert terminal.visible("größe\t表 🏃\n") == "größe\t表 🏃\n"
    code = f"with runner.program():\n    print({reply!r})\n    raise UserError({reply!r})"
    assert ended(started(code)) == (1, f"{shown}\n", f"error: {shown}\n")


def test_a_progress_bar_stays_on_its_line(workspace: Path) -> None:
    code = "with runner.program():\n    for n in '12': print(f'\\r{n}', end='', file=sys.stderr)"
    process = started(code)
    _, told = process.communicate()
    assert told.encode() in (b"\r1\r2", b"\n1\n2")  # as universal newlines have it


@pytest.mark.parametrize("portable", [True, False])
def test_a_stage_computes_with_the_kernels_that_train_portable_asks_for(
    workspace: Path, portable: bool
) -> None:
    """A change of runner.py runs no stage again: so this holds that it prepares the environment."""
    Path("params.yaml").write_text(job_text(train__portable=portable))
    names = list(PORTABLE)
    process = started(
        f"import os\nrunner.run(lambda _: print([os.environ.get(name) for name in {names}]))",
        **dict.fromkeys(names, "as it was"),
    )
    values = list(PORTABLE.values()) if portable else ["as it was"] * len(names)
    assert ended(process) == (0, f"{values}\n", "")


def test_a_notebook_does_not_choose_how_to_draw(workspace: Path) -> None:
    """Its terminals inherit its backend, which Matplotlib refuses outside of it."""
    inline = "module://matplotlib_inline.backend_inline"
    process = started("import pipeline.report.plots\nprint('drawn')", MPLBACKEND=inline)
    assert ended(process) == (0, "drawn\n", "")


def test_a_notebook_that_imports_the_code_draws_as_before() -> None:
    code = "import os, pipeline; print(os.environ['MPLBACKEND'])"
    inline = "module://matplotlib_inline.backend_inline"
    told = subprocess.check_output(
        [sys.executable, "-c", code], env=environment(MPLBACKEND=inline), cwd=ROOT, text=True
    )
    assert told.strip() == inline


def test_an_output_that_is_full_for_now_is_waited_for() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    stream = terminal._File(writer, "wb")
    while select.select([], [writer], [], 0)[1]:
        stream.write(bytes(4096))
    with ThreadPoolExecutor(1) as pool:
        written = pool.submit(stream.write, b"x")
        while not os.read(reader, 4096).endswith(b"x"):
            pass
        assert written.result() == 1
    stream.close()
    os.close(reader)


def test_another_copy_of_the_code_is_refused(workspace: Path) -> None:
    """Python would take the one that is installed, and say nothing."""
    checkout = Checkout(workspace, PYTHONSAFEPATH="1")
    told = checkout("python", "-m", "pipeline.check", ok=False)
    assert re.match(
        r"error: Python would run \S+, another copy than the `pipeline` of this f", told
    )
    assert told.count("\n") == 1
    # In a folder without one there is no doubt.
    Path("elsewhere").mkdir()
    checkout.path = workspace / "elsewhere"
    assert "no such file" in checkout("python", "-m", "pipeline.check", ok=False)
