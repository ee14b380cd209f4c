"""Jobs on Parquet parts whose rows are copied or stay in place, and what `generate` writes."""

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from conftest import job
from mixed_tables import FEATURES, mixed_rows
from own_tables import put

from pipeline import generate
from pipeline.settings import files
from pipeline.settings.params import Params
from pipeline.tables import row_groups

PARTS = "data/raw/parts"
MIXED = FEATURES | {
    "area": {"kind": "number", "missing": "drop_row"},
    "age": {"kind": "number", "missing": "median", "indicator": True},
    "floor": {"kind": "number", "missing": "mean"},
}


def contents(params: Params, keep_rows: bool) -> dict[str, Any]:
    """Run `generate` and return what it writes, without the tables and the names of the files."""
    data = params.data.model_copy(update={"keep_rows": keep_rows})
    generate.main(params.model_copy(update={"data": data}))
    assert (sum(row_groups.sizes_in(files.TRAIN)) > 0) is keep_rows
    plan = json.loads(files.COLUMNS.read_text())
    plan.pop("source")
    return {str(path): path.read_bytes() for path in (files.SUMMARY, files.SAMPLE)} | {"plan": plan}


def numbers(rows: int, seed: int = 0) -> pa.Table:
    """Return rows of numbers, with both zeros among them."""
    random = np.random.default_rng(seed)
    columns = {name: random.normal(size=rows) for name in ("x", "z", "y")}
    columns["x"] = abs(columns["x"])
    columns["x"][::7], columns["x"][3::7] = 0.0, -0.0
    return pa.table(columns)


def mixed(rows: int) -> pa.Table:
    """Return rows of all kinds of columns, with gaps."""
    whole = mixed_rows(rows)
    random = np.random.default_rng(1)
    area = whole.column("area").to_numpy().copy()
    area[random.random(rows) < 0.1] = np.nan
    price = whole.column("price").to_numpy().copy()
    price[random.random(rows) < 0.1] = np.nan
    floor = random.normal(size=rows)
    floor[::11] = np.nan
    for name, values in {"area": area, "price": price}.items():
        whole = whole.set_column(whole.column_names.index(name), name, pa.array(values))
    return whole.append_column("floor", pa.array(floor, from_pandas=False))


def put_parts(whole: pa.Table, *ends: int, **options: Any) -> None:
    """Write a table as parts. ends: of each part, in rows."""
    for number, (begin, end) in enumerate(zip((0, *ends), (*ends, len(whole)), strict=True)):
        path = put(b"", f"parts/{number}.parquet")
        pq.write_table(whole.slice(begin, end - begin), path, **options)


def mixed_job(source: str = PARTS) -> Params:
    return job(
        data__source=source,
        data__features=MIXED,
        data__targets=["price"],
        data__drop_rows="missing_target",
        data__test_fraction=0.2,
        train__optimizer="exact",
        evaluate__queries=[],
    )
