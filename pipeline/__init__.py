"""Abline: a reproducible regression pipeline, from a table to a verified ONNX file."""

import gc
import os
import sys
from types import TracebackType

# MLflow reads these once, when it is imported.
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
# Otherwise MLflow tries a server that has gone again for minutes, without a message.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "10")


def _explain(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Report an exception outside of `runner.program`, most often in an import."""
    if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("pipeline"):
        print(
            f"error: {error.name} is not installed for {sys.executable}; `make repro` sets up .venv"
            " and uses it, `. .venv/bin/activate` makes it this shell's own",
            file=sys.stderr,
        )
    elif isinstance(error, OSError) and error.filename == terminal.STANDARD_OUTPUT:
        print(f"error: {error.filename}: {error.strerror}", file=sys.stderr)
    elif isinstance(error, KeyboardInterrupt):
        signals.end_for(error)
    else:
        sys.__excepthook__(kind, error, trace)


def _is_another_copy() -> bool:
    """True if this folder has a `pipeline`, and Python has imported another one."""
    here = os.path.join("pipeline", "__init__.py")  # noqa: PTH118 - pathlib takes 10 ms
    return os.path.exists(here) and not os.path.samefile(here, __file__)  # noqa: PTH110, PTH121


if sys.argv[:1] == ["-m"]:  # true while `python -m pipeline.<program>` starts
    from pipeline.settings import signals

    signals.end_at_once()
    from pipeline.settings import processes, stamps, terminal

    stamps.note_code()
    processes.note_starters()
    terminal.install()
    # A terminal of a notebook inherits the notebook's backend, which a program does not have.
    os.environ["MPLBACKEND"] = "svg"
    sys.excepthook = _explain
    if _is_another_copy():
        sys.exit(
            f"error: Python would run {__path__[0]}, another copy than the `pipeline` of this"
            " folder; start it without PYTHONSAFEPATH and without -P or -I"
        )
    # Importing torch and MLflow makes a million objects and no garbage. A search for garbage after
    # every 700 objects takes a fifth of a stage's time.
    gc.set_threshold(2_000_000)
