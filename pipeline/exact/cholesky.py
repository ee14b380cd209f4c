"""Cholesky's factor of a matrix of balls, and the inverse of the factor."""

from collections.abc import Sequence
from typing import Any

from flint import arb, arb_mat

Balls = list[list[Any]]
"""A matrix of balls, as its rows."""

# The factor of a matrix of so many columns is computed ball by ball, larger ones by products of
# matrices, which FLINT does many times faster.
SMALL = 12


def cholesky(matrix: Balls) -> tuple[Balls, Balls]:
    """Return the lower triangle L with LLᵀ = matrix, and the inverse of L: [size, size] each.

    Raises ZeroDivisionError if a pivot cannot be told from zero.
    """
    size = len(matrix)
    if size <= SMALL:
        return _small_cholesky(matrix)
    half = size // 2
    top, below = matrix[:half], matrix[half:]
    first, first_inverse = cholesky([row[:half] for row in top])
    side = product([row[:half] for row in below], _transpose(first_inverse))
    explained = product(side, _transpose(side))
    rest = [
        [a - b for a, b in zip(row[half:], minus, strict=True)]
        for row, minus in zip(below, explained, strict=True)
    ]
    second, second_inverse = cholesky(rest)
    inverse_side = product(product(second_inverse, side), first_inverse)
    zeros = [arb(0)] * (size - half)
    lower = [row + zeros for row in first]
    lower += [left + right for left, right in zip(side, second, strict=True)]
    inverse = [row + zeros for row in first_inverse]
    inverse += [
        [-ball for ball in left] + right
        for left, right in zip(inverse_side, second_inverse, strict=True)
    ]
    return lower, inverse


def _small_cholesky(matrix: Balls) -> tuple[Balls, Balls]:
    """Return what `cholesky` returns, ball by ball."""
    size = len(matrix)
    lower = [[arb(0)] * size for _ in range(size)]
    for i, row in enumerate(matrix):
        for j in range(i + 1):
            rest = row[j] - _dot(lower[i][:j], lower[j][:j])
            if i == j:
                if not rest > 0:
                    raise ZeroDivisionError("a pivot cannot be told from zero")
                lower[i][i] = rest.sqrt()
            else:
                lower[i][j] = rest / lower[j][j]
    inverse = [[arb(0)] * size for _ in range(size)]
    for i in range(size):
        inverse[i][i] = 1 / lower[i][i]
        for j in range(i):
            column = [inverse[k][j] for k in range(j, i)]
            inverse[i][j] = -_dot(lower[i][j:i], column) / lower[i][i]
    return lower, inverse


def _dot(left: Sequence[Any], right: Sequence[Any]) -> Any:
    return sum((a * b for a, b in zip(left, right, strict=True)), arb(0))


def product(left: Balls, right: Balls) -> Balls:
    """Return the product of two matrices."""
    balls: Balls = (arb_mat(left) * arb_mat(right)).tolist()
    return balls


def _transpose(matrix: Balls) -> Balls:
    return [list(column) for column in zip(*matrix, strict=True)]
