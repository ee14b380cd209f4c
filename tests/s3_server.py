"""An S3 server on this machine, with a bucket, and tables in it that DVC has imported."""

import hashlib
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from conftest import eventually, free_port

from pipeline.tables.store import Store

BUCKET = "tables"
VARIABLES = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class Server:
    """An S3 server. url: its address."""

    def __init__(self, url: str) -> None:
        self.url = url

    def request(self, method: str, name: str, body: bytes | None = None) -> None:
        """Ask for a bucket or an object: tables/part.parquet."""
        asked = urllib.request.Request(f"{self.url}/{name}", body, method=method)
        asked.add_header("Content-Type", "application/octet-stream")
        # moto takes any signature, but wants one.
        asked.add_header("Authorization", "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3")
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked).close()

    def put(self, name: str, content: bytes | pa.Table, **options: Any) -> None:
        """Write an object into the bucket. options: of pq.write_table."""
        if isinstance(content, pa.Table):
            file = BytesIO()
            pq.write_table(content, file, **options)
            content = file.getvalue()
        self.request("PUT", f"{BUCKET}/{name}", content)

    def remove(self, name: str) -> None:
        """Remove an object."""
        self.request("DELETE", f"{BUCKET}/{name}")


@contextmanager
def serving(**variables: str) -> Iterator[Server]:
    """Run a server with an empty bucket during the block."""
    port = free_port()
    command = [sys.executable, "-m", "moto.server", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(
        command, env=os.environ | variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    server = Server(f"http://127.0.0.1:{port}")

    def is_up() -> bool:
        assert process.poll() is None, "the server has ended"
        try:
            server.request("PUT", BUCKET)
        except HTTPError:
            return True  # it answers, and the bucket is there
        except (URLError, ConnectionError):
            return False
        return True

    try:
        eventually(is_up)
        yield server
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def s3_server() -> Iterator[Server]:
    """Return a server for all tests of a process."""
    with serving() as server:
        yield server


@pytest.fixture
def s3(s3_server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """Return a server, to which AWS's variables lead."""
    use(s3_server, monkeypatch)
    return s3_server


def use(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead AWS's variables to a server."""
    for name, value in (VARIABLES | {"AWS_ENDPOINT_URL": server.url}).items():
        monkeypatch.setenv(name, value)
    from pipeline.tables import store

    store._filesystem.cache_clear()


def import_url(url: str, name: str, out: str = "", **noted: Any) -> Path:
    """Write the .dvc file of an import without download, as `dvc import-url` and the docs have it.

    noted: what is to be noted of the table instead of what it is now.
    """
    path = Path("data/raw") / f"{name}.dvc"
    path.parent.mkdir(parents=True, exist_ok=True)
    dep = {**(noted or noted_of(url)), "hash": "md5", "path": url}
    outs = {"hash": "md5", "path": out or f"../remote/{name}", "cache": False}
    content = {"md5": "0" * 32, "frozen": True, "deps": [dep], "outs": [outs]}
    path.write_text(yaml.safe_dump(content, sort_keys=False))
    return path


def noted_of(url: str) -> dict[str, Any]:
    """Return what DVC notes of an object, or of a folder."""
    store, path = Store.of("s3", {}), url.removeprefix("s3://")
    if (stored := store.stored(path)) is not None:
        return {"etag": stored.etag, "size": stored.size}
    all_stored = {name: store.stored(name) for name in store.names(path)}
    etags = [
        {"etag": stored.etag, "relpath": name.removeprefix(f"{path}/")}
        for name, stored in sorted(all_stored.items())
        if stored
    ]
    md5 = hashlib.md5(json.dumps(etags).encode()).hexdigest()
    size = sum(stored.size for stored in all_stored.values() if stored)
    return {"md5": f"{md5}.dir", "size": size, "nfiles": len(etags)}
