"""`make ui` shows at a glance which run was better and what was different about it."""

import json
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import ROOT, Checkout, environment, job, tracked_runs
from mlflow.entities import Metric, Param, Run, RunData, RunInfo, RunTag
from screenshots import links, page

from pipeline import evaluate, export, generate, track, train, ui
from pipeline.settings.params import Params
from pipeline.tracking import store

STAGES = (generate, train, evaluate, export, track)

chromium = pytest.mark.skipif(
    not (shutil.which("chromium") or shutil.which("google-chrome")),
    reason="there is no Chromium; on Debian, `apt-get install chromium` brings it",
)


def run_stages(params: Params) -> None:
    for stage in STAGES:
        stage.main(params)


def test_the_browser_view_serves_the_runs_and_says_where(workspace: Path) -> None:
    run_stages(job())
    shutil.copy(ROOT / "params.yaml", "params.yaml")
    command = [sys.executable, "-m", "pipeline.ui", "--port", "0"]
    proxied = environment(http_proxy="http://127.0.0.1:9")
    view = subprocess.Popen(command, env=proxied, stdout=subprocess.PIPE, text=True)
    try:
        assert view.stdout is not None
        told = [view.stdout.readline().split(maxsplit=1) for _ in range(3)]
        assert told[0] == ["store", f"sqlite:///{workspace}/mlflow.db\n"]
        table = told[1][1].removeprefix("table").strip()
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


@pytest.mark.parametrize("port", ["abc", "65536"])
def test_a_port_that_is_none(workspace: Path, port: str) -> None:
    told = Checkout(workspace)("python", "-m", "pipeline.ui", f"--port={port}", ok=False)
    assert told.startswith(f"error: port {port}: must be a number from 0 to 65535")
    assert told.count("\n") == 1


def test_a_port_that_browsers_refuse(workspace: Path) -> None:
    told = Checkout(workspace)("python", "-m", "pipeline.ui", "--port=5061", ok=False)
    assert told.startswith("error: port 5061: browsers refuse it")


def test_the_browser_view_of_an_empty_store_says_what_to_do(workspace: Path) -> None:
    told = ui.links(store.open_store("abline"), "http://127.0.0.1:5000")
    assert told.splitlines()[-1] == "no run yet   `make repro` makes the first"


def test_a_port_that_is_taken(workspace: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        command = [sys.executable, "-m", "pipeline.ui", "--port", port]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert done.returncode == 1
    cure = f"`make ui PORT={int(port) + 1}` takes another, and PORT=0 any free one"
    assert done.stderr == f"error: port {port}: Address already in use; {cure}\n"


def a_run(
    params: Mapping[str, object], metrics: Mapping[str, float], tags: str = "result_id"
) -> Run:
    """A run with these values, as MLflow gives it."""
    return Run(
        RunInfo("id", "0", "user", "FINISHED", 0, None, "active", None),
        RunData(
            [Metric(key, value, 0, 0) for key, value in metrics.items()],
            [Param(key, str(value)) for key, value in params.items()],
            [RunTag(tags, "there")],
        ),
    )


def columns(*runs: Run) -> list[str]:
    """The columns of the page, of runs from the newest to the oldest."""
    return [name.replace("`", "") for name in ui.view(runs)["selectedColumns"]]


def test_the_columns_are_what_was_varied_in_the_last_generation() -> None:
    common: dict[str, float] = {
        "a.new": 1,
        "b.new": 2,
        "c.new": 3,
        "d.new": 4,
        "e.new": 5,
        "f.new": 6,
    }
    base = {"train.lr": 0.01, "train.epochs": 100, "train.momentum": 0.0}
    varied = [base | {"train.lr": lr} for lr in (0.02, 0.05, 0.1, 0.2)]
    varied += [base | {"train.epochs": 1000}, base]
    new = [a_run(common | params, {"loss": 0.1}) for params in varied]
    old = [a_run(base | {"train.momentum": 0.9}, {}), a_run(base, {})]
    training = a_run({"train.lr": 0.3}, {"loss": 1.0}, tags="process.training")
    evaluated = a_run({}, {"r2_score": 0.5}, tags="mlflow.evaluation")
    shown = ["params.train.lr", "params.train.epochs"]
    assert columns(*new) == shown
    assert columns(training, evaluated, *new) == shown
    # What only older runs varied comes last; what they lack was not varied by anybody.
    assert columns(*new, *old) == [*shown, "params.train.momentum"]


def test_the_metrics_are_those_that_decide_and_differ() -> None:
    figures = {"train.loss": 1.0, "train.r2": 0.9, "reference.gap": 1.0, "test.loss": 0.5}
    answers = {"prediction.query_1.rent": 3.0, "prediction.query_2.rent": 4.0}
    first = a_run({}, figures | answers | {"test.r2": 0.8})
    other = {"test.r2": 0.7, "train.loss": 0.9, "reference.gap": 0.9, "loss": 0.9}
    second = a_run({}, figures | answers | other)
    assert columns(first, second) == ["metrics.test.r2", "metrics.train.loss"]
    assert charts(first, second) == ["loss", "test.r2", "train.loss"]
    alone = ["test.r2", "test.loss", "prediction.query_1.rent", "train.loss"]
    assert charts(first) == ["loss", *alone]


def charts(*runs: Run) -> list[str]:
    """The charts of the page."""
    return [chart["metricKey"] for chart in ui.view(runs)["compareRunCharts"]]


def test_runs_that_do_not_differ_are_shown_with_their_figures_and_the_usual_parameters() -> None:
    values = {"train.lr": 0.01, "train.epochs": 100, "train.optimizer": "sgd", "seed": 0}
    figures = {"prediction.query_1.y": 7.5, "train.loss": 0.1}
    same = [a_run(values, figures), a_run(values, figures)]
    usual = ["train.lr", "train.epochs", "train.optimizer"]
    assert columns(*same) == [*(f"params.{key}" for key in usual), "metrics.prediction.query_1.y"]
    assert charts(*same) == ["loss", *figures]


def test_parameters_that_change_no_figure_are_shown_if_no_other_differs() -> None:
    base = {"train.lr": 0.01, "export.atol": 0.0}
    newest, old = a_run(base, {}), a_run(base | {"export.atol": 1e-6}, {})
    assert columns(newest, old) == ["params.export.atol"]
    assert columns(newest, a_run(base | {"train.lr": 0.02}, {}), old) == ["params.train.lr"]


def test_a_metric_that_older_runs_lack_is_compared_among_those_that_have_it() -> None:
    """The gap to an optimum of 0 is the loss, and older code had no gap."""
    runs = [a_run({}, {"train.loss": loss, "reference.gap": loss}) for loss in (0.1, 0.2)]
    assert charts(*runs, a_run({}, {"train.loss": 0.3})) == ["loss", "train.loss"]
    other = a_run({}, {"train.loss": 0.3, "reference.gap": 0.2})
    assert charts(*runs, other) == ["loss", "train.loss", "reference.gap"]


def test_metrics_leave_room_for_the_parameters_that_differ() -> None:
    figures = {f"test.{name}": 0.1 for name in ("r2", "rmse", "loss")}
    better = {key: 2 * value * number for number, (key, value) in enumerate(figures.items(), 1)}
    base = {"train.lr": 0.01, "train.epochs": 100}
    one = [a_run(base, figures), a_run(base | {"train.lr": 0.02}, better)]
    assert columns(*one) == ["params.train.lr", "metrics.test.r2", "metrics.test.rmse"]
    two = [*one, a_run(base | {"train.epochs": 1000}, better)]
    assert columns(*two) == ["params.train.epochs", "params.train.lr", "metrics.test.r2"]
    assert charts(*two) == ["loss", "test.r2", "test.rmse", "test.loss"]


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
    """Their check boxes, the button, then the metric's name: the values and the curves of both."""
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
