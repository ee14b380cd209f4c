"""The largest eigenvalue of a Gram matrix: how strongly a squared error curves at the most."""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, Context, Decimal
from fractions import Fraction
from operator import mul

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.gram import Gram

Floats = NDArray[np.float64]

DIGITS = 12

# Of the entries beside the largest, and of the eigenvector: enough for DIGITS of any eigenvalue.
FRACTION_BITS, VECTOR_BITS = 256, 60


def largest_eigenvalue(
    gram: Gram, columns: Sequence[int], centre: Floats | None = None, scale: Floats | None = None
) -> float:
    """Return the largest eigenvalue of ZᵀZ, rounded up to 12 digits; 0 without columns.

    gram: the Gram matrix of [1 ...]. columns: the places in it of the columns of Z. Column j of Z
    is (column − centre_j) / scale_j; the column of ones, place 0, stays as it is.
    centre, scale: [columns of the Gram matrix − 1], by default zeros and ones.
    Infinite beyond float64.

    The Rayleigh quotient of the eigenvector that LAPACK gives is computed without rounding: its
    error is the square of the eigenvector's error, and the last bits of LAPACK's answer, which
    differ from machine to machine, do not reach the digits that are kept.
    """
    if centre is not None:
        gram = gram.centred(centre)
    ones = np.ones(len(gram.exponents) - 1)
    # Each divisor is an integer times a power of two, and so the exponents are those of Z.
    divisors, exponents = [], []
    for column in columns:
        divisor = [1.0, *(ones if scale is None else scale).tolist()][column]
        mantissa, size = math.frexp(divisor)
        divisors.append(int(math.ldexp(mantissa, 53)))
        exponents.append(gram.exponents[column] - size + 53)
    entries = [[gram.entries[i][j] for j in columns] for i in columns]
    sizes = [
        entries[i][i].bit_length() + 2 * (exponents[i] - divisors[i].bit_length() + 1)
        for i in range(len(columns))
        if entries[i][i]
    ]
    if not sizes:
        return 0.0
    # Beside 2^unit, which no entry reaches, as integers: sums of fractions with many different
    # denominators grow long.
    unit = max(sizes)
    matrix = [
        [
            _shifted(entry, FRACTION_BITS + exponents[i] + exponents[j] - unit)
            // (divisors[i] * divisors[j])
            for j, entry in enumerate(row)
        ]
        for i, row in enumerate(entries)
    ]
    floats = np.array([[math.ldexp(entry, -FRACTION_BITS) for entry in row] for row in matrix])
    vector = [round(v * 2.0**VECTOR_BITS) for v in np.linalg.eigh(floats)[1][:, -1].tolist()]
    square = sum(map(mul, vector, vector))
    image = [sum(map(mul, row, vector)) for row in matrix]
    beside_unit = Fraction(sum(map(mul, image, vector)), square << FRACTION_BITS)
    return _rounded_up(beside_unit * Fraction(2) ** unit)


def _shifted(value: int, bits: int) -> int:
    return value << bits if bits >= 0 else value >> -bits


def _rounded_up(value: Fraction) -> float:
    """Return a positive number with 12 digits, rounded up; infinite beyond float64."""
    digits = Context(prec=4 * DIGITS, rounding=ROUND_CEILING)
    quotient = digits.divide(Decimal(value.numerator), Decimal(value.denominator))
    return float(Context(prec=DIGITS, rounding=ROUND_CEILING).plus(quotient))
