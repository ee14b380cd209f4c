"""Server of MLflow's page, `mlflow ui`, on this machine."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.settings.errors import UserError

HOST = "127.0.0.1"
REFUSED_PORTS = {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, *range(6665, 6670)}
REFUSED_PORTS |= {6000, 6566, 6697, 10080}
"""Ports above 1023 that browsers do not open (the Fetch standard's "bad ports")."""


def url(port: int) -> str:
    """Return the address of the page."""
    return f"http://{HOST}:{port}"


@contextmanager
def running(store_uri: str, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """Start the server; yield its process when it answers or has ended; end it after the block."""
    # The jobs of MLflow's model registry are for other uses; without them the server starts in a
    # third of the time and a fraction of the memory.
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    os.environ.setdefault("PYTHONWARNINGS", "ignore:starlette.middleware.wsgi is deprecated")
    # Not as options, which everybody on this machine can read: an address may have a password.
    os.environ |= {"MLFLOW_BACKEND_STORE_URI": store_uri, "MLFLOW_REGISTRY_STORE_URI": store_uri}
    # In a session of its own, because Ctrl-C in the terminal would make it print tracebacks.
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "ui", "--workers", "1"),
            *("--host", HOST, "--port", str(port)),
            *("--uvicorn-opts", "--log-level=warning"),
        ],
        start_new_session=True,
    )
    try:
        while server.poll() is None and not _is_up(port):
            time.sleep(0.1)
        yield server
    finally:
        if server.poll() is None:
            os.killpg(server.pid, signal.SIGTERM)
            server.wait()


def _is_up(port: int) -> bool:
    # Without the proxy that a user may have set for other hosts.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{url(port)}/health", timeout=5):
            return True
    except (OSError, http.client.HTTPException):
        return False


def free_port(asked: str) -> int:
    """Return the port that the user asked for; for 0, any free port.

    Raises UserError if it is not a port, if browsers refuse it, or if it is taken.
    """
    if not asked.isdecimal() or int(asked) > 65535:
        raise UserError(
            f"port {asked}: must be a number from 0 to 65535, as in `make ui PORT=5001`"
        )
    if int(asked) in REFUSED_PORTS:
        raise UserError(
            f"port {asked}: browsers refuse it, because another protocol has it; `make ui PORT=0`"
            " takes any free one"
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(asked)))
            return int(probe.getsockname()[1])
        except OSError as error:
            raise UserError(
                f"port {asked}: {error.strerror}; `make ui PORT={int(asked) + 1}` takes another,"
                " and PORT=0 any free one"
            ) from None
