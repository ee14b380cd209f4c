"""Tables of sales, whose rows belong together or follow each other in time."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
from conftest import job
from own_tables import put

from pipeline.settings import files
from pipeline.settings.params import Params
from pipeline.tables import table

FIRST_DAY = 18_262  # 2020-01-01


def sales(rows: int = 400, customers: int = 40, days: int = 100, seed: int = 0) -> pa.Table:
    """Return rows of customers, in no order of time."""
    random = np.random.default_rng(seed)
    x = random.normal(size=rows).round(3)
    day = pa.array((FIRST_DAY + random.integers(days, size=rows)).tolist(), pa.int32())
    return pa.table(
        {
            "customer": [f"c{each}" for each in random.integers(customers, size=rows)],
            "x": x,
            "sold": day.cast(pa.date32()),
            "y": (2 * x + random.normal(size=rows)).round(3),
            "row": np.arange(float(rows)),
        }
    )


def put_csv(whole: pa.Table) -> str:
    """Write a table as CSV and return its path."""
    path = put(b"", "sales.csv")
    pa_csv.write_csv(whole, path)
    return str(path)


def sales_job(source: str, **changes: Any) -> Params:
    """Return a job on sales. The features are x and row."""
    usual: dict[str, Any] = {
        "data__features": ["x", "row"],
        "train__optimizer": "exact",
        "evaluate__queries": [],
    }
    return job(data__source=source, **usual | changes)


def sides() -> dict[str, dict[str, list[Any]]]:
    """Return the columns of both tables that `generate` wrote."""
    return {
        side: table.read_arrow(path).to_pydict()
        for side, path in (("train", files.TRAIN), ("test", files.TEST))
    }
