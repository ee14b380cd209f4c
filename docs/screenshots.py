"""Take the pictures of `mlflow ui` in docs/experiments.md with a browser: `make screenshots`.

A normal clone, with all its history, runs the tutorial's job and five experiments, `make ui`'s
command shows them, and headless Chromium opens the links that it prints.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs/images"
EXPERIMENTS = (
    "train.lr=0.005",
    "train.lr=0.02",
    "train.lr=0.03",
    "train.lr=0.05",
    "train.epochs=1000",
)


@contextmanager
def links(root: Path) -> Iterator[dict[str, str]]:
    """Serve the runs of the repository at `root`; yield the links of `make ui`, by name."""
    view = subprocess.Popen(
        [sys.executable, "-m", "pipeline.ui", "--port", "0"],
        cwd=root,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert view.stdout is not None
    try:
        by_name: dict[str, str] = {}
        while "side by side" not in by_name and (line := view.stdout.readline()):
            name, _, link = line.rpartition(" ")
            by_name[name.strip()] = link.strip()
        yield by_name
    finally:
        view.terminate()
        view.communicate()


@contextmanager
def page(link: str, width: int, height: int) -> Iterator[Page]:
    """Yield a page of headless Chromium at `link`."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("error: there is no Chromium; on Debian, `apt-get install chromium` brings it")
    quiet = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=quiet)
        opened = browser.new_page(viewport={"width": width, "height": height})
        opened.set_default_timeout(60_000)
        opened.goto(link)
        yield opened
        browser.close()


def main() -> None:
    """Write docs/images/."""
    who = {"NAME": "A User", "EMAIL": "user@example.com"}
    people = {f"GIT_{role}_{k}": v for role in ("AUTHOR", "COMMITTER") for k, v in who.items()}
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    os.environ |= people | {"PATH": programs, "DVC_NO_ANALYTICS": "1"}
    with tempfile.TemporaryDirectory() as work:
        clone = Path(work) / "abline"
        subprocess.run(["git", "clone", "--quiet", ROOT, clone], check=True)
        subprocess.run(["dvc", "repro", "--quiet"], cwd=clone, check=True)
        for change in EXPERIMENTS:
            subprocess.run(["git", "checkout", "--quiet", "."], cwd=clone, check=True)
            subprocess.run(["dvc", "exp", "run", "--quiet", "-S", change], cwd=clone, check=True)
        IMAGES.mkdir(exist_ok=True)
        with links(clone) as served:
            for name, file, height in (
                ("run table", "table.png", 570),
                ("side by side", "charts.png", 760),
            ):
                with page(served[name], 1480, height) as opened:
                    # A new browser shows boxes beside the runs, which a user closes once.
                    opened.get_by_text("MLflow Assistant").wait_for()
                    for box in opened.get_by_role("button", name="Close").all():
                        box.click()
                    opened.get_by_text("train.epochs=1000").first.wait_for()
                    if name == "side by side":
                        opened.get_by_text("Step", exact=True).wait_for()
                        opened.wait_for_timeout(3000)  # the bars grow
                    opened.screenshot(path=IMAGES / file)
    print(f"written: {IMAGES}")


if __name__ == "__main__":
    main()
