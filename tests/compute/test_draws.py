"""A row's random numbers depend on the seed and on its place alone, wherever the row is read."""

import itertools

import numpy as np
import pyarrow as pa
import pytest

from pipeline.compute import draws
from pipeline.compute.draws import DrawnFolds, Draws, Side
from pipeline.settings.seeds import stream

ROWS = 1_000
ALL_ROWS = pa.table({"x": np.arange(ROWS)})
FOLDS = DrawnFolds(0, 5)


def divided(rows: int) -> list[tuple[int, int]]:
    """Return the beginning and the length of blocks of rows, of many sizes."""
    random = np.random.default_rng(0)
    ends = [0, *np.unique(random.integers(0, rows, 20)).tolist(), rows]
    return [(begin, end - begin) for begin, end in itertools.pairwise(ends)]


@pytest.mark.parametrize("name", ["split", "folds", "sample", "test sample"])
def test_blocks_of_rows_have_the_numbers_of_one_sequence(name: str) -> None:
    blocks = [draws.uniform(7, name, begin, rows) for begin, rows in reversed(divided(ROWS))]
    whole = np.concatenate(blocks[::-1])
    assert whole.tolist() == stream(7, name).random(ROWS).tolist()


def test_a_fold_is_the_integer_part_of_a_number_from_0_to_the_number_of_folds() -> None:
    expected = np.floor(stream(3, "folds").random(ROWS) * 5).astype(int)
    folds = DrawnFolds(3, 5).of(ALL_ROWS, 0)
    assert folds.tolist() == expected.tolist()
    assert set(folds.tolist()) == set(range(5))
    assert np.bincount(folds).min() > 150


@pytest.mark.parametrize("side", ["train", "test"])
def test_about_as_many_rows_are_drawn_as_the_sample_is_to_have(side: Side) -> None:
    wanted = draws.SAMPLED_ROWS[side]
    rows: dict[Side, int] = {"train": 0, "test": 0, side: 10 * wanted}
    drawn = Draws(0, FOLDS, rows, 2).sampled(side, 0, 10 * wanted)
    assert abs(drawn.sum() / wanted - 1) < 0.05
    expected = stream(0, draws.STREAMS[side]).random(10 * wanted) < 0.1
    assert (drawn == expected).all()


def test_the_samples_of_both_sides_are_drawn_independently() -> None:
    rows: dict[Side, int] = {"train": 200_000, "test": 20_000}
    both = Draws(0, FOLDS, rows, 2)
    train, test = both.sampled("train", 0, 20_000), both.sampled("test", 0, 20_000)
    assert abs((train & test).mean() - 0.25) < 0.02


def test_every_row_of_a_small_table_is_in_the_sample() -> None:
    most = draws.SAMPLED_ROWS["train"]
    assert Draws(0, FOLDS, {"train": most, "test": 0}, 2).sampled("train", 5, ROWS).all()
    assert (
        not Draws(0, FOLDS, {"train": most + 1_000, "test": 0}, 2).sampled("train", 0, most).all()
    )


def test_appended_rows_change_no_draw_of_the_earlier_ones() -> None:
    folds = DrawnFolds(1, 7)
    few, many = (
        folds.of(rows, 0).tolist() for rows in (ALL_ROWS, pa.concat_tables([ALL_ROWS] * 2))
    )
    assert many[:ROWS] == few
    twice = Draws(1, folds, {"train": 2 * ROWS, "test": 0}, 2)
    assert twice.sampled("train", 0, 2 * ROWS).all()  # as long as all are drawn
    assert DrawnFolds(2, 7).of(ALL_ROWS, 0).tolist() != few


@pytest.mark.parametrize(
    ("columns", "training_rows", "test_rows"),
    [(2, 100_000, 10_000), (100, 100_000, 10_000), (200, 50_000, 5_000), (10**5, 1_000, 1_000)],
)
def test_a_wide_table_has_fewer_sampled_rows(
    columns: int, training_rows: int, test_rows: int
) -> None:
    many = Draws(0, FOLDS, {"train": 10**7, "test": 10**6}, columns)
    assert many.wanted("train") == training_rows
    assert many.wanted("test") == test_rows
    drawn = many.sampled("train", 0, 10**6).sum()
    assert abs(drawn / (training_rows / 10) - 1) < 0.3
    assert Draws(0, FOLDS, {"train": training_rows, "test": 0}, columns).all_sampled("train")
