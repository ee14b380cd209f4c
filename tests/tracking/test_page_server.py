"""The page's server: a port that cannot be used is refused, and no password is shown."""

import os
import socket
import subprocess

import pytest

from pipeline.settings.errors import UserError
from pipeline.tracking import page_server


@pytest.mark.parametrize("port", ["abc", "-1", "65536", "²"])
def test_a_port_that_is_none(port: str) -> None:
    with pytest.raises(UserError, match=f"^port {port}: must be a number from 0 to 65535"):
        page_server.free_port(port)


@pytest.mark.parametrize("port", ["5061", "6667"])
def test_a_port_that_browsers_refuse(port: str) -> None:
    with pytest.raises(UserError, match=f"^port {port}: browsers refuse it"):
        page_server.free_port(port)


def test_a_free_port_is_taken_for_zero() -> None:
    port = page_server.free_port("0")
    with socket.create_server(("127.0.0.1", port)):
        assert port > 0


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(UserError) as caught:
            page_server.free_port(str(port))
    cure = f"`make ui PORT={port + 1}` takes another, and PORT=0 any free one"
    assert str(caught.value) == f"port {port}: Address already in use; {cure}"


class StartedError(Exception):
    """Raised in place of the start of a process."""


def test_a_password_is_in_no_list_of_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    """`mlflow ui` gets its store from its environment: every user can read its options."""
    commands: list[list[str]] = []

    def start(command: list[str], **_: object) -> None:
        commands.append(command)
        raise StartedError

    monkeypatch.setattr(subprocess, "Popen", start)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    uri = "postgresql://user:secret@host/db"
    with pytest.raises(StartedError), page_server.running(uri, 5000):
        pass
    assert "secret" not in str(commands)
    assert os.environ["MLFLOW_BACKEND_STORE_URI"] == uri
