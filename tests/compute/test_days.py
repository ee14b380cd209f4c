"""Later days test what earlier days have trained, with the gap between them, in blocks of days."""

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as some

from pipeline.compute import days
from pipeline.compute.days import DayFolds, HeldOutDays
from pipeline.compute.value_counts import Days, ValueCounts

COLUMN = Days("d")
DAYS = some.lists(some.integers(-50, 150), min_size=2, max_size=80)


def counts_of(values: list[int]) -> ValueCounts:
    return ValueCounts.of(np.array(values))


def table_of(values: list[int]) -> pa.Table:
    column = pa.array(values, pa.int32()).cast(pa.date32())
    return pa.table({"d": column, "row": np.arange(len(values))})


@given(DAYS, some.floats(0.01, 0.99), some.integers(0, 60))
def test_the_latest_days_are_held_out_and_those_of_the_gap_left_out(
    values: list[int], share: float, gap: int
) -> None:
    if len({*values}) < 2:
        return
    counted = counts_of(values)
    different = counted.known[0].tolist()
    first = different[days.first_held_out(counted, share)]
    assert first > different[0]
    held_out = {begin: sum(day >= begin for day in values) for begin in different[1:]}
    distance = abs(held_out[first] - share * len(values))
    assert distance == min(abs(rows - share * len(values)) for rows in held_out.values())
    sides = HeldOutDays(COLUMN, first, gap).sides(table_of(values), 0)
    rows = {side: each.column("row").to_pylist() for side, each in sides.items()}
    assert rows["test"] == [row for row, day in enumerate(values) if day >= first]
    assert rows["train"] == [row for row, day in enumerate(values) if day < first - gap]


@given(DAYS, some.integers(2, 5), some.integers(0, 30))
def test_a_fold_is_tested_after_the_days_that_train_it(
    values: list[int], number: int, gap: int
) -> None:
    counted = counts_of(values)
    different = counted.known[0].tolist()
    if len(different) <= number:
        return
    made = days.in_time(COLUMN, counted, number, gap)
    part = made.of(table_of(values), 0)
    assert made.parts < 256
    assert {*part} == {*range(made.parts)}  # none is empty
    begins = [different[place] for place in days.blocks(counted, number + 1)]
    assert begins[0] == different[0]
    for fold, (begin, end) in enumerate(zip(begins[1:], [*begins[2:], 1_000], strict=True)):
        places = made.places[fold]
        test = [row for row, each in enumerate(part) if each in places.test]
        training = [row for row, each in enumerate(part) if each in places.training]
        assert test == [row for row, day in enumerate(values) if begin <= day < end]
        assert training == [row for row, day in enumerate(values) if day < begin - gap]
        assert test


@given(some.lists(some.integers(1, 20), min_size=3, max_size=40), some.integers(2, 6))
def test_blocks_end_where_their_rows_come_nearest_to_an_equal_part(
    sizes: list[int], number: int
) -> None:
    if len(sizes) < number:
        return
    counted = ValueCounts(sum(sizes), np.arange(len(sizes)), np.array(sizes))
    first = days.blocks(counted, number)
    assert first[0] == 0
    assert first == sorted({*first})
    assert len(first) == number
    for block, begin in enumerate(first[1:], 1):
        wanted = sum(sizes) * block / number
        own = abs(sum(sizes[:begin]) - wanted)
        low, high = first[block - 1] + 1, len(sizes) - (number - block)
        assert own == min(abs(sum(sizes[:end]) - wanted) for end in range(low, high + 1))


def test_days_of_equal_size_are_divided_equally() -> None:
    counted = counts_of([*range(60)])
    assert days.blocks(counted, 6) == [0, 10, 20, 30, 40, 50]
    made = days.in_time(COLUMN, counted, 5, 3)
    assert made.first.tolist() == [7, 10, 17, 20, 27, 30, 37, 40, 47, 50]
    assert made.places[1].test == (4, 5)
    assert made.places[1].training == (0, 1, 2)
    assert made.identity != days.in_time(COLUMN, counted, 5, 2).identity


def test_a_gap_longer_than_a_block_reaches_into_earlier_ones() -> None:
    made = days.in_time(COLUMN, counts_of([*range(12)]), 2, 5)
    part = made.of(table_of([*range(12)]), 0)
    trained = [[*np.flatnonzero(np.isin(part, places.training))] for places in made.places]
    assert trained == [[], [0, 1, 2]]
    assert isinstance(made, DayFolds)
