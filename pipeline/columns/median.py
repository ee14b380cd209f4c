"""Order statistics, such as the median, of numbers that are read in blocks, several times.

They may not fit into memory.

A number's bits, seen as an unsigned integer after a change of the signs, are in the order of the
numbers. Each pass counts the numbers by the next 16 of these bits, among the numbers whose earlier
bits are already known to be those of a number that is sought (radix selection).
"""

import math
from collections.abc import Callable, Sequence
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
    """What is known of the numbers that are sought after some passes: their first bits.

    prefixes: the bits, as integers; each once. passes: how many were made.
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
    (middle,) = quantiles(known, [Fraction(1, 2)], count)
    return middle


def quantiles(known: int, shares: Sequence[Fraction], count: Count) -> list[float]:
    """Return for each share the number below which so much of the numbers lies, rounded once.

    Between two numbers it is interpolated: type 7 of R, the default of NumPy. shares: from 0 to 1.
    known, count: as for the median.
    """
    positions = [(known - 1) * share for share in shares]
    ranks = [rank for each in positions for rank in (math.floor(each), math.ceil(each))]
    (values,) = order_statistics([ranks], lambda searches: [count(searches[0])])
    # Fractions: the sum of two large numbers may be beyond float64.
    numbers = dict(zip(ranks, map(Fraction, values), strict=True))
    return [
        float(low + (high - low) * (position - math.floor(position)))
        for position in positions
        for low, high in [(numbers[math.floor(position)], numbers[math.ceil(position)])]
    ]


def order_statistics(
    ranks: Sequence[Sequence[int]], count: Callable[[Sequence[Search]], Sequence[Counts]]
) -> list[list[float]]:
    """Return numbers by their places in rising order, of several columns at once.

    ranks: the places, from 0, of each column. count: returns the sum of `Search.counts` of all
    blocks for each column; it is called four times.
    """
    left = [[*of_column] for of_column in ranks]
    prefixes = [[0] * len(of_column) for of_column in ranks]
    for passes in range(PASSES):
        searches = [Search(tuple(dict.fromkeys(each)), passes) for each in prefixes]
        for column, counts in enumerate(count(searches)):
            ends = np.cumsum(counts, axis=1)
            for place, (rank, prefix) in enumerate(
                zip(left[column], prefixes[column], strict=True)
            ):
                of_prefix = ends[searches[column].prefixes.index(prefix)]
                digit = int(np.searchsorted(of_prefix, rank, side="right"))
                left[column][place] -= int(of_prefix[digit - 1]) if digit else 0
                prefixes[column][place] = prefix << BITS | digit
    return [[*map(_number, of_column)] for of_column in prefixes]


def _keys(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Return integers in the order of the numbers; −0 is 0: [rows]."""
    bits = (values + 0.0).view(np.uint64)
    sign = np.uint64(1 << 63)
    return np.where(bits & sign, ~bits, bits | sign)


def _number(key: int) -> float:
    """Return the number of a key."""
    bits = key ^ (1 << 63) if key >> 63 else key ^ ((1 << 64) - 1)
    return float(np.uint64(bits).view(np.float64))
