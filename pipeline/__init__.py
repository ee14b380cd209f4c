"""Abline: a reproducible regression pipeline, from a table to a verified ONNX file."""

import gc
import os
import signal
import sys
from types import FrameType, TracebackType

# MLflow reads these once, when it is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
# A server that has gone would otherwise be tried again for minutes, without a word.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")


class UserError(Exception):
    """A mistake of the user's.

    Its text is all that is shown, on stderr, before exit status 1: the key or the file, what was
    found, what is allowed and the likely fix.
    """


def _explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Report what ends a program before its `main` begins, while it imports."""
    if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("pipeline"):
        print(
            f"error: {error.name} is not installed for {sys.executable}; `make repro` sets up .venv"
            " and uses it, `. .venv/bin/activate` makes it this shell's own",
            file=sys.stderr,
        )
    else:
        sys.__excepthook__(kind, error, trace)


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - signal's interface
    os.write(2, b"stopped: ended by SIGINT while it started\n")
    os._exit(128 + number)


def started() -> None:
    """Let Ctrl-C raise KeyboardInterrupt, now that the program has imported what it needs."""
    if signal.getsignal(signal.SIGINT) is _stop:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if sys.argv[:1] == ["-m"]:  # so it is while `python -m pipeline.<stage>` starts
    sys.excepthook = _explain
    # Python drops a KeyboardInterrupt that comes while it lets go of an import's lock, and the
    # program would go on. Ctrl-C that is ignored, as in a shell's background, stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _stop)
    # Importing torch and MLflow makes a million objects and no garbage. To look for some after
    # every 700 of them takes a fifth of a stage's time.
    gc.set_threshold(2_000_000)
