"""The sums of the products of slices, and the inner products of columns that they give."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.slice_plan import Floats
from pipeline.exact.slices import Slicer

Product = Callable[[Floats, Floats], Floats]
"""Function that multiplies slices, float64 [slices, rows], by the transpose of the same slices, of
which the first may be times weights: [slices, slices]. It may add in any order."""

# Every integer up to this one is a float64.
EXACT = 2.0**53

# So many sums below 2^53 are added as int64; then four of the results still fit into int64.
MOST_SUMS = 128


def own_product(weighted: Floats, slices: Floats) -> Floats:
    """Multiply by NumPy's BLAS, which computes one half of the matrix if both are one array."""
    product: Floats = weighted @ slices.T
    return product


class Products:
    """The sum of the products of the slices of many rows, without rounding.

    A product is exact if its diagonal is below 2^53 units: the terms of a diagonal entry are
    squares, so that it can only have been rounded to 2^53 or above; and the terms of another entry
    have, by Cauchy and Schwarz, together at most the size of the diagonal entries, in whatever
    order they are added. The same is true if each row has a weight that is not negative.
    """

    def __init__(self, slicer: Slicer, product: Product) -> None:
        self._slicer, self._product = slicer, product
        units = slicer.units
        self._limits = np.ldexp(EXACT, 2 * units)
        self._per_unit = np.ldexp(1.0, -units)
        self._clear()

    def _clear(self) -> None:
        size = len(self._limits)
        self._sum, self._diagonal = np.zeros((size, size)), np.zeros(size)
        self._integers, self._sums = np.zeros((size, size), dtype=np.int64), 0

    def add(self, slices: Floats, weights: Floats | None = None) -> bool:
        """Add the product of slices [slices, rows]. False if it would not be exact.

        weights: integers, not negative: [rows]; None: each is 1.
        """
        product = self._product(slices if weights is None else slices * weights, slices)
        diagonal = product.diagonal()
        if not (diagonal < self._limits).all():
            return False
        total = self._diagonal + diagonal
        if (total < self._limits).all():
            self._sum += product
            self._diagonal = total
        else:
            self._flush()
            self._sum, self._diagonal = product, diagonal
        return True

    @property
    def full(self) -> bool:
        """True if `taken` must be called before more is added."""
        return self._sums >= MOST_SUMS

    def _flush(self) -> None:
        """Add the sum to the integers."""
        self._sum *= self._per_unit[:, None]
        self._sum *= self._per_unit
        self._integers += self._sum.astype(np.int64)
        self._sums += 1

    def taken(self) -> tuple[int, tuple[int, ...], tuple[tuple[int, ...], ...]]:
        """Return rows, exponents and entries of the Gram matrix of what was added; forget it."""
        self._flush()
        entries = self._joined(self._integers)
        self._clear()
        plan, place = self._slicer.plan, self._slicer.place
        entries = entries[np.ix_(place, place)]
        rows = int(entries[0, 0])
        centred = np.flatnonzero(plan.centres)
        if len(centred):
            # x = z + c, in units: Σ x x' = Σ z z' + c Σ z' + c' Σ x.
            centres = np.zeros(len(place), dtype=object)
            centres[centred] = (
                np.ldexp(plan.centres, -plan.units)[centred].astype(np.int64).tolist()
            )
            z_sums = entries[0].copy()
            x_sums = z_sums + rows * centres
            entries[centred] += np.multiply.outer(centres[centred], z_sums)
            entries[:, centred] += np.multiply.outer(x_sums, centres[centred])
        exponents = (plan.units + plan.scales).tolist()
        return rows, tuple(exponents), tuple(map(tuple, entries.tolist()))

    def _joined(self, products: NDArray[np.int64]) -> NDArray[Any]:
        """Return the inner products of columns, in their units and places: integers of Python.

        The products of slices of the powers a and b count 2^(bits · (a + b)). Carried in int64,
        because an operation of Python's integers takes fifty times as long.
        """
        counts, bits = self._slicer.counts, self._slicer.plan.bits
        ends = np.cumsum(counts).tolist()
        parts = [slice(end - count, end) for end, count in zip(ends, counts, strict=True)]
        most = 2 * len(counts) - 2
        digits = []
        carried = np.zeros((counts[0], counts[0]), dtype=np.int64)
        for power in range(most + 1):
            for a in range(max(0, power + 1 - len(counts)), min(power, len(counts) - 1) + 1):
                b = power - a
                carried[: counts[a], : counts[b]] += products[parts[a], parts[b]]
            if power < most:
                digits.append(carried & ((1 << bits) - 1))
                carried >>= bits
        entries = carried.astype(object) << (bits * most) if most else carried.astype(object)
        for power in range(0, most, 2):
            pair = digits[power] + (digits[power + 1] << bits)
            entries += pair.astype(object) << (bits * power) if power else pair.astype(object)
        return entries
