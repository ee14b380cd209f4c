"""Values of a column as integers: equal values have equal ones, and counts add in any order."""

from functools import reduce
from operator import add

import numpy as np
import pyarrow as pa
import pytest

from pipeline.compute import value_counts
from pipeline.compute.value_counts import Days, Groups, ValueCounts

GROUPS = Groups("g", 3, "test groups")


def hashes(values: object, kind: pa.DataType | None = None) -> list[int]:
    hashed: list[int] = GROUPS.of(pa.table({"g": pa.array(values, kind)})).tolist()
    return hashed


TEXTS = ["a", "b", "ab", "ba", "", "\u00e9", "e\u0301", "a" * 3_000, "a" * 3_001, "\U0001f600", "A"]


def test_texts_have_the_same_hash_wherever_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    one = hashes(TEXTS)
    assert len({*one}) == len(TEXTS)
    assert hashes(TEXTS[::-1] + TEXTS) == one[::-1] + one
    assert hashes(TEXTS, pa.large_string()) == one
    encoded = pa.table({"g": pa.array(TEXTS).dictionary_encode()})
    assert GROUPS.of(encoded).tolist() == one
    whole = pa.table({"g": ["other", *TEXTS]})
    assert GROUPS.of(whole.slice(1)).tolist() == one
    chunked = pa.table({"g": pa.chunked_array([TEXTS[:3], TEXTS[3:]])})
    assert GROUPS.of(chunked).tolist() == one
    monkeypatch.setattr(value_counts, "BYTES_HASHED_AT_A_TIME", 5)
    assert hashes(TEXTS) == one


def test_zeros_are_one_group_and_precision_makes_no_other() -> None:
    assert hashes([0.0]) == hashes([-0.0])
    numbers = [0.5, -1.0, 3.0, 1e30]
    assert hashes(numbers, pa.float32())[:3] == hashes(numbers)[:3]
    assert len({*hashes(numbers)}) == 4


def test_moments_are_equal_in_any_unit() -> None:
    days = np.array(["1969-12-31", "2020-02-29"], "datetime64[D]").astype(np.int32)
    date = pa.array(days.tolist(), pa.int32()).cast(pa.date32())
    seconds, milliseconds = (date.cast(pa.timestamp(unit)) for unit in ("s", "ms"))
    assert hashes(date) == hashes(seconds) == hashes(milliseconds)
    late = pa.array([days.tolist()[0] * 86_400 + 86_399], pa.int64()).cast(pa.timestamp("s"))
    assert Days("g").of(pa.table({"g": late})).tolist() == [-1]
    for column in (date, milliseconds):
        assert Days("g").of(pa.table({"g": column})).tolist() == days.tolist()


def test_the_seed_and_the_use_give_other_hashes() -> None:
    rows = pa.table({"g": TEXTS})
    others = [Groups("g", 4, "test groups"), Groups("g", 3, "fold groups")]
    assert all((each.of(rows) != GROUPS.of(rows)).all() for each in others)


def test_hashes_are_spread_evenly() -> None:
    """A share of the hashes is a share of the groups, and close values are no neighbours."""
    of_texts = GROUPS.of(pa.table({"g": [f"customer {row}" for row in range(10_000)]}))
    of_numbers = GROUPS.of(pa.table({"g": np.arange(10_000.0)}))
    for hashed in (of_texts, of_numbers):
        assert len(np.unique(hashed)) == 10_000
        counts = np.histogram(hashed.astype(np.float64), 16, (0, 2.0**64))[0]
        assert abs(counts - 625).max() < 120


def test_counts_add_in_any_order() -> None:
    values = np.random.default_rng(0).integers(0, 50, 1_000)
    blocks = [ValueCounts.of(part) for part in np.split(values, [1, 400, 400, 999])]
    nothing = ValueCounts.of_no_rows()
    sums = [reduce(add, order, nothing) for order in (blocks, blocks[::-1])]
    expected = np.unique(values, return_counts=True)
    for each in (*sums, ValueCounts.of(values)):
        assert each.rows == 1_000
        for ours, right in zip(each.known, expected, strict=True):
            assert ours.tolist() == right.tolist()


def test_more_values_than_are_counted_are_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(value_counts, "MOST_VALUES", 3)
    few, many = ValueCounts.of(np.array([1, 2, 3, 3])), ValueCounts.of(np.arange(4))
    assert few.values is not None
    assert many.values is None
    for each in (few + many, many + few, few + ValueCounts.of(np.array([4]))):
        assert each.values is None
    assert (few + many).rows == 8
