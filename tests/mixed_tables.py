"""A table of numbers, categories and dates, as `generate` writes it, and the plans of tables."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from conftest import job
from sums import put_tables

from pipeline.columns import learn, statistics
from pipeline.columns.number import NumberColumn
from pipeline.columns.plan import Plan, RowCounts
from pipeline.settings.keys.column_settings import ColumnSettings
from pipeline.settings.params import Params

FEATURES: dict[str, Any] = {
    "area": "number",
    "age": {"kind": "number", "missing": "mean", "indicator": True},
    "heating": {"kind": "category", "missing": "level"},
    "district": {"kind": "category", "min_count": 3, "unseen": "rare"},
    "sold": {"kind": "date", "parts": ["days", "month"]},
}
QUERIES: list[Any] = [
    {"area": 70, "age": None, "heating": "gas", "district": "north", "sold": "2020-01-05"},
    {"area": 90.5, "age": 3, "heating": None, "district": "new", "sold": "2020-02-01"},
]


def mixed_job(**changes: Any) -> Params:
    """Return a job on `mixed_rows`."""
    return job(
        **{
            "data__source": "data/raw/flats.csv",
            "data__features": FEATURES,
            "data__targets": ["price"],
            "evaluate__queries": QUERIES,
            "train__optimizer": "exact",
        }
        | changes
    )


def mixed_rows(count: int = 40) -> pa.Table:
    """Return rows with gaps and a rare level; the price is a sum of effects and noise."""
    random = np.random.default_rng(0)
    area = random.uniform(40, 120, count).round(1)
    age = random.integers(0, 50, count).astype(np.float64)
    age[::7] = np.nan
    heating = [("gas", "oil", "gas", "")[index % 4] for index in range(count)]
    district = ["south|west" if index % 3 == 1 else "north" for index in range(count)]
    district[5] = "once"
    days = 18_262 + np.arange(count) * 2 % 90
    extra = np.array([{"gas": 10.0, "oil": 0.0, "": 5.0}[each] for each in heating])
    price = 2 * area + extra + random.normal(size=count)
    return pa.table(
        {
            "area": pa.array(area),
            "age": pa.array(age, from_pandas=False),
            "heating": pa.array(heating, pa.string()),
            "district": pa.array(district, pa.string()),
            "sold": pa.array(days.astype(np.int32)).cast(pa.date32()),
            "price": pa.array(price),
        }
    )


def mixed_plan(
    rows: pa.Table | None = None, columns: Mapping[str, ColumnSettings] | None = None
) -> Plan:
    """Return the plan of columns, by default of the mixed job."""
    rows = mixed_rows() if rows is None else rows
    return Plan(
        rows=RowCounts(
            source=rows.num_rows + 2, dropped={"area": 2}, training=rows.num_rows, test=0
        ),
        excluded=("id",),
        columns=tuple(
            learn.column(
                name,
                settings,
                statistics.of_column(settings, rows.column(name)),
                statistics.count_in(lambda name: [rows.column(name)]),
            )
            for name, settings in (columns or mixed_job().data.columns).items()
        ),
    )


def put_mixed(params: Params | None = None) -> Plan:
    """Write what `generate` writes for a mixed job into the working directory; return the plan."""
    data = (params or mixed_job()).data
    rows = mixed_rows().select([*data.columns, *data.targets])
    plan = mixed_plan(rows, data.columns)
    put_tables(rows, rows.slice(0, 0), plan, data.targets)
    return plan


def number_plan(names: Sequence[str]) -> Plan:
    """Return the plan of columns of numbers without gaps."""
    return Plan(
        rows=RowCounts(source=1, dropped={}, training=1, test=0),
        excluded=(),
        columns=tuple(
            NumberColumn(name=name, missing_rows=0, fill=None, indicator=False, min=0, max=1)
            for name in names
        ),
    )
