"""`make ui` shows at a glance which run is better and which parameters differ."""

import json
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT, environment, job, tracked_runs
from screenshots import links, page
from stage_runs import run_stages

chromium = pytest.mark.skipif(
    not (shutil.which("chromium") or shutil.which("google-chrome")),
    reason="there is no Chromium; on Debian, `apt-get install chromium` brings it",
)


@pytest.mark.slow
def test_the_browser_view_serves_the_runs_and_says_where(workspace: Path) -> None:
    run_stages(job())
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    command = [sys.executable, "-m", "pipeline.ui", "--port", "0"]
    proxied = environment(http_proxy="http://127.0.0.1:9")
    view = subprocess.Popen(command, env=proxied, stdout=subprocess.PIPE, text=True)
    try:
        assert view.stdout is not None
        printed = [view.stdout.readline().split(maxsplit=1) for _ in range(3)]
        assert printed[0] == ["store", f"sqlite:///{workspace}/mlflow.db\n"]
        table = printed[1][1].removeprefix("table").strip()
        assert "?workflowType=machine_learning" in table
        place, _, experiment = table.partition("/#/experiments/")
        with urllib.request.urlopen(f"{place}/health"):
            pass  # the links are printed when they work
        asked = json.dumps({"experiment_ids": [experiment.partition("/")[0]]}).encode()
        request = urllib.request.Request(
            f"{place}/ajax-api/2.0/mlflow/runs/search", asked, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request) as answer:
            (run,) = json.load(answer)["runs"]
        (ours,) = tracked_runs(workspace)
        assert run["info"]["run_name"] == ours.name
    finally:
        view.send_signal(signal.SIGHUP)  # its terminal was closed
        view.communicate()
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(f"{place}/health")


@chromium
@pytest.mark.slow
def test_the_first_screen_says_which_run_was_better_and_what_was_different(workspace: Path) -> None:
    for lr in (0.01, 0.02):
        run_stages(job(train__lr=lr))
    with links(workspace) as served:
        with page(served["run table"], 1400, 450) as opened:  # beside MLflow's Assistant
            opened.get_by_text("MLflow Assistant").wait_for()
            for text in ("train.lr", "0.01", "0.02", "7.5619025", "7.7886806"):
                opened.get_by_text(text, exact=True).first.wait_for()
            assert opened.get_by_text("train.momentum", exact=True).count() == 0, "it is the same"
        with page(served["side by side"], 1480, 760) as opened:
            opened.get_by_text("Loss and answers").wait_for()
            # The ticks of a log scale: a linear one would have 0, 10, 20, ...
            ticks = opened.locator("g.ytick text")
            ticks.first.wait_for()
            assert {"0.1", "1", "10"} <= set(ticks.all_text_contents())


@pytest.mark.slow
@chromium
def test_two_runs_selected_in_the_table_can_be_compared(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Check boxes, a button, then the metric's name: the page has the values and curves of both."""
    for name, lr in (("slower", 0.01), ("faster", 0.02)):
        monkeypatch.setenv("DVC_EXP_NAME", name)  # two curves of one name could be the same one
        run_stages(job(train__lr=lr))
    losses = {run.name: [value for _, value in run.losses()] for run in tracked_runs(workspace)}
    assert len(losses) == 2
    with links(workspace) as served, page(served["run table"], 1480, 900) as opened:
        opened.get_by_text("7.7886806", exact=True).first.wait_for()
        boxes = opened.get_by_label("Press Space to toggle row selection")
        assert boxes.count() == 2
        for box in boxes.all():
            box.check()
        opened.get_by_role("button", name="Compare", exact=True).click()
        opened.get_by_text("Comparing 2 Runs from 1 Experiment").wait_for()
        row = opened.locator("tr.diff-row").filter(has_text="train.lr")
        assert row.inner_text().split() == ["train.lr", "0.02", "0.01"]
        opened.get_by_role("link", name="loss", exact=True).click()
        # The legend, which comes after the curves are there.
        for name in losses:
            opened.get_by_text(f"{name} (loss)", exact=True).wait_for()
        chart = opened.locator(".js-plotly-plot")
        assert chart.locator("path.js-line").first.is_visible()
        drawn = chart.evaluate("chart => chart.data.map(curve => [curve.name, curve.y])")
        assert dict(drawn) == losses  # each is there twice: as it is, and smoothed by nothing


@pytest.mark.slow
@chromium
def test_the_report_is_a_click_away_from_the_registered_model(workspace: Path) -> None:
    run_stages(job())
    with links(workspace) as served:
        place, _, _ = served["run table"].partition("/#/")
        with page(f"{place}/#/models/abline/versions/1", 1280, 800) as opened:
            opened.context.set_default_timeout(60_000)  # of the page that the click opens
            with opened.expect_popup() as clicked:
                opened.get_by_role("link", name="Open the report").click()
            title = clicked.value.frame_locator("iframe").locator("h1")
            title.wait_for()
            assert title.inner_text() == "y from x"
