"""Tracking servers are asked as MLflow asks them: with credentials, certificates and proxies."""

import base64
import datetime
import ipaddress
import ssl
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import GENEROUS, served
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from pipeline.settings.errors import UserError
from pipeline.tracking import store, store_check

pytestmark = pytest.mark.usefixtures("no_proxy")


class Server(ThreadingHTTPServer):
    """A server that works, and notes the requests."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[tuple[str, str | None]] = []
        """Paths and Authorization headers."""


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, Server)
        self.server.asked.append((self.path, self.headers["Authorization"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *arguments: object) -> None: ...


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    with served(running):
        yield running


def test_user_and_password_may_stand_in_the_address(server: Server) -> None:
    store_check.check_usable(f"http://user:p%40ss@127.0.0.1:{server.server_port}", GENEROUS)
    basic = base64.b64encode(b"user:p@ss").decode()
    assert server.asked == [("/health", f"Basic {basic}")]


def test_credentials_of_mlflow_are_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    uri = f"http://127.0.0.1:{server.server_port}/"
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "a token")
    store_check.check_usable(uri, GENEROUS)
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "user")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "secret")
    store_check.check_usable(uri, GENEROUS)
    basic = base64.b64encode(b"user:secret").decode()
    assert server.asked == [("/health", "Bearer a token"), ("/health", f"Basic {basic}")]


def test_a_proxy_is_used(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{server.server_port}")
    store_check.check_usable("http://elsewhere.invalid", GENEROUS)
    assert server.asked == [("http://elsewhere.invalid/health", None)]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "abline")])
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime.datetime(2020, 1, 1))
        .not_valid_after(datetime.datetime(2100, 1, 1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("certificate") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def secure(server: Server, certificate: Path) -> Server:
    """The server behind TLS, which asks its clients for a certificate, too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_OPTIONAL
    server.socket = context.wrap_socket(server.socket, server_side=True)
    return server


@pytest.mark.parametrize(
    "variable",
    ["MLFLOW_TRACKING_SERVER_CERT_PATH", "REQUESTS_CA_BUNDLE", "MLFLOW_TRACKING_INSECURE_TLS"],
)
@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_certificate_of_ones_own(
    secure: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    uri = f"https://127.0.0.1:{secure.server_port}"
    with pytest.raises(UserError, match=r"does not answer.*MLFLOW_TRACKING_SERVER_CERT_PATH"):
        store_check.check_usable(uri, GENEROUS)
    insecure = variable == "MLFLOW_TRACKING_INSECURE_TLS"
    monkeypatch.setenv(variable, "true" if insecure else str(certificate))
    store_check.check_usable(uri, GENEROUS)
    assert secure.asked == [("/health", None)]


def test_a_certificate_of_the_client(
    server: Server, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.load_verify_locations(certificate)
    context.verify_mode = ssl.CERT_REQUIRED
    server.socket = context.wrap_socket(server.socket, server_side=True)
    uri = f"https://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", str(certificate))
    with pytest.raises(UserError, match="does not answer"):
        store_check.check_usable(uri, GENEROUS)
    monkeypatch.setenv("MLFLOW_TRACKING_CLIENT_CERT_PATH", str(certificate))
    store_check.check_usable(uri, GENEROUS)
    assert server.asked == [("/health", None)]


def test_a_password_is_not_in_what_is_said_of_a_server() -> None:
    with pytest.raises(UserError, match="does not answer as a tracking server") as caught:
        store_check.check_usable("http://user:se%40cret@127.0.0.1:9", GENEROUS)
    assert "cret" not in str(caught.value)
    assert "http://user:***@127.0.0.1:9" in str(caught.value)


def test_a_server_that_does_not_answer(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    with pytest.raises(UserError, match=r"http://127.0.0.1:9 does not answer .*Connection refused"):
        store.open_store("abline")


@pytest.fixture
def broken_server() -> Iterator[str]:
    asked: list[str] = []

    class Broken(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(503)

        def log_message(self, *arguments: object) -> None: ...

    with served(HTTPServer(("127.0.0.1", 0), Broken)) as address:
        yield address
    assert len(asked) <= 2, "MLflow itself would go on trying for minutes"


def test_a_server_that_is_broken(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, broken_server: str
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", broken_server)
    with pytest.raises(UserError, match=r"tracking server \(HTTP Error 503"):
        store.open_store("abline")
