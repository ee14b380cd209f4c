"""The pass over all rows measures each row once, on any threads; without rows, the sample does."""

import math
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pytest
from mixed_tables import number_plan
from numpy.typing import NDArray
from sums import put_tables

from pipeline.columns.plan import read_plan
from pipeline.columns.summary import Summary, read_summary
from pipeline.learning.line import Line
from pipeline.measures import measuring, metrics
from pipeline.measures.measuring import Model
from pipeline.measures.split import Split
from pipeline.settings import files
from pipeline.settings.errors import UserError
from pipeline.tables import table
from pipeline.tables.table import ROWS_PER_ROW_GROUP

Floats = NDArray[np.float64]
LINE = Line(np.array([[2.0, 0.1]]), np.array([-1.0]), np.array([0.0, 3.0]))
MANY, SOME = 2 * ROWS_PER_ROW_GROUP + 7, 13_000
"""Training rows and rows held out; of both, the sample has a part."""


def numbers(rows: int, seed: int) -> Floats:
    """Return two features and a target."""
    random = np.random.default_rng(seed)
    x = random.normal(size=(rows, 2))
    return np.column_stack([x, LINE.predict(x)[:, 0] + random.standard_t(3, size=rows)])


def put(train: Floats, test: Floats) -> Summary:
    """Write both tables."""
    arrow = [
        pa.table(dict(zip(("a", "b", "y"), rows.T.copy(), strict=True))) for rows in (train, test)
    ]
    train_rows, test_rows = arrow
    put_tables(train_rows, test_rows, number_plan(["a", "b"]), ["y"])
    return read_summary()


def remove_rows() -> None:
    """Leave no rows in both tables, as data.keep_rows: false does."""
    schema = table.schema(files.TRAIN)
    for path in (files.TRAIN, files.TEST):
        with table.writer(path, schema):
            pass


def model(is_line: bool = True) -> Model:
    return Model(read_plan(), ("y",), LINE.predict, is_line)


def mae(rows: Floats) -> float:
    """Return the mean absolute error, rounded as in math.fsum."""
    sizes = np.abs(rows[:, 2:] - LINE.predict(rows[:, :2]))
    return math.fsum(sizes.ravel().tolist()) / len(rows)


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Floats, Floats, Summary]:
    """Return the rows of a table of several row groups, and its summary."""
    monkeypatch.chdir(tmp_path)
    train, test = numbers(MANY, 0), numbers(SOME, 1)
    return train, test, put(train, test)


def test_each_row_is_measured_once_on_any_threads(large: tuple[Floats, Floats, Summary]) -> None:
    *tables, summary = large
    of_threads = []
    for cores in (1, 3):
        with patch("pipeline.exact.cores.available", lambda cores=cores: cores):
            of_threads.append(measuring.splits(summary, model()))
    for splits in of_threads:
        for split, rows in zip(splits, tables, strict=True):
            assert isinstance(split, Split)
            figures = metrics.of_model(split, LINE, "mean")
            assert figures["mae"] == mae(rows)
            assert "mae_rows" not in figures
            sizes = np.abs(rows[:, 2] - LINE.predict(rows[:, :2])[:, 0])
            largest = split.errors.largest[0]
            assert largest.sizes.tolist() == np.sort(sizes)[::-1][: len(largest.sizes)].tolist()
            assert np.array_equal(rows[largest.places], largest.rows)


def test_squared_errors_of_any_module_are_summed_up(
    large: tuple[Floats, Floats, Summary],
) -> None:
    train, _, summary = large
    split, _ = measuring.splits(summary, model(is_line=False))
    squares = ((train[:, 2:] - LINE.predict(train[:, :2])) ** 2).ravel()
    assert metrics.of_model(split, None, "sum")["loss"] == math.fsum(squares.tolist())


def test_without_rows_the_sample_is_measured(large: tuple[Floats, Floats, Summary]) -> None:
    train, _, summary = large
    whole, _ = measuring.splits(summary, model())
    remove_rows()
    split, held_out = measuring.splits(summary, model())
    assert held_out is not None
    figures = metrics.of_model(split, LINE, "mean")
    assert figures["mae_rows"] == summary.sample.train < MANY
    assert metrics.of_model(held_out, LINE, "mean")["mae_rows"] == summary.sample.test < SOME
    # The rows that were drawn, without those that are in the sample for their extreme values.
    assert summary.sample.extreme
    drawn = table.read(files.SAMPLE).values[: summary.sample.train]
    assert figures["mae"] == mae(drawn) == pytest.approx(mae(train), rel=0.02)
    assert figures["mse"] == metrics.of_model(whole, LINE, "mean")["mse"], "of all rows"
    points = split.points(0)
    assert points.weight.sum() == pytest.approx(summary.sample.train)


def test_a_small_table_without_rows_is_in_the_sample(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    train = numbers(50, 0)
    summary = put(train, train[:0])
    remove_rows()
    split, held_out = measuring.splits(summary, model())
    assert held_out is None
    figures = metrics.of_model(split, LINE, "mean")
    assert figures["mae"] == mae(train)
    assert "mae_rows" not in figures


def test_tables_that_are_not_of_one_result_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    put(numbers(50, 0), numbers(10, 1))
    summary = read_summary()
    other = table.read(files.TEST)
    table.write(files.TRAIN, other)
    told = r"data/train.parquet: found 10 rows; data/summary.json has 50; `dvc repro -f generate`"
    with pytest.raises(UserError, match=told):
        measuring.splits(summary, model())
