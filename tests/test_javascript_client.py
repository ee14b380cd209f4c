"""The JavaScript client in Node and, by its page, in a browser: answers, proof and messages."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from conftest import GENEROUS, ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("npm") is None, reason="there is no npm on this machine"),
]

FOLDER = ROOT / "clients" / "javascript"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package with what it is built and run with."""
    place = tmp_path_factory.mktemp("client") / "javascript"
    ours = shutil.ignore_patterns("node_modules", "dist", "site")
    shutil.copytree(FOLDER, place, ignore=ours)
    npm(place, "ci", "--no-audit", "--no-fund")
    npm(place, "run", "build")
    return place


def npm(place: Path, *command: str, **variables: str) -> str:
    """Run npm: what it printed."""
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


def test_in_an_app_of_its_own(package: Path, models: Path, tmp_path: Path) -> None:
    npm(package, "run", "pack")
    (packed,) = package.glob("*.tgz")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "app.ts").write_text(
        'import { load, type Conformance } from "abline-client";\n'
        "const model = await load(process.argv[2] ?? '');\n"
        "const found: Conformance = await model.conformance();\n"
        "const rows: number[][] = await model.predict({ rooms: [3], size: [70.5], age: [12] });\n"
        "console.log(found.ok, rows.length);\n"
    )
    # The parts of onnxruntime for GPUs would be fetched by scripts.
    npm(tmp_path, "install", "--ignore-scripts", str(packed), "onnxruntime-node", "@types/node")
    tsc = [
        str(package / "node_modules/.bin/tsc"),
        "--module",
        "nodenext",
        "--strict",
        "--skipLibCheck",
    ]
    subprocess.run([*tsc, "--types", "node", "app.ts"], cwd=tmp_path, check=True)
    told = subprocess.check_output(["node", "app.js", str(models)], cwd=tmp_path, text=True)
    assert told == "true 1\n"


def test_a_site_for_any_host_has_all_that_it_asks_for(
    package: Path, models: Path, tmp_path: Path
) -> None:
    npm(package, "run", "site", "--", str(models), str(tmp_path))
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    page = (tmp_path / "index.html").read_text()
    asked = re.findall(r'(?:href|src)="([^":]+)"|: "\./([^"]+)"', page)
    assert len(asked) == 4
    assert {one or other for one, other in asked} <= names
    assert {"models/model.onnx", "models/contract.json", "client/model.js"} <= names
    assert any(name.endswith(".wasm") for name in names)


@pytest.mark.parametrize(("kind", "at_least"), [("models", 16), ("answering", 4)])
def test_in_node(package: Path, kind: str, at_least: int, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(kind)
    told = npm(package, "test", ABLINE_MODELS=str(folder))
    assert re.search(r"# pass [1-9]", told)
    assert "# fail 0" in told
    equal = re.search(r"(\d+) of 32 bit-equal", told)
    assert equal is not None
    assert int(equal[1]) >= at_least


@pytest.fixture
def page(package: Path, answering: Path) -> Iterator[str]:
    """The address of the page with the models."""
    command = ["node", "serve.mjs", str(answering), "0"]
    with subprocess.Popen(command, cwd=package, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.kill()


def test_in_a_browser(page: str, answering: Path) -> None:
    sync_api = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no chromium on this machine")
    session = onnxruntime.InferenceSession(answering / "model.onnx")
    said: list[str] = []
    asked: list[str] = []
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        try:
            tab = browser.new_page()
            tab.on("console", lambda message: said.append(message.text))
            tab.on("pageerror", lambda error: said.append(str(error)))
            tab.on("request", lambda request: asked.append(request.url))
            tab.goto(page)
            tab.set_default_timeout(1000 * GENEROUS)
            tab.wait_for_selector("#badge[data-state=ok]")
            assert re.match(r"✓ 32 of 32 golden vectors", tab.inner_text("#badge"))
            # Typed numbers give what onnxruntime gives here.
            for name, value in (("size", "1.5"), ("age", "-0.25"), ("rooms", "0.1")):
                tab.fill(f"input[name={name}]", value)
            row = np.array([[1.5, -0.25, 0.1]], np.float32)
            right, low, high = (
                float(found[0, 0]) for found in session.run(["y", "low", "high"], {"x": row})
            )
            tab.wait_for_function(
                "right => Math.abs(document.querySelector('dd').dataset.value - right) < 1e-6",
                arg=right,
            )
            assert tab.inner_text("dd small") == f"95 %: {low:.6g} to {high:.6g}"
            assert tab.inner_text("#message") == ""
            assert tab.locator("#plot .fit").get_attribute("points").count(",") == 65
            assert tab.locator("#plot .interval").get_attribute("points").count(",") == 130
            tab.fill("input[name=size]", "1000")
            tab.wait_for_selector("label.outside")
            assert tab.inner_text("#message") == "Outside of what the model was trained on."
            tab.fill("input[name=size]", "")
            tab.wait_for_function("document.querySelector('#message').textContent.includes('size')")
            assert tab.inner_text("#message") == "size: type a number."
            assert tab.inner_text("dd") == "–"
        finally:
            browser.close()
    assert said == []
    assert all(url.startswith((page, "blob:", "data:")) for url in asked), asked
