"""The rows of the calibration: those of the file, read again if they are many, or the sample's."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from conftest import job
from mixed_tables import number_plan
from numpy.typing import NDArray
from sums import put_tables

from pipeline.columns.plan import read_plan
from pipeline.columns.summary import Summary, read_summary
from pipeline.learning.line import Line
from pipeline.measures import calibration
from pipeline.measures.calibration import Calibration, of_held_out
from pipeline.measures.measuring import Model
from pipeline.settings import files
from pipeline.tables import table

LINE = Line(np.array([[2.0]]), np.array([-1.0]), np.zeros(1))
ROWS = 40_000
"""Rows held out: more than are read at a time, and than the sample has."""


@pytest.fixture
def rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> NDArray[np.float64]:
    """Return x and y of the rows held out, whose files are in the working directory."""
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    x = random.normal(size=(ROWS + 100, 1))
    values = np.hstack([x, LINE.predict(x) + random.exponential(size=(ROWS + 100, 1))])
    train, test = (
        pa.table(dict(zip("xy", part.T.copy(), strict=True)))
        for part in (values[:100], values[100:])
    )
    put_tables(train, test, number_plan(["x"]), ["y"])
    return values[100:]


def of(summary: Summary, **changes: object) -> Calibration | None:
    model = Model(read_plan(), ("y",), LINE.predict, is_line=True)
    return of_held_out(job(data__test_fraction=0.5, **changes), summary, model)


def test_rows_of_a_file_kept_or_read_again(
    rows: NDArray[np.float64], monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = read_summary()
    kept = of(summary)
    assert kept is not None
    residuals = np.sort(rows[:, 1:] - LINE.predict(rows[:, :1]), axis=0)
    beyond = (ROWS + 1) // 40
    assert (kept.low, kept.high) == ((residuals[beyond - 1, 0],), (residuals[-beyond, 0],))
    assert kept.coverage == pytest.approx(0.95, abs=0.01)
    monkeypatch.setattr(calibration, "NUMBERS_IN_MEMORY", 0)
    assert of(summary) == kept


def test_without_the_rows_the_sample_calibrates(rows: NDArray[np.float64]) -> None:
    summary = read_summary()
    schema = table.schema(files.TEST)
    with table.writer(files.TEST, schema):
        pass
    told = of(summary)
    assert told is not None
    assert told.rows == summary.sample.test < len(rows)
    assert told.coverage == pytest.approx(0.95, abs=0.02)


def test_rows_that_chose_the_epoch_and_exact_intervals_are_left_out(
    rows: NDArray[np.float64],
) -> None:
    assert len(rows) == ROWS
    summary = read_summary()
    assert of(summary, train__patience=5) is None
    assert of(summary, train__optimizer="exact") is None
    assert of(summary, train__optimizer="exact", train__l2=0.1) is not None
