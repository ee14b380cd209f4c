"""The JavaScript client in Node and, by its page, in a browser: answers, proof and messages."""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from conftest import GENEROUS, ROOT, job, make

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
    for name in ("refused.json", "contract.schema.json"):  # for both clients
        shutil.copy(FOLDER.parent / name, place.parent)
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


@pytest.fixture(scope="module")
def packed(package: Path) -> Path:
    """The archive that `npm run pack` makes."""
    npm(package, "run", "pack")
    (archive,) = package.glob("*.tgz")
    return archive


def blocks(language: str) -> list[str]:
    """The README's blocks in a language."""
    text = (FOLDER / "README.md").read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def test_in_an_app_of_its_own(package: Path, packed: Path, models: Path, tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "app.ts").write_text(
        'import { load, type Conformance } from "abline-client";\n'
        "const model = await load(process.argv[2] ?? '');\n"
        "const found: Conformance = await model.conformance();\n"
        "const rows: number[][] = await model.predict([{ rooms: 3, size: 70.5, age: 12 }]);\n"
        "const same: number[][] = await model.predict({ rooms: [3], size: [70.5], age: [12] });\n"
        "const { y }: Record<string, number[][]> = await model.answers([[70.5, 12, 3]]);\n"
        "console.log(found.ok, String(rows) === String(same), String(rows) === String(y));\n"
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
    assert told == "true true true\n"
    assert (tmp_path / "node_modules/abline-client/LICENSE").exists()


def test_the_readme_prints_what_node_prints(
    package: Path, packed: Path, workspace: Path, tmp_path: Path
) -> None:
    make(job())
    (workspace / "package.json").write_text('{"type": "module"}')
    npm(workspace, "install", "--ignore-scripts", str(packed), "onnxruntime-node")
    (program,) = [block for block in blocks("js") if "app.mjs" in block]
    (workspace / "app.mjs").write_text(program)
    told = subprocess.check_output(["node", "app.mjs"], cwd=workspace, text=True)
    assert told == blocks("text")[0]


@contextmanager
def hosted(folder: Path) -> Iterator[str]:
    """The address of a plain static host of a folder, as there are many."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=folder)) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            serving.join()


@contextmanager
def opened(address: str, **looks: Any) -> Iterator[Any]:
    """A browser's tab at an address."""
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


def test_the_plain_page_of_the_readme(package: Path, workspace: Path) -> None:
    make(job())
    site = workspace / "site"
    npm(package, "run", "site", "--", str(workspace / "models"), str(site))
    (plain,) = blocks("html")
    assert len(plain.splitlines()) <= 10
    (site / "plain.html").write_text(plain)
    with hosted(site) as address, opened(f"{address}plain.html") as tab:
        tab.wait_for_function("document.body.textContent.includes('7.56')")


def test_the_bundle_of_the_readme(package: Path, packed: Path, workspace: Path) -> None:
    """And what is said where the wasm was not copied."""
    make(job())
    app = workspace / "app"
    app.mkdir()
    (bundling,) = [block for block in blocks("sh") if "esbuild" in block]
    npm(app, "init", "--yes")
    npm(app, "install", "--ignore-scripts", str(packed), "onnxruntime-web", "esbuild")
    (program,) = [block for block in blocks("js") if "app.js" in block]
    (app / "app.js").write_text(program)
    shutil.copytree(workspace / "models", app / "models")
    for line in bundling.splitlines():
        if not line.startswith("npm install"):
            subprocess.run(["bash", "-ec", line], cwd=app, check=True, capture_output=True)
    (app / "site" / "index.html").write_text('<script type="module" src="app.js"></script>')
    with hosted(app / "site") as address, opened(address) as tab:
        tab.wait_for_function("document.body.textContent.includes('7.56')")
    (app / "site" / "ort-wasm-simd-threaded.wasm").unlink()
    with hosted(app / "site") as address, opened("about:blank") as tab:
        with tab.expect_event("pageerror") as failed:
            tab.goto(address)
        told = str(failed.value)
        assert "copy node_modules/onnxruntime-web/dist/ort-wasm-simd-threaded.wasm there" in told


def test_a_site_for_any_host_has_all_that_it_asks_for(
    package: Path, models: Path, tmp_path: Path
) -> None:
    npm(package, "run", "site", "--", str(models), str(tmp_path))
    names = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    page = (tmp_path / "index.html").read_text()
    asked = re.findall(r'(?:href|src)="([^":]+)"|: "\./([^"]+)"', page)
    assert len(asked) == 5
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
    session = onnxruntime.InferenceSession(answering / "model.onnx")
    features = json.loads((answering / "contract.json").read_text())["input"]["features"]
    said: list[str] = []
    asked: list[str] = []
    with opened("about:blank") as tab:
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(page)
        tab.wait_for_selector("#badge[data-state=ok]")
        assert tab.inner_text("#badge") == "✓ 32 of 32 golden vectors within their bounds"
        assert re.search(
            r"^This browser computes what was verified .* To the last bit right: \d+ of 32\.$",
            tab.get_attribute("#badge", "title"),
        )
        assert tab.title() == tab.inner_text("h1") == "predict y"
        for feature in features:
            start = tab.input_value(f"input[name={feature['name']}]")
            assert float(start) == pytest.approx(feature["mean"], rel=1e-5)
        assert tab.inner_text("#message") == ""
        # Typed numbers give what onnxruntime gives here, with a point or a comma.
        for name, value in (("size", "1,5"), ("age", "-0.25"), ("rooms", "0,1")):
            tab.fill(f"input[name={name}]", value)
        row = np.array([[1.5, -0.25, 0.1]], np.float32)
        right, low, high = (
            float(found[0, 0]) for found in session.run(["y", "low", "high"], {"x": row})
        )
        tab.wait_for_function(
            "right => Math.abs(document.querySelector('dd').dataset.value - right) < 1e-6",
            arg=right,
        )
        assert tab.inner_text("dd small") == f"95 % prediction interval: {low:.6g} to {high:.6g}"
        assert tab.inner_text("#message") == ""
        assert [tab.inner_text(f"label:has(input[name={name}]) i") for name in ("size", "age")] == [
            "= 1.5",
            "",
        ]
        assert tab.locator("#plot .fit").get_attribute("points").count(",") == 65
        assert tab.locator("#plot .interval").get_attribute("points").count(",") == 130
        tab.fill("input[name=size]", "1000")
        tab.wait_for_selector("label.outside")
        assert tab.inner_text("#message") == "Outside of what the model was trained on."
        # What is no number, or may be two, is said and not guessed; nothing moves meanwhile.
        before = [tab.locator(each).bounding_box() for each in ("#features", "#plot")]
        for typed, message in (
            ("", "size: type a number."),
            ("1,234", "size: 1,234 may be 1.234 or 1234: write one of these."),
            ("3 a", "size: 3 a is no number."),
            ("1e39", "size: 1e39 is beyond float32."),
        ):
            tab.fill("input[name=size]", typed)
            tab.wait_for_function(
                "told => document.querySelector('#message').textContent === told", arg=message
            )
            assert tab.inner_text("dd").startswith("–")
            after = [tab.locator(each).bounding_box() for each in ("#features", "#plot")]
            assert before == after
    assert said == []
    assert all(url.startswith((page, "blob:")) for url in asked), asked


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1200])
def test_on_a_phone_and_on_a_desk_by_day_and_by_night(page: str, width: int, scheme: Any) -> None:
    looks = {"viewport": {"width": width, "height": 800}, "color_scheme": scheme}
    with opened(page, **looks) as tab:
        tab.wait_for_selector("#badge[data-state=ok]")
        assert tab.evaluate("document.documentElement.scrollWidth") <= width
        answer, fields = (tab.locator(each).bounding_box() for each in ("dl", "#features"))
        assert answer["y"] + answer["height"] <= fields["y"]
        # A note that takes two lines leaves the field beside it as it is.
        heights = "each => each.map(input => input.offsetHeight)"
        before = tab.eval_on_selector_all("#features input", heights)
        tab.eval_on_selector("#features small", "note => note.textContent = 'wide '.repeat(40)")
        assert tab.eval_on_selector_all("#features input", heights) == before
        # Nothing moves when the interval is not known.
        plot = tab.locator("#plot").bounding_box()
        tab.fill("#features input", "")
        tab.wait_for_function("document.querySelector('dd').innerText.startsWith('–')")
        assert tab.locator("#plot").bounding_box() == plot
        # The drawing's own units are pixels, so its letters are as large as they say.
        text = tab.locator("#plot text").first
        assert text.evaluate("each => getComputedStyle(each).fontSize") == "12px"
        assert tab.evaluate(
            "() => { const p = document.querySelector('#plot');"
            " return Math.abs(p.getScreenCTM().a - 1) < 0.01 }"
        )
        labels = [
            text for text in tab.locator("#plot text").all_text_contents() if text[-1].isdigit()
        ]
        assert len(labels) >= 5
        assert all(len(label.strip("-").replace(".", "").strip("0")) <= 2 for label in labels), (
            labels
        )
        ink, paper = (
            tab.evaluate(f"getComputedStyle(document.body).{each}")
            for each in ("color", "backgroundColor")
        )
        dark, light = (sum(map(int, re.findall(r"\d+", each)[:3])) for each in (ink, paper))
        assert (dark < light) is (scheme == "light")


def test_the_import_map_has_the_hash_that_the_policy_allows() -> None:
    text = (FOLDER / "page" / "index.html").read_text()
    (found,) = re.findall(r'<script type="importmap">(.*?)</script>', text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(found.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in text
    assert "unsafe-inline" not in text
    assert "data:" not in text
