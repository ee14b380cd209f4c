"""Weights of rows as digits of few bits, with which float64 multiplies slices exactly.

A weight, the slices of two columns and the rows of a block have 53 bits together: digits of 14 bits
and slices of 14 to 16 leave room for blocks of some thousand rows.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DIGIT_BITS = 14
SLICE_BITS = (14, 15, 16)
"""Bits of the slices that digits are multiplied with; the fewer, the larger the blocks."""
MOST_DIGITS = 8
"""Digits of a weight: numbers of one size need 4, numbers of the sizes 1 to 10^9 need 6."""


@dataclass(frozen=True)
class WeightDigits:
    """How weights are cut into digits: integers below 2^14, of which each counts for 2^exponent.

    unit: weights are taken as multiples of 2^unit; it is even, because the exponents of a Gram
    matrix count twice. digits: number of them.
    """

    unit: int
    digits: int

    @classmethod
    def of(cls, weights: Floats) -> "WeightDigits":
        """Return the digits that suit most of these weights, at least one. weights: [rows]."""
        lowest, top = _bits(weights)
        unit, most = int(lowest.min()), int(top.max())
        if most - unit > MOST_DIGITS * DIGIT_BITS - 1:
            # Sizes differ too much: the digits around those of the weight in the middle.
            unit = max(unit, int(np.sort(lowest)[len(lowest) // 2]) - 2 * DIGIT_BITS)
        unit -= unit % 2
        return cls(unit, min(MOST_DIGITS, max(1, -(-(most - unit) // DIGIT_BITS))))

    @property
    def exponents(self) -> tuple[int, ...]:
        """Half of the exponent of what each digit counts, for the columns of a Gram matrix."""
        return tuple(self.unit // 2 + DIGIT_BITS // 2 * place for place in range(self.digits))

    def suits(self, weights: Floats) -> bool:
        """Return True if every weight has these digits. weights: [rows], at least one."""
        return not self._unfit(weights).any()

    def _unfit(self, weights: Floats) -> NDArray[np.bool_]:
        lowest, top = _bits(weights)
        beyond = top > self.unit + DIGIT_BITS * self.digits
        unfit: NDArray[np.bool_] = (weights != 0) & (beyond | (lowest < self.unit))
        return unfit

    def cut(self, weights: Floats) -> tuple[list[Floats], NDArray[np.bool_]]:
        """Return the digits of weights, from the last to the first, and the weights without them.

        weights: [rows], finite and not negative. Digits: [rows] each, zeros where there are none.
        """
        unfit = self._unfit(weights)
        # In two steps: 2^1074 is beyond float64.
        half = -self.unit // 2
        rest = np.ldexp(np.ldexp(np.where(unfit, 0, weights), half), -self.unit - half)
        found = []
        for place in range(self.digits - 1, 0, -1):
            digit = np.floor(np.ldexp(rest, -DIGIT_BITS * place))
            rest = rest - np.ldexp(digit, DIGIT_BITS * place)
            found.append(digit)
        return [rest, *reversed(found)], unfit


def _bits(weights: Floats) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the exponents of the lowest bit, and of what is above the highest: [rows] each."""
    mantissas, top = np.frexp(weights)
    digits = np.ldexp(mantissas, 53).astype(np.int64)
    lowest = np.frexp((digits & -digits).astype(np.float64))[1] - 1
    return top.astype(np.int64) - 53 + lowest, top.astype(np.int64)
