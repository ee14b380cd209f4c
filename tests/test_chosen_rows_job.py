"""Whole jobs whose rows are held out, and whose folds are made, by a column that is no feature."""

import json
from pathlib import Path
from typing import Any

import pytest
from answered_tables import answered, write
from chosen_tables import put_csv, sales, sales_job
from fitted_tables import fit
from in_place import PARTS, put_parts

from pipeline.settings import csv_cells, files

BY_CUSTOMER = {"data__test_fraction": {"by": "customer"}, "data__folds": {"by": "customer"}}
IN_TIME = {
    "data__test_fraction": {"by": "sold", "gap": 5},
    "data__folds": {"number": 3, "by": "sold", "gap": 5},
}
CUSTOMER = {"x": "number", "customer": {"kind": "category", "unseen": "reference"}}


@pytest.mark.parametrize(
    ("asked", "is_folder", "inputs"),
    [
        (BY_CUSTOMER, False, ["x", "row"]),
        pytest.param(IN_TIME, False, ["x", "row"], marks=pytest.mark.slow),
        (IN_TIME | {"data__keep_rows": False}, True, ["x", "row"]),
        pytest.param(  # no held-out row has a level that a training row has
            *(BY_CUSTOMER | {"data__features": CUSTOMER}, False, ["x", "customer"]),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["customer", "time", "in place", "feature"],
)
def test_only_features_come_into_the_model(
    workspace: Path, asked: dict[str, Any], is_folder: bool, inputs: list[str]
) -> None:
    whole = sales(200)
    if is_folder:
        put_parts(whole, 150)
    fit(sales_job(PARTS if is_folder else put_csv(whole), **asked))
    metrics = json.loads(files.METRICS.read_text())
    assert 0.7 < metrics["test"]["rmse"] < 1.4
    assert 0.7 < metrics["cv"]["rmse"]["mean"] < 1.4
    terms = {row["term"].partition("[")[0] for row in csv_cells.read_csv(files.COEFFICIENTS)}
    assert terms == {*inputs, "bias"}
    contract = json.loads(files.CONTRACT.read_text())
    assert contract["source"]["params"]["data.folds"]["by"] in ("customer", "sold")
    # Rows to be answered need the features alone.
    rows = write(Path("rows.csv"), **{name: whole.column(name) for name in inputs})
    answered(files.ONNX.parent, rows, Path("answers.csv"))
    assert len(Path("answers.csv").read_text().splitlines()) == 201
