"""Logarithm and exponential of float64 numbers: the same bits on every x86-64 CPU.

NumPy's own (and libm's) take other steps where the CPU has other instructions. Here each step is
one IEEE operation of NumPy, +, −, × or rint, rounded in the same way everywhere, or moves bits.

Both look up the nearest point of a table, in two float64 parts, and add a short Taylor series
around it, whose rounding hardly counts (Tang, *Table-driven implementation of the exponential
function in IEEE floating-point arithmetic*, ACM Transactions on Mathematical Software 15, 1989, and
*… of the logarithm function …*, 16, 1990). The tables are rounded from balls of FLINT, once a
process.
"""

import math
from collections.abc import Callable
from fractions import Fraction
from functools import cache

import numpy as np
from flint import arb
from numpy.typing import NDArray

from pipeline.exact.rounding import exactly, nearest, precision

Floats = NDArray[np.float64]

MOST_ERROR = Fraction(52, 100)
"""How far a result is from the true value at the most, in units of its last place.

Half a unit is the last rounding. The terms before it are at most 2⁻⁷ of the result, and rounding
them to 53 bits costs less than 2⁻⁶ of a unit. Measured: 0.501 for log, 0.506 for exp.
"""

# Numbers of a block stay in the cache.
BLOCK = 2**13
STEPS = 128
"""Of exp's table in an octave."""
CENTRES = 256
"""Of log's table in [0, 1]: the numbers j / 256."""
FIRST_CENTRE, LAST_CENTRE = 181, 363
LOG2_UNIT = Fraction(1, 2**42)
"""Multiples of it below 2¹⁰ add without rounding."""
INVERSE_UNIT = Fraction(1, 2**20)
SQRT_HALF = 0.7071067811865476
# Adding and subtracting it rounds numbers below 2 to multiples of 2⁻³¹.
TO_31_BITS = 1.5 * 2.0**21
MOST_EXP, LEAST_EXP = 710.0, -746.0
"""Beyond, exp is infinite or zero."""


def log(values: Floats) -> Floats:
    """Return the natural logarithms, each within MOST_ERROR of the true one. Any shape.

    −inf for zero, NaN for numbers below it and for NaN; without a warning.
    """
    return _in_blocks(_log_of_block, values)


def exp(values: Floats) -> Floats:
    """Return e to the power of each value, within MOST_ERROR of the true one. Any shape.

    Infinite above 709.78, zero below −745.13, NaN for NaN; without a warning.
    """
    return _in_blocks(_exp_of_block, values)


def _in_blocks(function: Callable[[Floats], Floats], values: Floats) -> Floats:
    """Return `function` of all values, of the same shape."""
    flat = np.ascontiguousarray(values, np.float64).reshape(-1)
    results = np.empty_like(flat)
    with np.errstate(all="ignore"):
        for start in range(0, len(flat), BLOCK):
            results[start : start + BLOCK] = function(flat[start : start + BLOCK])
    return results.reshape(np.shape(values))


def _log_of_block(values: Floats) -> Floats:
    """Return log x = e · log 2 + log c + log(1 + r), where x = 2^e · m and 1 + r = m / c.

    c is near j / 256, and 1 / c has 21 bits, so that r = m / c − 1 is two floats, exactly.
    """
    inverses, high_logs, low_logs, (log2_high, log2_low) = _log_tables()
    usable = (values > 0) & (values < math.inf)
    mantissas, exponents = np.frexp(np.where(usable, values, 1.0))
    # From √½ to √2, so that what is near 1 has the exponent 0, and nothing cancels.
    small = mantissas < SQRT_HALF
    mantissas = np.where(small, 2 * mantissas, mantissas)
    octaves = (exponents - small).astype(np.float64)
    centres = np.rint(mantissas * CENTRES).astype(np.int64) - FIRST_CENTRE
    inverse = inverses[centres]
    upper = (mantissas + TO_31_BITS) - TO_31_BITS
    step, step_tail = _two_sum(upper * inverse - 1, (mantissas - upper) * inverse)
    start = octaves * log2_high + high_logs[centres]
    start_tail = octaves * log2_low + low_logs[centres]
    head, tail = _two_sum(start, step)
    series = step * step * _series(step, LOG_TERMS)
    results = head + (tail + (step_tail + (start_tail + series)))
    special = np.where(values == 0, -math.inf, np.where(values == math.inf, math.inf, math.nan))
    return np.where(usable, results, special)


def _exp_of_block(values: Floats) -> Floats:
    """Return e^x = 2^(k / 128) · e^r, where r = x − k · log(2) / 128 in two floats."""
    high_powers, low_powers, (first, second, third) = _exp_tables()
    within = np.where(np.isnan(values), 0.0, np.clip(values, LEAST_EXP, MOST_EXP))
    steps = np.rint(within * (1 / (first + second)))
    # Exact: k has 18 bits, and the first two parts of log(2) / 128 have 35.
    step, tail = _two_sum(within - steps * first, -(steps * second))
    tail = tail - steps * third
    series = step + (tail + step * step * _series(step, EXP_TERMS))
    whole = steps.astype(np.int64)
    octave, place = whole >> 7, whole & (STEPS - 1)
    high = high_powers[place]
    rest = low_powers[place] + high * series
    return np.where(np.isnan(values), math.nan, _scaled(high, rest, octave))


def _scaled(high: Floats, rest: Floats, octave: NDArray[np.int64]) -> Floats:
    """Return (high + rest) · 2^octave, rounded once where it is subnormal too.

    There the sum is rounded to a multiple of the smallest number by adding a power of two.
    """
    total, error = _two_sum(high, rest)
    lift = _power_of_two(np.clip(-1022 - octave, 0, 60))
    raised, raised_error = _two_sum(lift, total)
    lifted = (raised + (raised_error + error)) - lift
    total = np.where(octave < -1022, lifted, total)
    half = octave >> 1
    return (total * _power_of_two(half)) * _power_of_two(octave - half)


def _power_of_two(exponents: NDArray[np.int64]) -> Floats:
    """Return 2^exponent of exponents from −1022 to 1023, by their bits."""
    return ((exponents + 1023) << 52).view(np.float64)


def _two_sum(a: Floats, b: Floats) -> tuple[Floats, Floats]:
    """Return the rounded sum and its rounding error, exactly (Knuth's TwoSum)."""
    total = a + b
    of_b = total - a
    return total, (a - (total - of_b)) + (b - of_b)


def _series(x: Floats, coefficients: list[float]) -> Floats:
    """Return the polynomial by Horner's rule. coefficients: that of the highest power first."""
    result = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        result = result * x + coefficient
    return result


# (log(1 + r) − r) / r² and (e^r − 1 − r) / r² by Taylor. |r| is below 2⁻⁸, and the first term that
# is missing below 2⁻⁶⁰ of the result.
LOG_TERMS = [(-1) ** (n + 1) / n for n in range(8, 1, -1)]
EXP_TERMS = [1 / math.factorial(n) for n in range(7, 1, -1)]


@cache
def _log_tables() -> tuple[Floats, Floats, Floats, tuple[float, float]]:
    """Return 1 / c, log c in two parts for each centre, and log 2 in two parts."""
    inverses, highs, lows = [], [], []
    with precision(300):
        for centre in range(FIRST_CENTRE, LAST_CENTRE + 1):
            inverse = round(Fraction(CENTRES, centre) / INVERSE_UNIT) * INVERSE_UNIT
            high, low = _in_parts(
                -(arb(inverse.numerator) / inverse.denominator).log(), [LOG2_UNIT]
            )
            inverses.append(float(inverse))
            highs.append(high)
            lows.append(low)
        log2_high, log2_low = _in_parts(arb(2).log(), [LOG2_UNIT])
    return np.array(inverses), np.array(highs), np.array(lows), (log2_high, log2_low)


@cache
def _exp_tables() -> tuple[Floats, Floats, tuple[float, float, float]]:
    """Return 2^(j / 128) in two parts for each j, and log(2) / 128 in three."""
    with precision(300):
        powers = [
            _in_parts((arb(2).log() * j / STEPS).exp(), [Fraction(1, 2**52)]) for j in range(STEPS)
        ]
        first, second, third = _in_parts(
            arb(2).log() / STEPS, [Fraction(1, 2**42), Fraction(1, 2**77)]
        )
    highs, lows = np.array(powers).T.copy()
    return highs, lows, (first, second, third)


def _in_parts(ball: arb, units: list[Fraction]) -> list[float]:
    """Return a number as multiples of falling units, and the rest rounded to a float64."""
    rest, parts = exactly(ball.mid()), []
    for unit in units:
        part = round(rest / unit) * unit
        parts.append(float(part))
        rest -= part
    return [*parts, nearest(rest, "float64")]
