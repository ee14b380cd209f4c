"""Slices add up to the numbers that they were cut from, and are small enough to be multiplied."""

import numpy as np
import pytest
from exact_tables import noisy
from numpy.typing import NDArray

from pipeline.exact.slice_plan import MOST_SLICES, SlicePlan
from pipeline.exact.slices import Slicer, exact_rows


def rest_of(table: NDArray[np.float64], plan: SlicePlan) -> NDArray[np.bool_]:
    """Check that slices are integers that add up to the numbers; return which rows do not fit."""
    slicer = Slicer(plan, len(table))
    slices, unfit = slicer.cut([table])
    digits = np.ldexp(slices, -slicer.units[:, None])
    np.testing.assert_array_equal(digits, np.rint(digits))
    assert np.abs(digits).max() <= 2**plan.bits
    sums = np.zeros((1 + table.shape[1], len(table)))
    # The smallest slices first: each sum is then exact.
    begin = 0
    for count in slicer.counts:
        sums[:count] += slices[begin : begin + count]
        begin += count
    sums = np.ldexp(sums[slicer.place] + plan.centres[:, None] * ~unfit, plan.scales[:, None])
    np.testing.assert_array_equal(sums[0][~unfit], 1)
    np.testing.assert_array_equal(sums[1:].T[~unfit], table[~unfit])
    assert not slices[:, unfit].any()
    return unfit


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_slices_add_up_to_the_numbers(dtype: str) -> None:
    """Whatever the plan: rows that do not fit are named, and the others lose no bit."""
    table = noisy(300, dtype=dtype)
    assert 0 < rest_of(table, SlicePlan.of([table])).sum() < 10


def test_the_number_of_slices_follows_the_bits_of_a_column() -> None:
    random = np.random.default_rng(0)
    single = random.normal(size=100).astype(np.float32).astype(float)
    double = random.normal(size=100)
    wide = np.ldexp(double, np.arange(100))
    table = np.column_stack([np.arange(-50.0, 50), np.zeros(100), single, double, wide])
    plan = SlicePlan.of([table])
    assert plan.slices.tolist()[:4] == [1, 1, 1, 2]
    # Of few rows every one must fit.
    assert 3 <= plan.slices[4] <= plan.slices[5] == MOST_SLICES
    assert plan.checked.tolist() == [False, *[True] * 5]


def test_numbers_far_from_zero_beside_their_spread_need_one_slice() -> None:
    """All 24 bits of float32 are certain; without the centre they would need two."""
    table = np.random.default_rng(0).normal(50, 1, (3_000, 3)).astype(np.float32)
    plan = SlicePlan.of([table])
    assert plan.slices.tolist() == [1, 1, 1, 1]
    assert plan.centres[1:].all()
    assert not plan.checked.any()
    assert not rest_of(table.astype(np.float64), plan).any()
    constant = SlicePlan.of([np.full((70, 1), 0.1)])
    assert (constant.slices[1], constant.centres[1]) == (1, 0.1)


def test_a_number_far_larger_than_the_others_costs_its_row_alone() -> None:
    table = np.random.default_rng(0).normal(size=(2_000, 3))
    table[1, 1] = 1e200
    plan = SlicePlan.of([table])
    assert plan.slices.tolist() == [1, 3, 3, 3]
    assert plan.units.min() > -100
    assert exact_rows([table], plan) > 500
