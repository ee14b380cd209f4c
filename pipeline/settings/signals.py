"""Signals that end a program: at once while it starts, later cleanly, and in any case soon.

The handler of a signal runs in the main thread, whatever that thread does. An exception in the
middle of an import does harm: Python drops an exception that is raised while it releases the lock
of an import, and a C++ module that is being initialised aborts the process. And no handler runs
while the main thread waits for a thread of a library. So a second thread receives each signal, too,
and sends it to the main thread until it has an effect.
Only a call into C that holds Python's lock while it waits also stops the second thread. Before such
a call, make sure that it returns, as `regular_file.check` does.
"""

import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The signals that ask a program to end."""

# Counted in ticks of so many seconds, not by the clock: a busy machine makes fewer ticks.
TICK_SECONDS = 0.05
TICKS_WITHOUT_REACTION = 180  # 9 s, because `docker stop` waits for 10
TICKS_TO_CLEAN_UP = 1_200  # a minute: as long as a training may wait for the run to be written


class Terminated(KeyboardInterrupt):
    """The process was asked to end, by SIGTERM or by the closing of its terminal."""


def number_of(stop: KeyboardInterrupt) -> int:
    """Return the number of the signal that raised `stop`."""
    return int(stop.args[0]) if isinstance(stop, Terminated) else signal.SIGINT


def cause(number: int) -> str:
    """Return the signal as a person knows it: Ctrl-C for SIGINT, else its name."""
    return "Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name


def end_at_once() -> None:
    """Let Ctrl-C end a program at once while it imports: there is nothing to clean up yet."""
    # Ctrl-C that is ignored, as in a shell's background, stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_at_once)


def end_cleanly() -> None:
    """Let a signal that ends the process raise KeyboardInterrupt or Terminated in the main thread.

    If the main thread does not react for 9 s, because it waits in a library, or cleans up for more
    than a minute, the process ends without it, with the exit status of the signal.
    """
    _Ending().begin()


def end_for(stop: KeyboardInterrupt) -> NoReturn:
    """End a program whose signal came in the few instructions around the block of its work."""
    ignore()
    _end(number_of(stop), "before its work began or after its end")


def ignore() -> None:
    """Ignore the signals in a program that is about to end by itself."""
    for number in ENDING_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _end_at_once(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's interface
    _end(number, "while it started")


def _end(number: int, when: str) -> NoReturn:
    """End the process with a last message, without Python's streams, which a thread may lock."""
    try:
        text = f"stopped: {program_name()} was ended by {cause(number)} {when}\n"
        os.write(2, text.encode(errors="replace"))
    finally:
        os._exit(128 + number)


def program_name() -> str:
    """Return the name of the running program: the name of its module."""
    path = os.path.basename(str(getattr(sys.modules["__main__"], "__file__", "")))  # noqa: PTH119
    return path.removesuffix(".py") or "the program"


class _Ending:
    """Handler of the signals in the main thread, and the thread that repeats a signal."""

    def __init__(self) -> None:
        self._importing = False
        """True if a signal has come in the middle of an import since this was last read."""
        self._raised = False

    def begin(self) -> None:
        """Handle the signals from now on, except ignored ones (nohup, jobs of a shell)."""
        for number in ENDING_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, self._handle)
        if "pyarrow" in sys.modules:
            # While it reads, it would replace our handlers by its own, which end only its threads.
            sys.modules["pyarrow"].enable_signal_handlers(False)
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        threading.Thread(target=self._insist, args=[reader], daemon=True).start()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if _is_importing(frame):
            self._importing = True  # the signal comes again soon
            return
        self._raised = True
        raise KeyboardInterrupt if number == signal.SIGINT else Terminated(number)

    def _insist(self, numbers: int) -> None:
        """Wait for a signal, repeat it until the main thread reacts, and end the process if not.

        numbers: the pipe into which Python writes the number of each signal.
        """
        while (number := os.read(numbers, 1)[0]) not in ENDING_SIGNALS:
            pass
        ticks = 0
        while ticks < (TICKS_TO_CLEAN_UP if self._raised else TICKS_WITHOUT_REACTION):
            threading.Event().wait(TICK_SECONDS)
            ticks = 0 if self._importing else ticks + 1
            self._importing = False
            if not self._raised:
                # This also wakes the main thread up if another thread got the signal.
                signal.pthread_kill(threading.main_thread().ident or 0, number)
        _end(number, "while it waited for something that did not end")


def _is_importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False
