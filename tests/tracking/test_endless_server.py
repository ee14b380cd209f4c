"""A server that never ends its answer is given up: MLflow would wait for it for ever."""

import json
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from conftest import environment, job

from pipeline.settings import processes
from pipeline.settings.errors import UserError
from pipeline.tracking import store, store_check

pytestmark = pytest.mark.usefixtures("no_proxy")


@pytest.fixture
def dripping() -> Iterator[Callable[[bytes], str]]:
    """Start a server that sends `begin` and then single bytes: no read blocks, no read is the last.

    If `begin` is empty, requests of /health are answered.
    """
    over = threading.Event()
    listening: list[socket.socket] = []

    def drip(connection: socket.socket, begin: bytes) -> None:
        with suppress(OSError), connection:
            asked = connection.recv(65536)
            if not begin and b"/health" in asked:
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
                return
            connection.sendall(begin or b"HTTP/1.1 200 OK\r\n\r\n")
            while not over.wait(0.02):
                connection.sendall(b"x")

    def accept(listener: socket.socket, begin: bytes) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=drip, args=[connection, begin], daemon=True).start()

    def start(begin: bytes) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listening.append(listener)
        threading.Thread(target=accept, args=[listener, begin], daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    over.set()
    for listener in listening:
        listener.close()


@pytest.mark.parametrize("begin", [b"HTTP/1.1 200 OK\r\nx: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_server_that_drips_is_given_up(dripping: Callable[[bytes], str], begin: bytes) -> None:
    """Its answer never ends; without a limit on the whole request this test would not end."""
    with pytest.raises(UserError, match=r"does not answer .*no answer within 1 s"):
        store_check.check_usable(dripping(begin), 1.0)


def test_a_server_that_is_well_and_answers_nothing_else_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dripping: Callable[[bytes], str]
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", dripping(b""))
    monkeypatch.setattr(store, "SECONDS_TO_OPEN", 1.0)
    with pytest.raises(UserError, match=r"is too slow \(no answer within 1 s\)"):
        store.open_store("abline")


RECORDER = """
from pipeline.tracking import recorder, store
store.SECONDS_TO_OPEN = 1e6
recorder.SECONDS_OF_WORK = 0.5
recorder.main()
"""


@pytest.mark.slow
def test_the_writer_of_a_run_does_not_outlive_its_training_for_long(
    workspace: Path, dripping: Callable[[bytes], str]
) -> None:
    """Without a limit a call to such a server takes for ever: this test would not end."""
    begin = ["begin", 1, job().model_dump(mode="json"), "an id", processes.identity()]
    ended = subprocess.run(
        [sys.executable, "-c", RECORDER],
        input=json.dumps(begin).encode() + b"\n",
        env=environment(MLFLOW_TRACKING_URI=dripping(b"")),
        stdout=subprocess.DEVNULL,
    )
    assert ended.returncode == 1
