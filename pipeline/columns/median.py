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
    """What is known of the two numbers in the middle after some passes: their first bits.

    prefixes: the bits, as integers; one if they are those of both. passes: how many were made.
    """

    prefixes: tuple[int, ...] = (0,)
    passes: int = 0

    def no_counts(self) -> Counts:
        """Return the counts of no values."""
        return np.zeros((len(self.prefixes), 1 << BITS), np.int64)

    def counts(self, values: NDArray[np.float64], times: NDArray[np.int64] | None = None) -> Counts:
        """Return how many of the values with a prefix have each of the next bits: [prefixes, 2¹⁶].

        values: [rows]; NaN for a gap, which does not count. times: how often each counts: [rows].
        """
        is_known = ~np.isnan(values)
        keys = _keys(values[is_known])
        times = None if times is None else times[is_known]
        before = np.uint64(64 - BITS * self.passes)
        counts = self.no_counts()
        for place, prefix in enumerate(self.prefixes):
            here = keys >> before == np.uint64(prefix) if self.passes else slice(None)
            digits = keys[here] >> (before - np.uint64(BITS)) & np.uint64((1 << BITS) - 1)
            places = digits.astype(np.int64)
            if times is None:
                counts[place] = np.bincount(places, minlength=1 << BITS)
            else:
                np.add.at(counts[place], places, times[here])
        return counts


def median(known: int, count: Count) -> float:
    """Return the mean of the two numbers in the middle, or the one, rounded once.

    known: how many numbers there are, at least 1. count: returns the sum of `Search.counts` of all
    blocks.
    """
    ranks = [(known - 1) // 2, known // 2]
    prefixes = [0, 0]
    for passes in range(PASSES):
        search = Search(tuple(dict.fromkeys(prefixes)), passes)
        ends = np.cumsum(count(search), axis=1)
        for place, (rank, prefix) in enumerate(zip(ranks, prefixes, strict=True)):
            of_prefix = ends[search.prefixes.index(prefix)]
            digit = int(np.searchsorted(of_prefix, rank, side="right"))
            ranks[place] -= int(of_prefix[digit - 1]) if digit else 0
            prefixes[place] = prefix << BITS | digit
    low, high = map(_number, prefixes)
    # The sum of two large numbers may be beyond float64.
    return float((Fraction(low) + Fraction(high)) / 2)


def _keys(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return integers in the order of the numbers; −0 is 0: [rows]."""
    bits = (values + 0.0).view(np.uint64)
    sign = np.uint64(1 << 63)
    return np.where(bits & sign, ~bits, bits | sign)


def _number(key: int) -> float:
    """Return the number of a key."""
    bits = key ^ (1 << 63) if key >> 63 else key ^ ((1 << 64) - 1)
    return float(np.uint64(bits).view(np.float64))
