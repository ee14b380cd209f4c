"""Rows with weights are summed up alike, copied or in place, and so are kept sums."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from in_place import contents, mixed, mixed_job, put_parts

from pipeline.columns.summary import read_summary
from pipeline.settings import files
from pipeline.settings.keys.weight_settings import Weights
from pipeline.settings.params import Params


def weighted(kind: str | None, source: Params | None = None) -> Params:
    params = source or mixed_job()
    weights = None if kind is None else Weights(by="w", kind=kind)  # type: ignore[arg-type]
    data = params.data.model_copy(update={"weights": weights, "exclude": ()})
    return params.model_copy(update={"data": data})


def rows(count: int) -> pa.Table:
    """Return rows of all kinds; a weight in five is 0."""
    times = np.random.default_rng(2).integers(0, 5, count)
    return mixed(count).append_column("w", pa.array(times.astype(np.float64)))


@pytest.mark.parametrize("kind", ["precision", "frequency"])
@pytest.mark.usefixtures("workspace")
def test_rows_in_place_and_copied_rows_are_weighted_alike(kind: str) -> None:
    whole = rows(9_000)
    put_parts(whole, 1, 5_000, row_group_size=777)
    params = weighted(kind)
    left, copied = (contents(params, keep_rows) for keep_rows in (False, True))
    assert left == copied
    assert contents(params, keep_rows=False) == copied, "the sums of pieces are kept"
    plan, summary = json.loads(files.COLUMNS.read_bytes()), read_summary()
    assert plan["weights"] == {"by": "w", "kind": kind}
    assert plan["rows"]["dropped"]["w"] > 1_000
    kept = plan["rows"]["training"]
    assert summary.train.table_rows == kept
    heavier = summary.train.rows > kept
    assert heavier is (kind == "frequency")
    assert summary.train.weight > kept


@pytest.mark.usefixtures("workspace")
def test_another_kind_of_weights_makes_the_sums_anew() -> None:
    put_parts(rows(2_000), 1_000)
    kinds = ("precision", "frequency", None)
    first = {kind: contents(weighted(kind), keep_rows=False) for kind in kinds}
    again = {kind: contents(weighted(kind), keep_rows=False) for kind in kinds}
    assert first == again
    summaries = {each[str(files.SUMMARY)] for each in first.values()}
    assert len(summaries) == 3


@pytest.mark.usefixtures("workspace")
def test_a_summary_of_frequencies_is_read_as_it_was_written() -> None:
    put_parts(rows(500))
    contents(weighted("frequency"), keep_rows=True)
    summary = read_summary()
    assert summary.as_bytes() == Path(files.SUMMARY).read_bytes()
    assert sum(part.table_rows for part in summary.parts) == summary.train.table_rows
    for fold in summary.folds:
        assert fold.training.table_rows + fold.test.table_rows == summary.train.table_rows
        assert fold.training.rows + fold.test.rows == summary.train.weight
