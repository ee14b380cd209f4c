"""Running a stage or another program: checks before its work, messages and exit status after it."""

import argparse
import errno
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from pipeline.settings import declared, environment, inputs, processes, signals, terminal
from pipeline.settings import params as params_yaml
from pipeline.settings.errors import EditedError, UserError
from pipeline.settings.params import Params


def run(main: Callable[[Params], None]) -> NoReturn:
    """Run a stage's `main` as a program: see `program`. It has no options."""
    module = sys.modules["__main__"]
    name = Path(str(module.__file__)).stem
    parser = argparse.ArgumentParser(
        prog=f"python -m pipeline.{name}",
        description=module.__doc__,
        epilog="It has no options: params.yaml says what to do. `dvc repro` runs it where needed.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    # Before it starts a stage, DVC removes the outputs of the last result, which it can restore.
    # Not `git checkout params.yaml`, which would destroy settings that are nowhere else.
    undo = (
        "\nto go back instead: `dvc exp apply NAME` (`dvc exp list` has the names), or undo what"
        " you changed by hand, then `dvc repro`"
    )
    undo = undo if "DVC_STAGE" in os.environ else ""
    with program(undo, "`dvc repro` runs it again"):
        processes.end_when_abandoned()
        declared_as = os.environ.get("DVC_STAGE", name)
        inputs.note(declared_as if declared_as in declared.stages() else name)
        params = params_yaml.load()
        declared.check(params_yaml.flatten(params))
        environment.prepare(portable=params.train.portable)
        main(params)
        inputs.check_at_end()
    leave()


@contextmanager
def program(undo: str = "", stopped: str = "", again: str = "`dvc repro`") -> Iterator[None]:
    """Run the work of a program in the block: a mistake of the user's is one message on stderr.

    The process then ends with exit status 1, after Ctrl-C with 130 and after SIGTERM with 143, as a
    shell expects. undo: how to go back, added to a message. stopped: what to do if a signal has
    ended the program before its result; a note of the exception replaces it. again: see `told`.
    """
    signals.end_cleanly()
    try:
        try:
            yield
        except (UserError, OSError, MemoryError) as error:
            signals.ignore()  # a second message would add nothing
            advice = f"\ncorrect it and run the same command again{undo}" if undo else ""
            if isinstance(error, EditedError):
                advice = ""
            print(f"error: {told(error, again)}{advice}", file=sys.stderr)
            leave(1)
    except KeyboardInterrupt as stop:
        number = signals.number_of(stop)
        ended_by = signal.Signals(number).name
        (helps,) = getattr(stop, "__notes__", [stopped])[-1:]
        helps = helps and f" before it wrote a result; {helps}"
        print(f"stopped: {signals.name()} was ended by {ended_by}{helps}{undo}", file=sys.stderr)
        leave(128 + number)


def leave(status: int = 0) -> NoReturn:
    """End a program that has done its work, at once.

    Python's own ending destroys torch object by object, which takes a quarter of a second; and one
    of a hundred processes in which Arrow has read a file in a thread aborts while Arrow's threads
    end.
    """
    signals.ignore()
    lost = terminal.flush()
    # If nobody reads the output, the work is done all the same; a full disk is a failure.
    os._exit(status or (0 if lost == terminal.UNREAD else lost))


def told(error: Exception, again: str = "`dvc repro`") -> str | None:
    """Message for an error that the user can fix: what is wrong, and the likely fix.

    again: the command to run after the fix. None if the error is a bug of ours.
    """
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        cure = _DISK.get(error.errno or 0, "put right what is there and run {again} again")
        return f"{where}{error.strerror or error}; {cure.format(again=again)}"
    if isinstance(error, MemoryError):
        return f"out of memory ({error}); use fewer rows or columns"
    return None


_DISK = {
    errno.ENOSPC: "free some space and run {again} again",
    errno.EDQUOT: "free some of your quota and run {again} again",
    errno.EROFS: "work in a copy of the repository that can be written to",
    errno.EACCES: "make the file or its folder writable and run {again} again",
    errno.EPERM: "make the file or its folder writable and run {again} again",
}
