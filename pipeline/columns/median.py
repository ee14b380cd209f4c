"""The median of numbers that are read in blocks, several times: they may not fit into memory.

A number's bits, seen as an unsigned integer after a change of the signs, are in the order of the
numbers. Each pass counts the numbers by the next 16 of these bits, among the numbers whose earlier
bits are already known to be those of the number in the middle (radix selection).
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

BITS = 16
PASSES = 64 // BITS

Counts = NDArray[np.int64]
Count: TypeAlias = Callable[["Search"], Counts]


@dataclass(frozen=True)
class Search:
    """What is known of one number after some passes: its first bits, as an integer."""

    prefix: int = 0
    passes: int = 0

    @staticmethod
    def no_counts() -> Counts:
        """Return the counts of no values."""
        return np.zeros(1 << BITS, np.int64)

    def counts(self, values: NDArray[np.float64]) -> Counts:
        """Return how many of the values that have the prefix have each of the next bits: [2¹⁶].

        values: [rows]; NaN for a gap, which does not count.
        """
        keys = _keys(values[~np.isnan(values)])
        shift = np.uint64(64 - BITS * self.passes)
        if self.passes:
            keys = keys[keys >> shift == np.uint64(self.prefix)]
        digits = (keys >> (shift - np.uint64(BITS))) & np.uint64((1 << BITS) - 1)
        return np.bincount(digits.astype(np.int64), minlength=1 << BITS)


def median(known: int, count: Count) -> float:
    """Return the mean of the two numbers in the middle, or the one, rounded once.

    known: how many numbers there are, at least 1. count: returns the sum of `Search.counts` of all
    blocks.
    """
    low = _ranked((known - 1) // 2, count)
    high = low if known % 2 else _ranked(known // 2, count)
    # The sum of two large numbers may be beyond float64.
    return float((Fraction(low) + Fraction(high)) / 2)


def _ranked(rank: int, count: Count) -> float:
    """Return the number that has `rank` smaller or equal ones before it."""
    search = Search()
    for _ in range(PASSES):
        ends = np.cumsum(count(search))
        digit = int(np.searchsorted(ends, rank, side="right"))
        rank -= int(ends[digit - 1]) if digit else 0
        search = Search(search.prefix << BITS | digit, search.passes + 1)
    return _number(search.prefix)


def _keys(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return integers in the order of the numbers; −0 is 0: [rows]."""
    bits = (values + 0.0).view(np.uint64)
    sign = np.uint64(1 << 63)
    return np.where(bits & sign, ~bits, bits | sign)


def _number(key: int) -> float:
    """Return the number of a key."""
    bits = key ^ (1 << 63) if key >> 63 else key ^ ((1 << 64) - 1)
    return float(np.uint64(bits).view(np.float64))
