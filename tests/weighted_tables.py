"""A table whose rows stand for several equal ones, and the same table with these rows repeated."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
from conftest import job
from own_tables import put

from pipeline import evaluate, generate, train
from pipeline.measures.influence import HEADER
from pipeline.settings import csv_cells, files
from pipeline.settings.params import Params

FIRST_FIGURE = HEADER.index("actual")
GROUPS, TIMES = 30, [1, 2, 1, 3, 0, 1, 2, 4, 1, 5]
"""Each group has rows of all these frequencies, so that no choice of groups depends on them."""
FREQUENCY = {"by": "times", "kind": "frequency"}
KINDS = {
    "area": {"kind": "number", "missing": "mean", "indicator": True},
    "age": {"kind": "number", "missing": "median"},
    "rooms": "number",
    "heating": {"kind": "category", "min_count": 30, "unseen": "rare", "missing": "level"},
    "sold": {"kind": "date", "parts": ["days", "weekday"]},
}


def frequencies() -> tuple[pa.Table, pa.Table]:
    """Return a table with the column `times`, and its rows repeated so often, without it."""
    random = np.random.default_rng(0)
    rows = GROUPS * len(TIMES)
    times = np.concatenate([random.permutation(TIMES) for _ in range(GROUPS)])
    area = random.normal(90, 20, rows).round(1)
    area[::17] = np.nan
    age = random.integers(0, 80, rows) + 0.5
    age[5::23] = np.nan
    heating = random.choice(["gas", "oil", "wood", "peat", ""], rows, p=[0.4, 0.3, 0.18, 0.02, 0.1])
    rooms = random.integers(1, 6, rows).astype(float)
    price = np.nan_to_num(area, nan=90.0) * 3.1 + 20 * rooms + random.normal(0, 25, rows)
    day = pa.array((18_262 + random.integers(0, 400, rows)).tolist(), pa.int32()).cast(pa.date32())
    whole = pa.table(
        {
            "group": [f"g{number:02}" for number in np.repeat(np.arange(GROUPS), len(TIMES))],
            "area": pa.array(area, from_pandas=False),
            "age": pa.array(age, from_pandas=False),
            "rooms": rooms,
            "heating": heating.tolist(),
            "sold": day,
            "price": price.round(2),
            "times": times.astype(np.int64),
            "weight": (times / 8).tolist(),
        }
    )
    repeated = whole.take(pa.array(np.repeat(np.arange(rows), times).tolist()))
    return whole, repeated.drop_columns(["times", "weight"])


def weighted_job(source: str, weights: Any, **changes: Any) -> Params:
    """Return a job on these tables, with whole groups held out and in folds."""
    usual: dict[str, Any] = {
        "data__features": KINDS,
        "data__targets": ["price"],
        "data__test_fraction": {"by": "group", "share": 0.2},
        "data__folds": {"by": "group", "number": 4},
        "train__optimizer": "exact",
        "evaluate__queries": [
            {"area": 100.0, "age": None, "rooms": 3.0, "heating": "oil", "sold": "2020-05-05"}
        ],
    }
    return job(data__source=source, data__weights=weights, **usual | changes)


def put_tables() -> tuple[str, str]:
    """Write both tables and return their paths."""
    names = "times.parquet", "repeated.parquet"
    for name, table in zip(names, frequencies(), strict=True):
        put(table, name)
    return f"data/raw/{names[0]}", f"data/raw/{names[1]}"


def evaluated(params: Params) -> dict[str, Any]:
    """Run the stages up to `evaluate`, without plots; return what they report."""
    with patch.object(train, "live_run"), patch.object(evaluate, "draw"):
        for stage in (generate, train, evaluate):
            stage.main(params)
    reports = [files.COEFFICIENTS, files.METRICS, files.PREDICTIONS, files.HISTORY, files.PATH]
    reports.append(files.INFLUENCE)
    return {str(path): _comparable(path) for path in reports if path.exists()}


def _comparable(path: Path) -> Any:
    """Return a report without what is not the same for a row that counts twice and for two rows.

    Of equal rows, which have no order, influence.csv has one; the halves that tell an interval's
    coverage are drawn by place.
    """
    if path == files.INFLUENCE:
        figures = [tuple(row.values())[FIRST_FIGURE:] for row in csv_cells.read_csv(path)]
        return [*dict.fromkeys(figures)]
    if path == files.METRICS:
        metrics = json.loads(path.read_bytes())
        metrics["diagnostics"].pop("weights", None)
        for figures in metrics["diagnostics"].get("targets", {}).values():
            figures.pop("durbin_watson", None)
        metrics.get("interval", {}).pop("coverage", None)
        return metrics
    return path.read_bytes()
