"""A job with categories, dates and gaps: the client and predict answer raw rows as was verified."""

from pathlib import Path
from typing import Any

import abline_client
import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest
from answered_tables import answered, read
from conftest import make
from mixed_tables import QUERIES, mixed_job, mixed_rows

from pipeline.settings import csv_cells, files

pytestmark = pytest.mark.filterwarnings("ignore:float64 is rounded")
OUTPUTS = ["prediction", "interval", "in_range"]


@pytest.fixture
def rows(workspace: Path) -> pa.Table:
    """Return the rows of a job with two targets, which has run in the working directory."""
    table = mixed_rows()
    # Text as people have it: a gap of a number is an empty field.
    columns = {name: table[name].to_pylist() for name in table.column_names}
    columns["age"] = [None if value != value else value for value in columns["age"]]
    whole = pa.table(columns | {"rent": [value * 2 for value in columns["price"]]})
    path = workspace / "data/raw/flats.csv"
    path.parent.mkdir(parents=True)
    pyarrow.csv.write_csv(whole, path)
    make(mixed_job(data__targets=["price", "rent"], export__outputs=OUTPUTS))
    return whole


def test_raw_rows_are_answered_as_was_verified(rows: pa.Table) -> None:
    model = abline_client.load("models")
    proof = model.conformance()
    assert proof.problem is None
    assert proof.ok
    assert proof.vectors >= 32
    y = model.predict(rows)
    assert y.shape == (40, 2)
    low, high = model.interval(rows)
    assert ((low < y) & (y < high)).all()
    assert model.in_range(rows).all()
    assert np.array_equal(model.in_range(rows), model.answers(rows)["in_range"][:, 0])

    queries: list[Any] = QUERIES
    committed = csv_cells.read_csv(files.PREDICTIONS)
    right = [[float(row["price"]), float(row["rent"])] for row in committed]
    assert model.predict(queries) == pytest.approx(np.array(right), rel=1e-5)
    assert np.array_equal(model.in_range(queries), model.answers(queries)["in_range"][:, 0])
    with pytest.raises(
        abline_client.InputError, match=r"row 0, heating: found 'coal', .* gas, oil"
    ):
        model.predict([QUERIES[0] | {"heating": "coal"}])


def test_predict_answers_the_raw_table(rows: pa.Table) -> None:
    model = abline_client.load("models")
    told = answered(Path("models"), Path("data/raw/flats.csv"), Path("out.parquet"))
    assert (told.rows, told.refused, told.outside) == (40, 0, 0)
    table = read(Path("out.parquet"))
    assert table.column_names == [
        *("price", "price low 95%", "price high 95%"),
        *("rent", "rent low 95%", "rent high 95%", "in_range"),
    ]
    y, (low, high) = model.predict(rows), model.interval(rows)
    for index, target in enumerate(model.targets):
        for suffix, values in (("", y), (" low 95%", low), (" high 95%", high)):
            assert np.array_equal(np.array(table[target + suffix]), values[:, index])
