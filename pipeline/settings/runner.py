"""Running a stage or another program: checks before its work, messages and exit status after it."""

import argparse
import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from pipeline.settings import declared, environment, files, inputs, processes, signals, terminal
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
    with program(_way_back, "the same command starts it again"):
        processes.end_when_abandoned()
        declared_as = os.environ.get("DVC_STAGE", name)
        inputs.note(declared_as if declared_as in declared.stages() else name)
        params = params_yaml.load()
        declared.check(params_yaml.flatten(params))
        environment.prepare(portable=params.train.portable)
        main(params)
        inputs.check_at_end()
    leave()


def _way_back() -> str:
    """Return the end of the message of a stage that failed under DVC: how to get the last result.

    DVC removes the outputs of the last result before it starts a stage, and can restore them.
    """
    try:
        # A temporary experiment leaves the last result alone.
        if "DVC_STAGE" not in os.environ or not Path.cwd().samefile(files.root()):
            return ""
    except OSError:  # the folder was deleted
        return ""
    # Not `git checkout params.yaml`, which would destroy settings that are nowhere else.
    undo = "undo your change, then `dvc repro`"
    if _has_experiments():
        undo = f"`dvc exp apply NAME` (`dvc exp list -A` has the names), or {undo}"
    return f"\nto go back instead: {undo}"


def _has_experiments() -> bool:
    """True if `dvc exp list -A` has an experiment, which is a reference of git."""
    command = ["git", "for-each-ref", "--format=%(refname)", "refs/exps"]
    try:
        # As bytes: a person may have named an experiment in any encoding.
        references = subprocess.run(command, capture_output=True).stdout
    except OSError:  # there is no git
        return False
    return re.search(rb"^refs/exps/[0-9a-f]{2}/[0-9a-f]{38}/", references, re.M) is not None


@contextmanager
def program(
    way_back: Callable[[], str] = lambda: "", stopped: str = "", again: str = "`dvc repro`"
) -> Iterator[None]:
    """Run the work of a program in the block: a mistake of the user is one message on stderr.

    The process then ends with exit status 1, after Ctrl-C with 130 and after SIGTERM with 143, as a
    shell expects. way_back: returns how to go back, for the end of a message. stopped: what to do
    if a signal has ended the program before its result; a note of the exception replaces it.
    again: see `message`.
    """
    try:
        try:
            signals.end_cleanly()
            yield
        except (UserError, OSError, MemoryError) as error:
            signals.ignore()  # a second message would add nothing
            advice = "" if isinstance(error, EditedError) else way_back()
            advice = advice and f"\ncorrect it and run the same command again{advice}"
            print(f"error: {message(error, again)}{advice}", file=sys.stderr)
            leave(1)
    except KeyboardInterrupt as stop:
        signals.ignore()
        number = signals.number_of(stop)
        (advice,) = getattr(stop, "__notes__", [stopped])[-1:]
        advice = advice and f" before it wrote a result; {advice}{way_back()}"
        ended = f"{signals.program_name()} was ended by {signals.cause(number)}"
        print(f"stopped: {ended}{advice}", file=sys.stderr)
        leave(128 + number)


def leave(status: int = 0) -> NoReturn:
    """End a program that has done its work, at once.

    Python's own ending destroys torch object by object, which takes a quarter of a second. And of
    the processes in which Arrow has read a file in a thread, one in a hundred aborts while Arrow's
    threads end.
    """
    signals.ignore()
    lost = terminal.flush()
    # If nobody reads the output, the work is done all the same; a full disk is a failure.
    os._exit(status or (0 if lost == terminal.UNREAD_STATUS else lost))


def message(error: Exception, again: str = "`dvc repro`") -> str | None:
    """Return the message for an error that the user can fix: what is wrong, and the likely fix.

    again: the command to run after the fix. None if the error is a bug of ours.
    """
    if isinstance(error, UserError):
        return str(error)
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        cure = _CURE_OF_ERRNO.get(error.errno or 0, "correct what is there and run {again} again")
        return f"{where}{error.strerror or error}; {cure.format(again=again)}"
    if isinstance(error, MemoryError):
        return f"out of memory ({error}); use fewer rows or columns"
    return None


_CURE_OF_ERRNO = {
    errno.ENOSPC: "free some space and run {again} again",
    errno.EDQUOT: "free some of your quota and run {again} again",
    errno.EROFS: "work in a copy of the repository that can be written to",
    errno.EACCES: "make the file or its folder writable and run {again} again",
    errno.EPERM: "make the file or its folder writable and run {again} again",
}
