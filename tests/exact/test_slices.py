"""Slices add up to the numbers that they were cut from, and are small enough to be multiplied."""

import numpy as np
import pytest
from exact_tables import noisy

from pipeline.exact.slices import BLOCK_ROWS, MOST_SLICES, SLICE_BITS, Plan, Slicer


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_slices_add_up_to_the_numbers(dtype: str) -> None:
    """Whatever the plan: rows that do not fit are named, and the others lose no bit."""
    table = noisy(300, dtype=dtype)
    slicer = Slicer(Plan.of([table]), 300)
    slices, unfit = slicer.cut([table])
    assert 0 < unfit.sum() < 10
    sums = np.zeros((6, 300))
    # The smallest slices first: each sum is then exact.
    for column, digits in zip(slicer.column[::-1], slices[::-1], strict=True):
        sums[column] += digits
    np.testing.assert_array_equal(sums[0][~unfit], 1)
    np.testing.assert_array_equal(sums[1:].T[~unfit], table[~unfit])
    digits = np.ldexp(slices, -slicer.units[:, None])
    np.testing.assert_array_equal(digits, np.rint(digits))
    assert np.abs(digits).max() <= 2 ** (SLICE_BITS - 1)
    assert BLOCK_ROWS * 2 ** (2 * SLICE_BITS - 2) < 2**53


def test_the_number_of_slices_follows_the_bits_of_a_column() -> None:
    integers = np.arange(-50.0, 50)
    single = np.random.default_rng(0).normal(size=100).astype(np.float32).astype(float)
    double = np.random.default_rng(0).normal(size=100)
    wide = np.ldexp(double, np.arange(100))
    plan = Plan.of([np.column_stack([integers, single, double, wide])])
    ones, *counts = plan.slices.tolist()
    assert (ones, counts[0], counts[-1]) == (1, 1, MOST_SLICES)
    assert counts == sorted(counts)
    assert 2 <= counts[1] <= 3 <= counts[2]
