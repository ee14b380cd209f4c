"""The report in a real browser: nothing in a table runs or loads anything, and a phone can show it.

benchmarks/report_size.py makes the report: of 30 columns, some of which are called like markup.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import report_size
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

LARGEST = 500_000

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (shutil.which("chromium") or shutil.which("google-chrome")),
        reason="there is no Chromium; on Debian, `apt-get install chromium` brings it",
    ),
    pytest.mark.xdist_group("report in a browser"),
]


@pytest.fixture(scope="module", params=["en", "zh"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    report_size.write_table(folder / report_size.SOURCE)
    return report_size.made(folder, report_size.settings(request.param))


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=quiet)
        yield opened
        opened.close()


def opened(browser: Browser, report: Path, width: int) -> tuple[Page, list[str]]:
    """Return the page, and what it asked for or tried that a report must not."""
    page = browser.new_page(viewport={"width": width, "height": 800})
    tried: list[str] = []

    def dismissed(dialog: Dialog) -> None:
        tried.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", dismissed)
    page.on("request", lambda request: tried.append(request.url[:200]))
    page.on("console", lambda message: tried.append(message.text))
    page.on("pageerror", lambda error: tried.append(str(error)))
    page.goto(report.as_uri())
    return page, [each for each in tried if not each.startswith(("file:", "data:image/svg+xml,"))]


def test_names_and_levels_are_shown_and_do_nothing(browser: Browser, report: Path) -> None:
    assert report.stat().st_size <= LARGEST
    page, tried = opened(browser, report, 1280)
    assert tried == []
    shown = page.inner_text("body")
    for text in (report_size.SCRIPT, report_size.IMAGE, report_size.SOURCE, "房屋朝向"):
        assert text in shown
    assert page.locator("script, iframe, object, link, img[src='x']").count() == 0
    # Each picture is drawn.
    pictures = page.evaluate("[...document.images].map(each => [each.complete, each.naturalWidth])")
    assert len(pictures) == 4
    assert all(complete and width > 300 for complete, width in pictures)
    page.close()


@pytest.mark.parametrize("width", [1280, 390, 320])
def test_only_tables_scroll_sideways(browser: Browser, report: Path, width: int) -> None:
    page, _ = opened(browser, report, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    links = page.locator("nav a").evaluate_all("links => links.map(each => each.hash)")
    headings = page.locator("section[id] > h2").count()
    assert len(links) == headings >= 8
    for link in links:
        assert page.locator(link).count() == 1
    page.close()
