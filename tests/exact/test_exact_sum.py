"""Sums of millions of numbers are exact: rounded once, they are those of math.fsum."""

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from pipeline.exact import exact_sum
from pipeline.exact.exact_sum import BLOCK, LOWEST_BIT

ROWS = 2 * BLOCK + 5
Random = np.random.Generator
Floats = NDArray[np.float64]


@pytest.mark.parametrize(
    "numbers",
    [
        lambda random: np.abs(random.normal(size=ROWS)),
        lambda random: random.normal(size=ROWS) * 2.0 ** random.integers(-300, 300, ROWS),
        lambda random: random.normal(size=ROWS) * 2.0 ** random.integers(LOWEST_BIT, 990, ROWS),
        lambda random: random.normal(size=ROWS) * 2.0 ** random.integers(LOWEST_BIT, -1020, ROWS),
        # As many of the largest slices as a block holds.
        lambda random: np.full(ROWS, np.nextafter(1.0, 0)) - random.integers(0, 2, ROWS) * 2.0**-53,
    ],
)
def test_sums_are_exact(numbers: Callable[[Random], Floats]) -> None:
    values = numbers(np.random.default_rng(0))
    before = values.copy()
    total = exact_sum.exact_sum(values)
    assert float(total) == math.fsum(values.tolist())
    assert total == sum(map(Fraction, values.tolist()))
    assert np.array_equal(values, before)


def test_sums_of_extreme_numbers_and_of_no_numbers() -> None:
    huge, tiny = np.finfo(np.float64).max, 2.0**LOWEST_BIT
    values = np.array([[huge, huge, tiny], [-huge, tiny, 1.0]])
    assert exact_sum.exact_sum(values) == Fraction(huge) + 2 * Fraction(tiny) + 1
    assert exact_sum.exact_sum(np.empty((0, 2))) == 0
    assert exact_sum.exact_sum(np.zeros(3)) == 0
