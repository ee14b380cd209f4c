"""What `make ui` does: open `mlflow ui` on the runs, and print the links that matter."""

import argparse
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
import webbrowser
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mlflow.entities import Run

from pipeline.settings import params as params_yaml
from pipeline.settings import runner
from pipeline.settings.errors import UserError
from pipeline.tracking import lock_file
from pipeline.tracking.replay import replay_missing
from pipeline.tracking.store import Store, open_store, other_experiments
from pipeline.tracking.store_address import is_server, page, shown
from pipeline.tracking.store_failures import explained
from pipeline.tracking.tags import RESULT_ID, SHARED_VIEW, SUPERSEDED_BY

VIEW = "abline"
"""The name under which `save_view` keeps its view in the experiment."""
REFUSED = {1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6697, 10080} | set(
    range(6665, 6670)
)
"""Ports above 1023 that browsers do not open (the Fetch standard's "bad ports")."""
ANSWER = "prediction.query_1."
"""The beginning of the metrics with the answers to the first query, one for each target."""
DECIDING = ("test.r2", "test.rmse", "test.loss", ANSWER, "train.loss", "reference.gap")
"""Metrics that tell which of two models is better, the most telling first."""
USUAL = ("train.lr", "train.epochs", "train.optimizer")
"""Parameters to show where no parameter differs."""
COLUMNS = 6  # of parameters, and charts of metrics
ROOM = 3
"""Columns that are seen beside MLflow's Assistant on a page of 1400 pixels: metrics come first."""


def main() -> None:
    """Run `mlflow ui` until Ctrl-C; print the links that matter as soon as they work."""
    parser = argparse.ArgumentParser(
        prog="python -m pipeline.ui",
        description="Open `mlflow ui` on the repository's runs. Ctrl-C ends it.",
    )
    parser.add_argument(
        "--port", default="5000", help="the port to serve on 127.0.0.1 (5000); 0: any free one"
    )
    port = parser.parse_args().port
    with runner.program(again="`make ui`"):
        settings = params_yaml.load().tracking
        done, _ = replay_missing(settings)
        for line in done:
            print(line)
        store = open_store(settings.experiment)
        if is_server(store.uri):  # its pages are there already
            print(links(store, page(store.uri)))
            return
        _serve(store, _free(port))


def links(store: Store, place: str) -> str:
    """The store and the pages worth opening, which `mlflow ui` itself opens on others."""
    runs = f"{place}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    runs += f"&viewStateShareKey={VIEW}"
    lines = [
        f"store        {shown(store.uri)}",
        f"run table    {runs}",
        f"side by side {runs}&compareRunsMode=CHART",
    ]
    if not save_view(store):
        others = ", ".join(map(repr, other_experiments(store)))
        there_are = f"here; there are runs in {others}: set tracking.experiment to go on there"
        lines.append(f"no run yet   {there_are if others else '`make repro` makes the first'}")
    return "\n".join(lines)


def save_view(store: Store) -> int:
    """Save a view of the runs in the store that shows what differs, and give their number.

    MLflow keeps a view that is shared as a tag of the experiment.
    """
    with explained(store.uri):
        runs = store.client.search_runs([store.experiment_id], max_results=200)
        tag = f"{SHARED_VIEW}.{VIEW}"
        store.client.set_experiment_tag(store.experiment_id, tag, json.dumps(view(runs)))
    return len(runs)


def view(runs: Sequence[Run]) -> dict[str, Any]:
    """Return the state of MLflow's page that shows which run was better, and what was different.

    By itself the table shows no parameter and no metric, and the charts show ten runs, with a loss
    that falls by powers of ten on a linear scale. This one has the parameters that differ, the
    metrics that decide, and the loss on a log scale.
    runs: newest first.
    """
    deciding = metrics_that_decide(runs)
    varied = params_that_differ(runs)
    columns = [f"params.`{key}`" for key in varied]
    columns += [f"metrics.`{key}`" for key in deciding[: max(1, ROOM - len(varied))]]
    curves = [key for key in ("test_loss", "loss") if any(key in run.data.metrics for run in runs)]
    line: dict[str, Any] = {"type": "LINE", "xAxisKey": "step", "xAxisScaleType": "linear"}
    line |= {"scaleType": "log", "lineSmoothness": 0, "selectedXAxisMetricKey": "", "range": {}}
    charts = [line | {"metricKey": key, "selectedMetricKeys": [key]} for key in curves or ["loss"]]
    charts += [{"type": "BAR", "metricKey": key} for key in deciding]
    return {
        "selectedColumns": columns,
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "runsHiddenMode": "SHOWALL",
        "compareRunSections": [{"uuid": "first", "name": "Loss and answers", "display": True}],
        "compareRunCharts": [
            {
                "uuid": chart["metricKey"],
                "displayName": chart["metricKey"],
                "metricSectionId": "first",
                "runsCountToCompare": 100,
                "deleted": False,
                "isGenerated": False,
                **chart,
            }
            for chart in charts
        ],
    }


def params_that_differ(runs: Sequence[Run]) -> list[str]:
    """Return the parameters to show: those that differ among the runs of the last generation first.

    A generation is the runs with the same parameters as the newest complete one: a parameter that
    older code did not have yet was not varied. Of several, the one that most runs varied is first.
    Those that change no figure are shown if no other differs, and the usual ones if none does.
    """
    current = [run for run in runs if SUPERSEDED_BY not in run.data.tags]
    newest = next((run for run in current if RESULT_ID in run.data.tags), None)
    names = set(newest.data.params) if newest is not None else set()
    last = [run for run in current if set(run.data.params) == names]

    def varied(key: str, among: Sequence[Run]) -> int:
        """The number of runs with another value than the most common one."""
        values = Counter(run.data.params[key] for run in among if key in run.data.params)
        return values.total() - max(values.values(), default=0)

    found: list[str] = []
    for among in (last, current):
        keys = sorted({key for run in among for key in run.data.params})
        counts = {key: varied(key, among) for key in keys}
        order = sorted(counts, key=lambda key: -counts[key])
        found += [key for key in order if counts[key] and key not in found]
    known = {key for run in current for key in run.data.params}
    found = list(filter(lock_file.changes_figures, found)) or found
    return found[:COLUMNS] or [key for key in USUAL if key in known]


def metrics_that_decide(runs: Sequence[Run]) -> list[str]:
    """Return the metrics to show: held-out rows first, and none that is the same in all runs.

    Where all of them are the same in all runs, they are shown all the same: a page without figures
    says nothing. Of two that are equal in every run that has both (the gap to an optimum of 0 is
    the loss, and runs of older code have no gap) one is shown.
    """
    keys = sorted({key for run in runs for key in run.data.metrics})
    answers = [key for key in keys if key.startswith(ANSWER)]
    deciding = [key for name in DECIDING for key in (answers if name == ANSWER else [name])]
    values = {key: [run.data.metrics.get(key) for run in runs] for key in deciding if key in keys}

    def are_equal(one: str, other: str) -> bool:
        pairs = [pair for pair in zip(values[one], values[other], strict=True) if None not in pair]
        return bool(pairs) and all(this == that for this, that in pairs)

    shown: list[str] = []
    for key in [key for key in values if len({*values[key]} - {None}) > 1] or values:
        if not any(are_equal(key, before) for before in shown):
            shown.append(key)
    return shown[:COLUMNS]


def _serve(store: Store, port: int) -> None:
    # The model registry's job runners are for other uses; without them it starts in a third of
    # the time and a fraction of the memory.
    os.environ["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] = "false"
    os.environ.setdefault("PYTHONWARNINGS", "ignore:starlette.middleware.wsgi is deprecated")
    # Not as options, which everybody on this machine can read: an address may have a password.
    os.environ |= {"MLFLOW_BACKEND_STORE_URI": store.uri, "MLFLOW_REGISTRY_STORE_URI": store.uri}
    place = f"http://127.0.0.1:{port}"
    # In a session of its own, because Ctrl-C in the terminal would make it print tracebacks.
    view = subprocess.Popen(
        [
            *(sys.executable, "-m", "mlflow", "ui", "--workers", "1"),
            *("--host", "127.0.0.1", "--port", str(port)),
            *("--uvicorn-opts", "--log-level=warning"),
        ],
        start_new_session=True,
    )
    try:
        while view.poll() is None and not _answers(place):
            time.sleep(0.1)
        if view.returncode is None:
            print(links(store, place))
            if not _has_browser():
                here = f"{port}:127.0.0.1:{port}"
                print(f"no browser on this machine; on yours: ssh -N -L {here} HOST")
            print("Ctrl-C ends it", flush=True)
        sys.exit(view.wait())
    except KeyboardInterrupt:
        return
    finally:
        if view.poll() is None:
            os.killpg(view.pid, signal.SIGTERM)
            view.wait()


def _answers(place: str) -> bool:
    # Without the proxy that a user may have set for the world outside.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(f"{place}/health", timeout=5):
            return True
    except (OSError, http.client.HTTPException):
        return False


def _has_browser() -> bool:
    try:
        webbrowser.get()
    except webbrowser.Error:
        return False
    return True


def _free(asked: str) -> int:
    """The port asked for, or a free one for 0.

    Raises UserError if it is no port, one that browsers refuse, or taken.
    """
    if not asked.isdecimal() or int(asked) > 65535:
        raise UserError(
            f"port {asked}: must be a number from 0 to 65535, as in `make ui PORT=5001`"
        )
    if int(asked) in REFUSED:
        raise UserError(
            f"port {asked}: browsers refuse it, because another protocol has it; `make ui PORT=0`"
            " takes any free one"
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(asked)))
            return int(probe.getsockname()[1])
        except OSError as error:
            raise UserError(
                f"port {asked}: {error.strerror}; `make ui PORT={int(asked) + 1}` takes another,"
                " and PORT=0 any free one"
            ) from None


if __name__ == "__main__":
    main()
