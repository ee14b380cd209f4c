"""Name of a run: the parameters that differ, and the experiment or commit."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pipeline.results import provenance
from pipeline.results.provenance import Origin
from pipeline.tracking.runs import param_text
from pipeline.tracking.store import Store
from pipeline.tracking.tags import BASELINE, COMMIT, RESULT_ID

LONGEST_NAME_LETTERS = 250
"""PostgreSQL and other databases take no longer name."""


def cut(name: str) -> str:
    """Return a run's name, cut to the length that every kind of store takes."""
    return name if len(name) <= LONGEST_NAME_LETTERS else f"{name[: LONGEST_NAME_LETTERS - 1]}…"


def shortened(store: Store, origin: Origin, values: Mapping[str, Any], began: int) -> Origin:
    """Return `origin` with the shorter name: the differences from the commit or an earlier run.

    A person who has changed eight parameters and commits nothing often varies only one of them from
    run to run. The earlier run is, among the last 20 runs of the same commit, the run with the
    fewest differences: in a queue, the run before may be of another series.
    values: the run's parameters; began: its start in ms since 1970.
    """
    if not origin.place or (origin.changes is not None and len(origin.changes) < 2):
        return origin
    earlier_runs = store.client.search_runs(
        [store.experiment_id],
        f"tags.{RESULT_ID} != '' and attributes.start_time < {began}",
        order_by=["attributes.start_time DESC"],
        max_results=100,
    )
    base = origin.baseline or origin.commit
    earlier_params = [
        run.data.params
        for run in earlier_runs
        if (run.data.tags.get(BASELINE) or run.data.tags.get(COMMIT)) == base
    ]
    texts = {key: param_text(value) for key, value in values.items()}
    differences = [
        {key: values[key] for key in values if params.get(key, texts[key]) != texts[key]}
        for params in earlier_params[:20]
    ]
    fewest = min(filter(None, differences), key=len, default=None)
    if fewest is None or (origin.changes is not None and len(origin.changes) <= len(fewest)):
        return origin
    return replace(origin, name=f"{provenance.differences(fewest)} ({origin.place})")
