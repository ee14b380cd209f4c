"""A registered version answers over HTTP by its name and alias, without torch."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, environment, eventually, free_port, job
from stage_runs import run_stages

from pipeline.settings import csv_cells, files

Ask = Callable[..., Any]
"""Function from a request, as JSON or CSV, to its answer: predictions, or an error."""

# Without the proxy that a user may have set.
HERE = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def without_torch(folder: Path) -> dict[str, str]:
    """Return an environment in which neither a program nor the programs it starts have torch."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys\nsys.modules['torch'] = None\n")
    return environment(PYTHONPATH=str(folder))


@contextmanager
def served(
    model: str, variables: dict[str, str], folder: Path, port: str | None = None
) -> Iterator[Ask]:
    """Yield a function that asks `mlflow models serve`, which runs in `folder`."""
    port = port or str(free_port())
    command = [sys.executable, "-m", "mlflow", "models", "serve", "--model-uri", model]
    command += ["--env-manager", "local", "--host", "127.0.0.1", "--port", port]
    log = folder / "serve.log"
    with log.open("w") as told:
        # In a group of its own, which is ended as a whole: the server is a child of this process.
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

        def ask(what: Any, kind: str = "application/json") -> Any:
            body = what if kind == "text/csv" else json.dumps(what)
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/invocations", body.encode(), {"Content-Type": kind}
            )
            try:
                with HERE.open(request) as answer:
                    return json.load(answer, parse_constant=pytest.fail)  # NaN is no JSON
            except urllib.error.HTTPError as refused:
                if refused.code != 400:
                    raise
                return json.load(refused)

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


@pytest.mark.slow
def test_a_registered_version_answers_without_torch(workspace: Path) -> None:
    run_stages(job())
    variables = without_torch(workspace / "no torch")
    variables["MLFLOW_TRACKING_URI"] = f"sqlite:///{workspace}/mlflow.db"
    tried = subprocess.run(
        [sys.executable, "-c", "import torch"], env=variables, capture_output=True, text=True
    )
    assert "ModuleNotFoundError" in tried.stderr
    elsewhere = workspace / "elsewhere"
    elsewhere.mkdir()
    with served("models:/abline@verified", variables, elsewhere) as ask:
        answers = [
            ask({"dataframe_split": {"columns": ["id", "x"], "data": [["a", 4]]}}),
            ask({"dataframe_records": [{"x": 4}]}),
            ask({"inputs": {"x": [4.0]}}),
            ask("id,x\na,4\n", "text/csv"),
        ]
        refused = [ask({"inputs": {"x": [value]}}) for value in (None, 1e300, "four")]
    (row,) = csv_cells.read_csv(files.PREDICTIONS)
    for answer in answers:
        (prediction,) = answer["predictions"]
        assert np.float32(prediction["y"]) == np.float32(row["y"])
    for answer in refused:
        assert answer["error_code"] in ("INVALID_PARAMETER_VALUE", "BAD_REQUEST")
    assert "the column x in row 1 must be a number, found null" in refused[0]["message"]
    assert "found 1e+300, which is too large for float32" in refused[1]["message"]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_the_readmes_block_serves_answers_and_ends(workspace: Path) -> None:
    """The version that it names keeps its answer, whatever is verified later."""
    for params in (job(), job(train__lr=0.02)):
        run_stages(params)
    text = (ROOT / "docs/use-the-model.md").read_text()
    blocks = re.search(r"```bash\n(.*?)```\n+```text\n(.*?)```", text, re.DOTALL)
    assert blocks is not None
    block, shown = blocks.groups()
    port = str(free_port())
    assert block.count("5001") == 2
    block = block.replace("5001", port) + "wait\n"
    told = subprocess.check_output(
        ["bash", "-c", block], cwd=workspace, env=environment(), text=True, timeout=120
    )
    (answer,) = [line for line in told.splitlines() if line.startswith("{")]
    assert json.loads(answer) == json.loads(shown)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(port)))
