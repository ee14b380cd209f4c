"""The JavaScript client in a browser: its page, the page and the bundle of its README."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from conftest import job, make
from javascript_package import CLIENT, SLOW_WITH_NPM, blocks, hosted, npm, opened, page_of

pytestmark = SLOW_WITH_NPM


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
    """Without the wasm, an error says which file to copy."""
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


@pytest.fixture
def page(package: Path, answering: Path) -> Iterator[str]:
    """Yield the address of the page with the models."""
    with page_of(package, answering) as address:
        yield address


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
            float(answer[0, 0]) for answer in session.run(["y", "low", "high"], {"x": row})
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
        # Text that is no number, or may be two numbers, gets a message; nothing moves meanwhile.
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
    text = (CLIENT / "page" / "index.html").read_text()
    (import_map,) = re.findall(r'<script type="importmap">(.*?)</script>', text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(import_map.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in text
    assert "unsafe-inline" not in text
    assert "data:" not in text
