"""Rows of a group are on one side and in one fold, whatever the order and the blocks of rows."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as some
from sklearn.model_selection import GroupKFold

from pipeline.compute import groups
from pipeline.compute.value_counts import Groups, ValueCounts

SIZES = some.lists(some.integers(1, 30), min_size=2, max_size=40)


def counts_of(sizes: list[int]) -> ValueCounts:
    """Return groups in the order of their hashes. sizes: number of rows of each."""
    return ValueCounts(sum(sizes), np.arange(len(sizes)), np.array(sizes))


@given(SIZES, some.floats(0.01, 0.99))
def test_held_out_groups_come_nearest_to_the_share(sizes: list[int], share: float) -> None:
    last = groups.last_held_out(counts_of(sizes), share)
    assert 0 <= last < len(sizes) - 1
    distances = [abs(sum(sizes[:end]) - share * sum(sizes)) for end in range(1, len(sizes))]
    assert last == distances.index(min(distances))


@given(SIZES, some.integers(2, 6))
def test_folds_of_groups_are_those_of_scikit_learn(sizes: list[int], number: int) -> None:
    """Ties may be others there, so the sizes of the folds are compared."""
    if len(sizes) < number:
        return
    ours = np.bincount(groups.balanced(counts_of(sizes), number), sizes, number)
    rows = np.repeat(np.arange(len(sizes)), sizes)
    theirs = [len(test) for _, test in GroupKFold(number).split(rows, groups=rows)]
    assert sorted(ours.tolist()) == sorted(theirs)
    assert ours.min() > 0


def test_equal_groups_go_round_the_folds_in_the_order_of_their_hashes() -> None:
    assert groups.balanced(counts_of([2, 2, 2, 2, 2]), 2).tolist() == [0, 1, 0, 1, 0]
    assert groups.balanced(counts_of([1, 5, 3, 1]), 3).tolist() == [2, 0, 1, 2]


@pytest.mark.parametrize("kind", ["texts", "numbers"])
@pytest.mark.parametrize("seed", range(3))
def test_no_group_is_on_both_sides_nor_in_two_folds(kind: str, seed: int) -> None:
    random = np.random.default_rng(seed)
    group = random.integers(0, 40, 500)
    values = group * 0.5 - 3 if kind == "numbers" else [f"customer {each}" for each in group]
    rows = pa.table({"g": values, "row": np.arange(500)})
    column = Groups("g", seed, "test groups")
    counted = ValueCounts.of(column.of(rows))
    last = int(counted.known[0][groups.last_held_out(counted, 0.2)])
    division = groups.HeldOutGroups(column, last)

    def sides(rows: pa.Table) -> dict[str, set[int]]:
        return {s: {*each.column("row").to_pylist()} for s, each in division.sides(rows, 0).items()}

    whole = sides(rows)
    held_out = {group[row] for row in whole["test"]}
    assert held_out
    assert held_out.isdisjoint(group[row] for row in whole["train"])
    assert len(whole["train"]) + len(whole["test"]) == 500
    order = random.permutation(500)
    shuffled = rows.take(pa.array(order.tolist()))
    parts = [sides(shuffled.slice(begin, 77)) for begin in range(0, 500, 77)]
    for side, members in whole.items():
        assert set().union(*(part[side] for part in parts)) == members
    again = ValueCounts.of(column.of(shuffled))
    assert again.known[0].tolist() == counted.known[0].tolist()
    folds = groups.GroupFolds(column, counted.known[0], groups.balanced(counted, 5), 5)
    fold = folds.of(rows, 0)
    assert all(len({*fold[group == each]}) == 1 for each in np.unique(group))
    assert folds.of(shuffled, 0).tolist() == fold[order].tolist()


def test_the_identity_tells_folds_apart() -> None:
    column = Groups("g", 0, "fold groups")
    counted = counts_of([3, 2, 2, 1])
    made = [
        groups.GroupFolds(column, counted.known[0], groups.balanced(counted, number), number)
        for number in (2, 3, 2)
    ]
    assert made[0].identity == made[2].identity != made[1].identity
