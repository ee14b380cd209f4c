"""Programs of a few lines that start as the pipeline's own programs do."""

import subprocess
import sys
from pathlib import Path

from conftest import environment


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
