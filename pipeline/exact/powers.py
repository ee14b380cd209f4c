"""Powers of float64 numbers, each correctly rounded once: the same bits on every x86-64 CPU.

A power is computed in two floats by products without error (Dekker, *A floating-point technique for
extending the available precision*, Numerische Mathematik 18, 1971). Where the error of that might
decide the rounding, and where a product is too large or too small for it, the power is computed in
integers.
"""

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_POWER = 16
ERROR = 2.0**-96
"""Of a power in two floats, relative to it: each of at most 14 products with a pair errs by less
than 2⁻¹⁰² of itself."""
LEAST, MOST = 2.0**-800, 2.0**900
"""Powers between them are computed in two floats: no part of a product is subnormal or infinite."""
BLOCK = 2**13
"""Numbers of a block stay in the cache."""
_SPLITTER = 2.0**27 + 1


def power(values: Floats, exponent: int) -> Floats:
    """Return values to the power of an integer from 2 to MOST_POWER: [rows].

    Infinite beyond float64, NaN for NaN; without a warning.
    """
    assert 2 <= exponent <= MOST_POWER
    with np.errstate(all="ignore"):
        if exponent == 2:
            return values * values
        result = np.empty_like(values)
        for begin in range(0, len(values), BLOCK):
            block = slice(begin, begin + BLOCK)
            result[block] = _power_of_block(values[block], exponent)
    return result


def _power_of_block(values: Floats, exponent: int) -> Floats:
    """Return the powers of a few numbers."""
    high, low = _product(values, values)
    for _ in range(exponent - 2):
        product, error = _product(high, values)
        rest = error + low * values
        high = product + rest
        low = rest - (high - product)
    margin = ERROR * np.abs(high)
    result = high + (low + margin)
    is_sure = result == high + (low - margin)
    is_sure &= (np.abs(high) > LEAST) & (np.abs(high) < MOST)
    doubtful = np.flatnonzero(~is_sure)
    if len(doubtful):
        different, places = np.unique(values[doubtful], return_inverse=True)
        rounded = [_rounded(value, exponent) for value in different.tolist()]
        result[doubtful] = np.array(rounded)[places]
    return result


def _product(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return the rounded product and its rounding error, exactly, if neither is too large."""
    product = a * b
    a_high, a_low = _split(a)
    b_high, b_low = _split(b)
    error = a_low * b_low - (((product - a_high * b_high) - a_low * b_high) - a_high * b_low)
    return product, error


def _split(values: Floats) -> tuple[Floats, Floats]:
    """Return two parts of at most 26 bits each, whose sum is the value."""
    scaled = _SPLITTER * values
    high = scaled - (scaled - values)
    return high, values - high


def _rounded(value: float, exponent: int) -> float:
    """Return the power, rounded once from the exact one."""
    if value == 0:  # of either sign
        return 0.0
    if not math.isfinite(value):
        return math.prod([value] * exponent)
    exact = Fraction(value) ** exponent
    try:
        return float(exact)
    except OverflowError:
        return math.inf if exact > 0 else -math.inf
