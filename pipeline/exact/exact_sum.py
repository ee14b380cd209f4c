"""The sum of many float64 numbers without rounding error, at a few times the cost of NumPy's sum.

Each number is cut into slices, multiples of a power of two so large that float64 adds a block of
them exactly, in whatever order (ExtractVector; Rump, Ogita and Oishi, *Accurate floating-point
summation, part I: faithful rounding*, SIAM Journal on Scientific Computing 31, 2008).
"""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.gram_sums import gram_matrix

# A block stays in the cache. A slice is at most 2^SLICE_BITS units in size, and the slices of
# a block add up to at most 2^53 units: every sum on the way is exact.
BLOCK = 2**14
SLICE_BITS = 53 - 14

LOWEST_BIT = -1074
"""Exponent of the lowest bit of any float64."""
MOST_EXPONENT = 960
"""With larger numbers the method itself might overflow."""


def exact_sum(values: NDArray[np.float64]) -> Fraction:
    """Return the sum of finite numbers, exactly. values: of any shape; it is not changed."""
    flat = values.ravel(order="K")
    blocks = (flat[start : start + BLOCK] for start in range(0, len(flat), BLOCK))
    return sum(map(_of_block, blocks), Fraction(0))


def weighted_sum(values: NDArray[np.float64], weights: NDArray[np.float64] | None) -> Fraction:
    """Return the sum of finite numbers [rows, columns], each times the weight of its row, exactly.

    weights: [rows], finite and above 0; None: each is 1. BLAS must be limited to one thread.
    """
    if weights is None:
        return exact_sum(values)
    gram = gram_matrix(values, weights=weights)
    columns = range(1, 1 + values.shape[1])
    return sum((gram.inner_product(0, column) for column in columns), Fraction(0))


def _of_block(values: NDArray[np.float64]) -> Fraction:
    """Return the sum of at most BLOCK numbers."""
    total, rest, digits = Fraction(0), values, np.empty_like(values)
    while True:
        largest = max(float(rest.max()), -float(rest.min()))
        assert math.isfinite(largest)
        if not largest:
            return total
        exponent = math.frexp(largest)[1]
        if exponent > MOST_EXPONENT:
            return total + sum(map(Fraction, rest.tolist()), Fraction(0))
        unit = max(exponent - SLICE_BITS, LOWEST_BIT)
        # Adding and subtracting 1.5 · 2^52 units rounds to a multiple of the unit.
        rounder = math.ldexp(1.5, 52 + unit)
        np.add(rest, rounder, out=digits)
        digits -= rounder
        # The first rest is a new array: the caller keeps its numbers.
        rest = np.subtract(rest, digits, out=None if rest is values else rest)
        total += Fraction(float(digits.sum()))
