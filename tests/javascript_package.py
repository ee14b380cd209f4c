"""The JavaScript package, built and packed once, and a browser: a plugin of tests/conftest.py."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from conftest import GENEROUS, ROOT, served

CLIENT = ROOT / "clients" / "javascript"

SLOW_WITH_NPM = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm on this machine"),
]
"""`pytestmark` of a module whose tests build the package."""


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the package, built, with its dependencies."""
    place = tmp_path_factory.mktemp("client") / "javascript"
    made = shutil.ignore_patterns("node_modules", "dist", "site")
    shutil.copytree(CLIENT, place, ignore=made)
    for name in ("refused.json", "contract.schema.json"):  # for both clients
        shutil.copy(CLIENT.parent / name, place.parent)
    npm(place, "ci", "--no-audit", "--no-fund")
    npm(place, "run", "build")
    return place


def npm(place: Path, *command: str, **variables: str) -> str:
    """Run npm and return its output."""
    done = subprocess.run(
        ["npm", *command],
        cwd=place,
        env=os.environ | variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def packed(package: Path) -> Path:
    """Return the archive that `npm run pack` makes."""
    npm(package, "run", "pack")
    (archive,) = package.glob("*.tgz")
    return archive


def blocks(language: str) -> list[str]:
    """Return the README's blocks in a language."""
    text = (CLIENT / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


@contextmanager
def page_of(package: Path, models: Path) -> Iterator[str]:
    """Serve the page with a model as `npm start` does; yield the address."""
    command = ["node", "serve.mjs", str(models), "0"]
    with subprocess.Popen(command, cwd=package, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.kill()


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """Serve a folder as a static host does; yield the address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with served(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder))) as address:
        yield f"{address}/"


@contextmanager
def opened(address: str, **looks: Any) -> Iterator[Any]:
    """Yield a browser's tab at an address."""
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on this machine")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        try:
            tab = browser.new_page(**looks)
            tab.set_default_timeout(1000 * GENEROUS)
            tab.goto(address)
            yield tab
        finally:
            browser.close()
