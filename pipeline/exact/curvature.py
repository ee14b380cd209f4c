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

# Of the entries beside their trace, and of the eigenvector: enough for DIGITS of any eigenvalue.
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
    width = len(gram.exponents) - 1
    centres = [Fraction(0), *map(Fraction, np.zeros(width) if centre is None else centre.tolist())]
    divisors = [Fraction(1), *map(Fraction, np.ones(width) if scale is None else scale.tolist())]
    products = _centred(gram, columns, centres)
    products = [
        [product / (divisors[i] * divisors[j]) for product, j in zip(row, columns, strict=True)]
        for row, i in zip(products, columns, strict=True)
    ]
    trace = sum((products[i][i] for i in range(len(columns))), Fraction(0))
    if not trace:
        return 0.0
    # No entry is larger than the trace. As integers, because sums of fractions with many different
    # denominators grow long.
    matrix = [[round(product / trace * 2**FRACTION_BITS) for product in row] for row in products]
    floats = np.array([[math.ldexp(entry, -FRACTION_BITS) for entry in row] for row in matrix])
    vector = [round(v * 2.0**VECTOR_BITS) for v in np.linalg.eigh(floats)[1][:, -1].tolist()]
    square = sum(map(mul, vector, vector))
    image = [sum(map(mul, row, vector)) for row in matrix]
    return _rounded_up(Fraction(sum(map(mul, image, vector)), square << FRACTION_BITS) * trace)


def _centred(
    gram: Gram, columns: Sequence[int], centres: Sequence[Fraction]
) -> list[list[Fraction]]:
    """Return the inner products of the columns less their centres."""
    sums = {i: gram.inner_product(0, i) for i in columns}
    return [
        [
            gram.inner_product(i, j)
            - centres[i] * sums[j]
            - centres[j] * (sums[i] - centres[i] * gram.rows)
            for j in columns
        ]
        for i in columns
    ]


def _rounded_up(value: Fraction) -> float:
    """Return a positive number with 12 digits, rounded up; infinite beyond float64."""
    digits = Context(prec=4 * DIGITS, rounding=ROUND_CEILING)
    quotient = digits.divide(Decimal(value.numerator), Decimal(value.denominator))
    return float(Context(prec=DIGITS, rounding=ROUND_CEILING).plus(quotient))
