"""The sample of a table fits into memory, however wide the table is."""

import pytest

from pipeline.compute.draws import Draws


@pytest.mark.parametrize(
    ("columns", "training_rows", "test_rows"),
    [(2, 100_000, 10_000), (100, 100_000, 10_000), (200, 50_000, 5_000), (10**5, 1_000, 1_000)],
)
def test_a_wide_table_has_fewer_sampled_rows(
    columns: int, training_rows: int, test_rows: int
) -> None:
    many = Draws(0, 5, {"train": 10**7, "test": 10**6}, columns)
    assert many.wanted("train") == training_rows
    assert many.wanted("test") == test_rows
    drawn = many.sampled("train", 0, 10**6).sum()
    assert abs(drawn / (training_rows / 10) - 1) < 0.3
    assert Draws(0, 5, {"train": training_rows, "test": 0}, columns).all_sampled("train")
