"""Least squares in Python's fractions, slow and plain, and random tables to compare it on."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Rows = list[list[float]]

any_float = st.floats(allow_nan=False, allow_infinity=False)
# Wide and narrow ranges, numbers that repeat, and numbers that cancel.
number = st.one_of(
    any_float, st.integers(-9, 9).map(float), st.floats(-1, 1), st.sampled_from([0.1, -0.0, 1e308])
)


def tables(numbers: st.SearchStrategy[float], columns: int, rows: int) -> st.SearchStrategy[Rows]:
    row = st.lists(numbers, min_size=columns, max_size=columns)
    return st.lists(row, min_size=1, max_size=rows)


def exact_columns(table: NDArray[np.floating]) -> list[list[Fraction]]:
    """The columns of [1 table]."""
    ones = [Fraction(1)] * len(table)
    return [ones, *([Fraction(value) for value in column] for column in table.T.tolist())]


def dot(a: Sequence[Fraction], b: Sequence[Fraction]) -> Fraction:
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def solved(columns: list[list[Fraction]], y: list[Fraction]) -> dict[int, Fraction]:
    """The solution of the normal equations by elimination, leaving out dependent columns."""
    kept: list[int] = []
    rows: list[list[Fraction]] = []
    for place, column in enumerate(columns):
        others = [columns[k] for k in kept]
        matrix = [[dot(a, b) for b in others] + [dot(a, column)] for a in others]
        factors = eliminated(matrix)
        rest = [
            x - sum((f * o[i] for f, o in zip(factors, others, strict=True)), Fraction(0))
            for i, x in enumerate(column)
        ]
        if any(rest):
            kept.append(place)
            rows.append(column)
    matrix = [[dot(a, b) for b in rows] + [dot(a, y)] for a in rows]
    return dict(zip(kept, eliminated(matrix), strict=True))


def eliminated(matrix: list[list[Fraction]]) -> list[Fraction]:
    """The solution of a regular system whose last column is the right-hand side."""
    size = len(matrix)
    for i in range(size):
        pivot = next(k for k in range(i, size) if matrix[k][i])
        matrix[i], matrix[pivot] = matrix[pivot], matrix[i]
        matrix[i] = [value / matrix[i][i] for value in matrix[i]]
        for k in range(size):
            if k != i and matrix[k][i]:
                matrix[k] = [
                    a - matrix[k][i] * b for a, b in zip(matrix[k], matrix[i], strict=True)
                ]
    return [row[-1] for row in matrix]


def nearest(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf if value > 0 else -math.inf
