"""A terminal shows what a program prints, and no reader of its output can harm it."""

import os
import select
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import environment
from programs import ended, started

from pipeline.settings import terminal


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
