"""The summary has the sums of the rows, however they are divided into tasks."""

import random
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from exact_reference import dot, exact_columns
from mixed_tables import FEATURES, mixed_plan, mixed_rows, number_plan
from numpy.typing import NDArray

from pipeline.columns.part import Part
from pipeline.columns.plan import Plan
from pipeline.columns.summary import Summary, read_summary
from pipeline.compute import draws as drawn
from pipeline.compute import own_rows, summarize, written
from pipeline.compute.draws import DrawnFolds, Draws, Side
from pipeline.compute.own_rows import OwnRows
from pipeline.compute.summarize import Layout, Partial, Rows
from pipeline.settings import files
from pipeline.settings.seeds import stream
from pipeline.tables import table

SEED = 5
FOLDS = DrawnFolds(SEED, 5)


def put(train: pa.Table, test: pa.Table) -> dict[Side, Path]:
    """Write both tables as `generate` does; return their paths."""
    for path, rows in ((files.TRAIN, train), (files.TEST, test)):
        with table.writer(path, train.schema) as file:
            file.write(rows)
    return {"train": files.TRAIN, "test": files.TEST}


def summed(
    train: pa.Table, test: pa.Table, plan: Plan, targets: tuple[str, ...] = ("y",), folds: int = 5
) -> Summary:
    """Return the summary that `generate` writes of these rows, read from its file."""
    drawn = DrawnFolds(SEED, folds)
    partial, layout = own_rows.summarized(put(train, test), plan, targets, SEED, drawn)
    written.write(partial, layout, train.schema)
    return read_summary()


def check(part: Part, numbers: NDArray[np.float64]) -> None:
    """Compare a part with the sums of its rows in fractions."""
    assert part.rows == len(numbers)
    if len(numbers):
        assert part.smallest == tuple(numbers.min(axis=0).tolist())
        assert part.largest == tuple(numbers.max(axis=0).tolist())
    columns = exact_columns(numbers)
    for i, one in enumerate(columns):
        for j, other in enumerate(columns):
            assert part.gram.inner_product(i, j) == dot(one, other)


def folds_of(rows: int, folds: int = 5) -> NDArray[np.int64]:
    """Return the fold of each training row."""
    return np.floor(stream(SEED, "folds").random(rows) * folds).astype(np.int64)


def check_all(summary: Summary, train: NDArray[np.float64], test: NDArray[np.float64]) -> None:
    """Compare the folds and the test rows with their rows. train, test: encoded."""
    fold = folds_of(len(train), len(summary.parts))
    for number, part in enumerate(summary.parts):
        check(part, train[fold == number])
    check(summary.train, train)
    check(summary.test, test)


def numbers_table(rows: int, seed: int = 0, **columns: pa.DataType) -> pa.Table:
    """Return columns of random numbers of these types."""
    draws = np.random.default_rng(seed)
    arrays = [pa.array(draws.standard_normal(rows)).cast(kind) for kind in columns.values()]
    return pa.table(arrays, names=[*columns])


def test_numbers_of_both_precisions_and_two_targets(workspace: Path) -> None:
    kinds = {"a": pa.float64(), "b": pa.float32(), "y": pa.float64(), "z": pa.float32()}
    rows = numbers_table(300, **kinds)
    train, test = rows.slice(0, 200), rows.slice(200)
    summary = summed(train, test, number_plan(["a", "b"]), ("y", "z"))
    assert (summary.features, summary.targets) == (("a", "b"), ("y", "z"))
    assert (summary.float32, summary.exact) == (frozenset({"b", "z"}), frozenset())
    check_all(summary, table.matrix(train), table.matrix(test))


def test_categories_fills_indicators_and_dates_are_encoded(workspace: Path) -> None:
    rows = mixed_rows(150).select([*FEATURES, "price"])
    train, test = rows.slice(0, 100), rows.slice(100)
    plan = mixed_plan(rows)
    summary = summed(train, test, plan, ("price",), folds=3)
    assert summary.features == plan.encoded_names
    assert {"age[missing]", "sold[days]"} < summary.exact
    check_all(summary, plan.numbers(train, ["price"]), plan.numbers(test, ["price"]))


@pytest.mark.parametrize("rows", [1, 3])
def test_fewer_rows_than_folds_and_no_test_rows(workspace: Path, rows: int) -> None:
    train = numbers_table(rows, x=pa.float64(), y=pa.float64())
    summary = summed(train, train.slice(0, 0), number_plan(["x"]))
    assert len(summary.parts) == 5
    assert summary.test.smallest == ()
    check_all(summary, table.matrix(train), np.empty((0, 2)))
    assert pq.ParquetFile(files.SAMPLE).read().equals(train)


@pytest.mark.parametrize("rows", [65_536, 65_537])
def test_a_full_row_group_and_one_row_more(workspace: Path, rows: int) -> None:
    numbers = np.random.default_rng(0).integers(-(2**20), 2**20, (rows, 2))
    train = pa.table({"x": numbers[:, 0] / 8, "y": numbers[:, 1] / 8})
    summary = summed(train, train.slice(0, 9), number_plan(["x"]))
    fold = folds_of(rows)
    for number, part in enumerate(summary.parts):
        chosen = np.column_stack([np.full((fold == number).sum(), 8), numbers[fold == number]])
        product = chosen.T @ chosen  # of int64
        assert [[part.gram.inner_product(i, j) * 64 for j in range(3)] for i in range(3)] == (
            product.tolist()
        )
    check(summary.test, numbers[:9] / 8)


def draw_few(monkeypatch: pytest.MonkeyPatch, rows: dict[Side, int]) -> None:
    """Let the sample of each side have about so many rows."""
    monkeypatch.setattr(drawn, "SAMPLED_ROWS", rows)
    monkeypatch.setattr(drawn, "FEWEST_SAMPLED_ROWS", 1)


def sampled_table(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[pa.Table, pa.Table]:
    """Write the summary of 3,000 rows of which 500 and 50 are to be drawn; return both sides."""
    draw_few(monkeypatch, {"train": 500, "test": 50})
    rows = numbers_table(3_000, x=pa.float64(), y=pa.float64())
    train, test = rows.slice(0, 2_500), rows.slice(2_500)
    summary = summed(train, test, number_plan(["x"]))
    sample = summary.sample
    assert 400 < sample.train < 600
    assert 25 < sample.test < 75
    assert 0 < sample.extreme <= 4
    return train, test


def test_the_sample_has_drawn_rows_then_extreme_ones_then_test_rows(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, test = sampled_table(workspace, monkeypatch)
    is_drawn = stream(SEED, "sample").random(2_500) < 500 / 2_500
    is_drawn_test = stream(SEED, "test sample").random(500) < 50 / 500
    numbers = table.matrix(train)
    extreme = {*numbers.argmin(axis=0).tolist(), *numbers.argmax(axis=0).tolist()}
    places = sorted(extreme.difference(np.flatnonzero(is_drawn).tolist()))
    expected = [
        train.filter(pa.array(is_drawn)),
        train.take(places),
        test.filter(pa.array(is_drawn_test)),
    ]
    sample = pq.ParquetFile(files.SAMPLE).read()
    assert sample.equals(pa.concat_tables(expected).combine_chunks())


def test_of_equal_extreme_values_the_first_row_is_kept(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_few(monkeypatch, {"train": 100, "test": 1})
    x = np.tile([0.0, 1.0, 2.0], 50_000)
    train = pa.table({"x": x, "y": np.arange(150_000.0)})
    summary = summed(train, train.slice(0, 0), number_plan(["x"]))
    extreme = pq.ParquetFile(files.SAMPLE).read().slice(summary.sample.train)
    assert extreme.column("y").to_pylist() == [0.0, 2.0, 149_999.0]
    assert stream(SEED, "sample").random(3).min() > 100 / 150_000  # they were not drawn


@dataclass(frozen=True)
class Blocks:
    """Blocks of rows as a fragment, whose row groups they are."""

    blocks: Sequence[Rows]
    file: None = None

    def read(self, row_groups: Iterable[int]) -> Iterator[Rows]:
        return (self.blocks[group] for group in row_groups)


def known_of(rows: Rows, layout: Layout) -> Partial:
    """Return what a task knows of one block."""
    return summarize.summarize(Blocks([rows]), range(1), layout)


def test_a_block_may_have_no_rows() -> None:
    rows = numbers_table(10, x=pa.float64(), y=pa.float64()).slice(0, 0)
    for count in (10, 1_000_000):
        counts: dict[Side, int] = {"train": count, "test": count}
        layout = Layout(number_plan(["x"]), ("y",), Draws(SEED, FOLDS, counts, 2))
        for side in counts:
            assert known_of(Rows(rows, side, 3), layout).rows == 0


def partials(layout: Layout, rows: pa.Table, ends: Sequence[int]) -> list[Partial]:
    """Return what is known of pieces of training rows. ends: of the pieces."""
    begins = [0, *ends[:-1]]
    pieces = [(rows.slice(a, b - a), a) for a, b in zip(begins, ends, strict=True)]
    return [known_of(Rows(piece, "train", begin), layout) for piece, begin in pieces]


def test_any_division_of_the_rows_in_any_order_gives_the_same_bytes(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw_few(monkeypatch, {"train": 100, "test": 50})
    draws = np.random.default_rng(0)
    # Blocks of very different sizes and digits: each has its own slices.
    x = np.where(np.arange(400) % 7, draws.standard_normal(400), 0) * 2.0 ** (np.arange(400) // 8)
    x[100:200] = np.round(x[100:200])
    zeros = np.where(np.arange(400) % 2, 0.0, -0.0)  # equal, and two texts in the summary
    rows = pa.table({"x": x, "zero": zeros, "y": draws.integers(0, 3, 400) * 0.1})
    layout = Layout(
        number_plan(["x", "zero"]), ("y",), Draws(SEED, FOLDS, {"train": 400, "test": 0}, 3)
    )
    written_bytes = set()
    for seed in range(20):
        chance = random.Random(seed)
        ends = sorted({*chance.choices(range(1, 400), k=seed), 400})
        pieces = partials(layout, rows, ends)
        chance.shuffle(pieces)
        half = len(pieces) // 2
        halves = [reduce(add, each) for each in (pieces[:half], pieces[half:]) if each]
        written.write(reduce(add, halves), layout, rows.schema)
        written_bytes.add((files.SUMMARY.read_bytes(), files.SAMPLE.read_bytes()))
    assert len(written_bytes) == 1


def test_a_task_of_both_sides_and_of_many_blocks(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that stay in place come so: training and test rows of a row group, by turns."""
    draw_few(monkeypatch, {"train": 100, "test": 50})
    rows = numbers_table(1_000, x=pa.float64(), y=pa.float64())
    layout = Layout(number_plan(["x"]), ("y",), Draws(SEED, FOLDS, {"train": 700, "test": 300}, 2))
    blocks: list[Rows] = []
    for begin in range(0, 1_000, 100):
        before = begin // 10
        blocks.append(Rows(rows.slice(begin, 70), "train", 7 * before))
        blocks.append(Rows(rows.slice(begin + 70, 30), "test", 3 * before))
    together = summarize.summarize(Blocks(blocks), range(len(blocks)), layout)
    one_by_one = reduce(add, (known_of(block, layout) for block in blocks))
    written_bytes = set()
    for known in (together, one_by_one):
        written.write(known, layout, rows.schema)
        written_bytes.add((files.SUMMARY.read_bytes(), files.SAMPLE.read_bytes()))
    assert len(written_bytes) == 1
    train, test = (
        np.concatenate([table.matrix(block.values) for block in blocks if block.side == side])
        for side in ("train", "test")
    )
    check_all(read_summary(), train, test)


def test_any_number_of_threads_gives_the_same_bytes(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_rows, "ROWS_PER_ROW_GROUP", 50)
    monkeypatch.setattr(table, "ROWS_PER_ROW_GROUP", 50)
    draw_few(monkeypatch, {"train": 100, "test": 50})
    rows = numbers_table(2_000, x=pa.float64(), y=pa.float64())
    contents = set()
    for threads in (1, 2, 5):
        monkeypatch.setattr("pipeline.exact.cores.available", lambda threads=threads: threads)
        summed(rows.slice(0, 1_500), rows.slice(1_500), number_plan(["x"]))
        contents.add((files.SUMMARY.read_bytes(), files.SAMPLE.read_bytes()))
    assert len(contents) == 1
    before = files.SUMMARY.read_bytes()
    sample = table.read(files.SAMPLE).values.tolist()
    for module in (own_rows, table):  # computed without threads
        monkeypatch.setattr(module, "ROWS_PER_ROW_GROUP", 5_000)
    summed(rows.slice(0, 1_500), rows.slice(1_500), number_plan(["x"]))
    assert files.SUMMARY.read_bytes() == before
    assert table.read(files.SAMPLE).values.tolist() == sample


def test_a_task_is_read_in_a_thread_as_here(workspace: Path) -> None:
    rows = numbers_table(100, x=pa.float64(), y=pa.float64())
    paths = put(rows, rows.slice(0, 10))
    layout = Layout(number_plan(["x"]), ("y",), Draws(SEED, FOLDS, {"train": 100, "test": 10}, 2))
    with ThreadPoolExecutor(1) as pool:
        task = pool.submit(summarize.summarize, OwnRows(paths["train"], "train"), range(1), layout)
    assert task.result().rows == 100
