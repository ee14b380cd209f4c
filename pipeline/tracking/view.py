"""View of the runs in MLflow's page: columns and charts that show which run is better, and why.

MLflow's own table shows no parameter and no metric, and its charts show ten runs, with a loss that
falls by powers of ten on a linear scale.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

from mlflow.entities import Run

from pipeline.results import lock_file
from pipeline.tracking.store import Store, other_experiments
from pipeline.tracking.store_address import shown
from pipeline.tracking.store_failures import explained
from pipeline.tracking.tags import PARENT, RESULT_ID, SHARED_VIEW, SUPERSEDED_BY, SWEEP

VIEW_NAME = "abline"
"""Name under which `share` keeps the view in the experiment."""
SWEEP_VIEW_NAME = "abline-sweep"
"""Name of the view of the configurations of the newest sweep."""
NO_SWEEPS = f"attributes.status != '' and tags.`{SWEEP}` IS NULL"
"""Filter of the runs that belong to no sweep. Without the first condition the page takes it for a
part of a name."""
FIRST_QUERY = "prediction.query_1."
"""Prefix of the metrics with the predictions for the first query, one for each target."""
DECIDING_METRICS = (
    *("test.own_unit_rmse", "test.r2", "test.rmse", "test.loss", "cv.r2.mean", "cv.rmse.mean"),
    *(FIRST_QUERY, "train.loss", "reference.gap"),
)
"""Metrics that say which of two models is better, the most telling first."""
METRICS_OF_SWEEP = ("cv.rmse.mean", "cv.r2.mean", "test.rmse", "test.r2", "train.rmse")
"""Metrics that say which configuration is better, without the rows held out if that is possible."""
DEFAULT_PARAMS = ("train.lr", "train.epochs", "train.optimizer")
"""Parameters to show if no parameter differs."""
MOST_PARAMS_SHOWN = 6
"""Columns of parameters at the most."""
MOST_METRICS_SHOWN = 6
"""Charts of metrics at the most."""
VISIBLE_COLUMNS = 3
"""Columns that are visible beside MLflow's Assistant on a page of 1400 pixels."""


def links(store: Store, page_url: str) -> str:
    """Return the store and the links to its runs: `mlflow ui` itself opens another page.

    Shares the view that the links open.
    """
    page = f"{page_url}/#/experiments/{store.experiment_id}/runs?workflowType=machine_learning"
    runs = f"{page}&viewStateShareKey={VIEW_NAME}"
    lines = [
        f"store        {shown(store.uri)}",
        f"run table    {runs}",
        f"side by side {runs}&compareRunsMode=CHART",
    ]
    if not share(store):
        others = ", ".join(map(repr, other_experiments(store)))
        there_are = f"here; there are runs in {others}: set tracking.experiment to show them"
        lines.append(f"no run yet   {there_are if others else '`make repro` makes the first'}")
    if share_sweep(store):
        lines.append(f"last sweep   {page}&viewStateShareKey={SWEEP_VIEW_NAME}")
    return "\n".join(lines)


def share(store: Store) -> int:
    """Save the view of the experiment's runs in the store; return the number of runs.

    MLflow keeps a shared view as a tag of the experiment.
    """
    with explained(store.uri):
        has_sweep = bool(_of_sweep(store, f"tags.`{SWEEP}` != ''", 1))
        condition = NO_SWEEPS if has_sweep else ""
        runs = store.client.search_runs([store.experiment_id], condition, max_results=200)
        _save(store, VIEW_NAME, state(runs) | ({"searchFilter": condition} if has_sweep else {}))
    return len(runs)


def share_sweep(store: Store) -> int:
    """Save the view of the configurations of the newest sweep; return their number, at most 200."""
    with explained(store.uri):
        newest = _of_sweep(store, f"tags.`{SWEEP}` != '' and tags.`{PARENT}` IS NULL", 1)
        if not newest:
            return 0
        condition = f"tags.`{PARENT}` = '{newest[0].info.run_id}'"
        runs = _of_sweep(store, condition, 200)
        metrics = metrics_that_decide(runs, METRICS_OF_SWEEP)
        order = {"orderByKey": f"metrics.`{metrics[0]}`", "orderByAsc": True} if metrics else {}
        view = state(runs, METRICS_OF_SWEEP) | order | {"searchFilter": condition}
        _save(store, SWEEP_VIEW_NAME, view)
    return len(runs)


def _of_sweep(store: Store, condition: str, most: int) -> list[Run]:
    return list(store.client.search_runs([store.experiment_id], condition, max_results=most))


def _save(store: Store, name: str, view: dict[str, Any]) -> None:
    tag = f"{SHARED_VIEW}.{name}"
    store.client.set_experiment_tag(store.experiment_id, tag, json.dumps(view))


def state(runs: Sequence[Run], deciding: Sequence[str] = DECIDING_METRICS) -> dict[str, Any]:
    """Return the view as MLflow's page stores it.

    Columns: the parameters that differ, then the metrics that decide. Charts: the loss on a log
    scale, and the same metrics.
    runs: newest first.
    """
    metrics = metrics_that_decide(runs, deciding)
    params = params_that_differ(runs)
    columns = [f"params.`{key}`" for key in params]
    # At least one metric is visible; more of them only in the place that parameters leave.
    columns += [f"metrics.`{key}`" for key in metrics[: max(1, VISIBLE_COLUMNS - len(params))]]
    curves = [key for key in ("test_loss", "loss") if any(key in run.data.metrics for run in runs)]
    line: dict[str, Any] = {"type": "LINE", "xAxisKey": "step", "xAxisScaleType": "linear"}
    line |= {"scaleType": "log", "lineSmoothness": 0, "selectedXAxisMetricKey": "", "range": {}}
    charts = [line | {"metricKey": key, "selectedMetricKeys": [key]} for key in curves or ["loss"]]
    charts += [{"type": "BAR", "metricKey": key} for key in metrics]
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
    """Return the parameters to show, which differ among the runs.

    The parameters that differ in the last generation are first: in the runs that have the same
    parameters as the newest complete run. (Older code had fewer parameters: nobody varied the
    others.) Of several parameters, the one that most runs varied is first. Parameters that change
    no figure are shown only if no other parameter differs, DEFAULT_PARAMS if no parameter differs.
    """
    current = [run for run in runs if SUPERSEDED_BY not in run.data.tags]
    newest = next((run for run in current if RESULT_ID in run.data.tags), None)
    names = set(newest.data.params) if newest is not None else set()
    last_generation = [run for run in current if set(run.data.params) == names]

    differing: list[str] = []
    for among in (last_generation, current):
        keys = sorted({key for run in among for key in run.data.params})
        counts = {key: _number_varied(key, among) for key in keys}
        order = sorted(counts, key=lambda key: -counts[key])
        differing += [key for key in order if counts[key] and key not in differing]
    differing = list(filter(lock_file.changes_figures, differing)) or differing
    known = {key for run in current for key in run.data.params}
    return differing[:MOST_PARAMS_SHOWN] or [key for key in DEFAULT_PARAMS if key in known]


def _number_varied(key: str, runs: Sequence[Run]) -> int:
    """Return the number of runs whose value of the parameter is not the most common value."""
    values = Counter(run.data.params[key] for run in runs if key in run.data.params)
    return values.total() - max(values.values(), default=0)


def metrics_that_decide(
    runs: Sequence[Run], deciding: Sequence[str] = DECIDING_METRICS
) -> list[str]:
    """Return the metrics to show: of held-out rows first, without metrics that never differ.

    If no metric differs, all are shown: a page without figures says nothing. Of two
    metrics that are equal in every run that has both, one is shown: if the optimum is 0, the gap
    is the loss, and runs of older code have no gap.
    """
    keys = sorted({key for run in runs for key in run.data.metrics})
    predictions = [key for key in keys if key.startswith(FIRST_QUERY)]
    order = [
        key
        for name in deciding
        for key in (predictions if name == FIRST_QUERY else [name])
        if key in keys
    ]
    values = {key: [run.data.metrics.get(key) for run in runs] for key in order}

    def are_equal(one: str, other: str) -> bool:
        pairs = [pair for pair in zip(values[one], values[other], strict=True) if None not in pair]
        return bool(pairs) and all(this == that for this, that in pairs)

    differing = [key for key in order if len({*values[key]} - {None}) > 1]
    different: list[str] = []
    for key in differing or order:
        if not any(are_equal(key, before) for before in different):
            different.append(key)
    return different[:MOST_METRICS_SHOWN]
