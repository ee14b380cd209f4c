"""Abline: a reproducible regression pipeline, from a table to a verified ONNX file."""

import gc
import os
import sys
from types import TracebackType

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
    if issubclass(kind, KeyboardInterrupt):
        print("stopped: ended by SIGINT while it started", file=sys.stderr)
    elif isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("pipeline"):
        print(
            f"error: {error.name} is not installed for {sys.executable}; `make repro` sets up .venv"
            " and uses it, `. .venv/bin/activate` makes it this shell's own",
            file=sys.stderr,
        )
    else:
        sys.__excepthook__(kind, error, trace)


if sys.argv[:1] == ["-m"]:  # so it is while `python -m pipeline.<stage>` starts
    sys.excepthook = _explain
    # Importing torch and MLflow makes a million objects and no garbage. To look for some after
    # every 700 of them takes a fifth of a stage's time.
    gc.set_threshold(2_000_000)
