"""Targets are fitted on their scale and answered in their own unit; the tables keep their unit."""

import json
import math
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import job
from in_place import PARTS, contents, put_parts
from own_tables import put, refusal

from pipeline import generate
from pipeline.columns import target_scale
from pipeline.columns.plan import read_plan
from pipeline.columns.summary import read_summary
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.settings.params import Params
from pipeline.tables import table

LOG_JOB = {"data__features": ["x"], "data__targets": {"price": "log"}, "evaluate__queries": []}


def prices(rows: int) -> pa.Table:
    random = np.random.default_rng(0)
    x = random.normal(size=rows)
    return pa.table({"x": x, "price": np.round(1000 * np.exp(x), 2)})


def test_there_and_back() -> None:
    y = np.array([[2.0, -1.0], [1e300, 5.0]])
    fitted = y.copy()
    fitted[:, 0] = target_scale.fitted(y[:, 0])
    back = target_scale.own_unit(fitted, ("price", "change"), {"price": "log"})
    np.testing.assert_allclose(back, y, rtol=2e-13)
    assert target_scale.own_unit(y, ("price", "change"), {}) is y
    names = target_scale.fitted_names(("price", "change"), {"price": "log"})
    assert names == ("log(price)", "change")


def test_the_tables_keep_the_price_and_the_sums_have_its_logarithm(workspace: Path) -> None:
    put("x,price\n1,10\n2,100\n3,1000\n")
    generate.main(job(data__source="data/raw/t.csv", **LOG_JOB))
    assert table.read(files.TRAIN).values[:, 1].tolist() == [10, 100, 1000]
    summary = read_summary()
    assert summary.targets == ("price",)
    assert summary.train.smallest[1] == math.log(10)
    assert read_plan().target_scales == {"price": "log"}


def test_without_a_scale_the_plan_has_no_key_of_it(workspace: Path) -> None:
    put("x,price\n1,10\n2,100\n3,1000\n")
    generate.main(job(data__source="data/raw/t.csv", **LOG_JOB | {"data__targets": ["price"]}))
    assert "target_scales" not in json.loads(files.COLUMNS.read_text())


def test_rows_in_place_give_the_same_sums_and_remember_the_scale(workspace: Path) -> None:
    put_parts(prices(600), 200, 600)
    params = job(data__source=PARTS, data__test_fraction=0.2, **LOG_JOB)
    assert contents(params, keep_rows=True) == contents(params, keep_rows=False)
    plain = job(
        data__source=PARTS, data__test_fraction=0.2, **LOG_JOB | {"data__targets": ["price"]}
    )
    # Sums that were kept of the logarithms must not be taken for sums of the prices.
    assert contents(plain, keep_rows=True) == contents(plain, keep_rows=False)


def test_numbers_of_single_precision_have_logarithms_of_double(workspace: Path) -> None:
    rows = prices(50)
    put(rows.cast(pa.schema([("x", pa.float32()), ("price", pa.float32())])), "t.parquet")
    generate.main(job(data__source="data/raw/t.parquet", **LOG_JOB))
    assert read_summary().float32 == {"x"}


def test_what_has_no_logarithm_is_refused_with_its_places(workspace: Path) -> None:
    text = "x,price\n1,10\n2,0\n3,-5\n4,7\n5,0\n6,-0\n"
    told = refusal(text, targets={"price": "log"})
    assert told.startswith(
        'data/raw/t.csv:3: 4 values are not above 0 in "price", first in lines 3, 4, 6: they have'
        " no logarithm, which data.targets asks for; correct them if they are mistakes, or fit the"
        " column as it is, `targets: [price]`"
    )


def test_rows_that_are_left_out_need_no_logarithm(workspace: Path) -> None:
    put("x,price,rent\n1,10,1\n2,0,\n3,20,2\n4,30,3\n")
    changes = {
        "data__targets": {"price": "log", "rent": "none"},
        "data__drop_rows": "missing_target",
    }
    generate.main(job(data__source="data/raw/t.csv", **LOG_JOB | changes))
    assert table.read(files.TRAIN).values[:, 1].tolist() == [10, 20, 30]


def test_rows_in_place_are_refused_too(workspace: Path) -> None:
    rows = prices(300)
    bad = rows.column("price").to_numpy().copy()
    bad[[5, 250]] = 0.0
    put_parts(pa.table({"x": rows.column("x"), "price": bad}), 200, 300)
    params: Params = job(data__source=PARTS, data__keep_rows=False, **LOG_JOB)
    with pytest.raises(UserError, match='1 value is not above 0 in "price", in row'):
        generate.main(params)
