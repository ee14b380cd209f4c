"""A registered version answers over HTTP, by its name and number alone, and without torch."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, environment, eventually, job

from pipeline import evaluate, export, files, generate, track, train

Ask = Callable[[Any], Any]
"""What is asked for in JSON, to its answer."""

# Without the proxy that a user may have set for the world outside.
HERE = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def without_torch(folder: Path) -> dict[str, str]:
    """The environment of programs for which torch is not installed, nor is it for theirs."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['torch'] = None\n")
    return environment(PYTHONPATH=str(folder))


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


@contextmanager
def served(
    model: str, variables: dict[str, str], folder: Path, port: str | None = None
) -> Iterator[Ask]:
    """What answers while `mlflow models serve` runs in `folder`, with its store in `variables`."""
    port = port or free_port()
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", model]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", port]
    log = folder / "serve.log"
    with log.open("w") as told:
        # A group of its own: the server is its child, and ends with it.
        server = subprocess.Popen(
            command,
            cwd=folder,
            env=variables,
            stdout=told,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(server, f"http://127.0.0.1:{port}/ping", log)

        def ask(what: Any) -> Any:
            body = json.dumps(what).encode()
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/invocations", body, {"Content-Type": "application/json"}
            )
            with HERE.open(request) as answer:
                return json.load(answer)

        yield ask
    finally:
        with suppress(ProcessLookupError):  # it has ended by itself
            os.killpg(server.pid, signal.SIGTERM)
        server.wait()


def _wait(server: "subprocess.Popen[bytes]", ping: str, log: Path) -> None:
    def answers() -> bool:
        with suppress(OSError), HERE.open(ping):
            return True
        assert server.poll() is None, log.read_text()
        return False

    eventually(answers)


def test_a_registered_version_answers_without_torch(workspace: Path) -> None:
    for stage in (generate, train, evaluate, export, track):
        stage.main(job())
    variables = without_torch(workspace / "no torch")
    variables["MLFLOW_TRACKING_URI"] = f"sqlite:///{workspace}/mlflow.db"
    tried = subprocess.run(
        [sys.executable, "-c", "import torch"], env=variables, capture_output=True, text=True
    )
    assert "ModuleNotFoundError" in tried.stderr
    elsewhere = workspace / "elsewhere"
    elsewhere.mkdir()
    with served("models:/abline/1", variables, elsewhere) as ask:
        answer = ask({"inputs": {"x": [[4.0]]}})
    (row,) = files.read_csv(files.PREDICTIONS)
    assert np.float32(answer["predictions"]["y"]) == np.float32(row["y"])


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_the_readmes_request_by_curl(workspace: Path) -> None:
    for stage in (generate, train, evaluate, export, track):
        stage.main(job())
    variables = environment(MLFLOW_TRACKING_URI=f"sqlite:///{workspace}/mlflow.db")
    text = (ROOT / "README.md").read_text()
    found = re.search(r"```bash\n.*?^(curl .*?)\n```\n+```text\n(.*?)```", text, re.DOTALL | re.M)
    assert found is not None
    command, shown = found.groups()
    port = free_port()
    assert "127.0.0.1:5001/" in command
    with served("models:/abline/1", variables, workspace, port):
        quiet = [
            "bash",
            "-ec",
            command.replace(":5001/", f":{port}/").replace("curl", "curl -s", 1),
        ]
        told = subprocess.check_output([*quiet], env=variables, text=True)
    assert json.loads(told) == json.loads(shown)
