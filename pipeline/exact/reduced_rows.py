"""A few rows with the squared error of all rows of a table, whatever the linear model.

A loss of squared errors depends on the rows through their Gram matrix alone. So any rows with this
Gram matrix have the same loss and the same gradient at every weight.
"""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from pipeline.exact.cholesky import Balls, cholesky, product
from pipeline.exact.gram import Gram
from pipeline.exact.normal_equations import FIRST_BITS, TIE_BITS
from pipeline.exact.rank import independent_columns
from pipeline.exact.rounding import certain, precision, settled, shift

# Beside the length 1 of its column a smaller number is taken as zero: only zeros are so near to it.
ZERO, BITS_OF_ZERO = 2.0**-400, 1024


def reduced_rows(gram: Gram) -> NDArray[np.float64]:
    """Return rows B with [1 B]ᵀ[1 B] = k/n · G, correctly rounded: [k, k − 1].

    gram: G, the Gram matrix of n rows of [1 x y], at least one, or of rows of the weight n; k: its
    number of columns, the column of ones included. The mean of the squared errors of any
    y = weight · x + bias is the same over these k rows as over the n rows, with or without a bias,
    and so is its gradient. A number beyond float64 is infinite.

    RᵀR = k/n · G by Cholesky's method; the first column of R is (√k, 0, …). Householder's
    reflection that turns this column into ones gives [1 B]: it changes no inner product
    (Householder, *Unitary triangularization of a nonsymmetric matrix*, 1958).
    """
    assert gram.rows > 0
    gram = gram.with_whole_weight()
    independent, combinations = independent_columns(gram, range(len(gram.exponents)))
    for doubling in itertools.count():
        bits = FIRST_BITS << doubling
        with precision(bits):
            try:
                balls = _scaled_rows(gram, independent, list(combinations))
            except ZeroDivisionError:  # cannot be told from a singular matrix at these bits
                continue
            is_last = bits >= TIE_BITS and _have_digits(balls)
            rows = [
                [
                    _number(ball, -scale, bits, is_last)
                    for ball, scale in zip(row, _scales(gram)[1:], strict=True)
                ]
                for row in balls
            ]
        if is_last or not any(None in row for row in rows):
            return np.array(rows, dtype=np.float64)
    raise AssertionError("unreachable: there are always more bits")


def _number(ball: Any, exponent: int, bits: int, is_last: bool) -> float | None:
    """Return ball · 2^exponent, correctly rounded; None if the ball rounds to two numbers."""
    if bits >= BITS_OF_ZERO and abs(ball) < ZERO:
        return 0.0
    shifted = shift(ball, exponent)
    return settled(shifted, "float64") if is_last else certain(shifted, "float64")


def _have_digits(balls: Balls) -> bool:
    """Return True if every ball has digits enough to tell a tie between two numbers."""
    return all(
        abs(ball) < ZERO or ball.rel_accuracy_bits() >= TIE_BITS // 2
        for row in balls
        for ball in row
    )


def _scales(gram: Gram) -> list[int]:
    """Return exponents: each column times 2^exponent has a length near 1 in the reduced rows."""
    scales = []
    for column, exponent in enumerate(gram.exponents):
        square = gram.entries[column][column]
        size = square.bit_length() - gram.entries[0][0].bit_length() if square else 0
        scales.append(-exponent - size // 2)
    return scales


def _scaled_rows(gram: Gram, independent: Sequence[int], dependent: Sequence[int]) -> Balls:
    """Return the reduced rows with scaled columns: [k, k − 1].

    independent, dependent: all places in the Gram matrix. Raises ZeroDivisionError if the precision
    is too small.
    """
    scales, size = _scales(gram), len(gram.exponents)
    factor = arb(size) / gram.entries[0][0]
    units = [scale + exponent for scale, exponent in zip(scales, gram.exponents, strict=True)]

    def entries(rows: Sequence[int], columns: Sequence[int]) -> Balls:
        return [
            [factor * shift(gram.entries[i][j], units[i] + units[j]) for j in columns] for i in rows
        ]

    lower, inverse = cholesky(entries(independent, independent))
    triangle = [[arb(0)] * size for _ in range(size)]
    for row, column in enumerate(independent):
        for i in range(row + 1):
            triangle[independent[i]][column] = lower[row][i]
    if dependent:
        others = product(inverse, entries(independent, dependent))
        for row, values in zip(independent, others, strict=True):
            for column, value in zip(dependent, values, strict=True):
                triangle[row][column] = value
    return _reflected(triangle)


def _reflected(triangle: Balls) -> Balls:
    """Return the rows of the reflected triangle without the column of ones.

    The reflection I − vvᵀ/(k − √k), v = (√k − 1, −1, −1, …), turns (√k, 0, …) into ones.
    """
    size = len(triangle)
    root = arb(size).sqrt()
    columns = range(1, size)
    sums = [sum((row[j] for row in triangle), arb(0)) for j in columns]
    moves = [
        (root * triangle[0][j] - total) / (size - root)
        for j, total in zip(columns, sums, strict=True)
    ]
    first = [triangle[0][j] - (root - 1) * move for j, move in zip(columns, moves, strict=True)]
    others = [
        [row[j] + move for j, move in zip(columns, moves, strict=True)] for row in triangle[1:]
    ]
    return [first, *others]
