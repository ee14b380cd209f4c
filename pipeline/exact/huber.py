"""The minimum of the Huber loss of a linear model, by exact weighted matrices in a few rounds.

Where the residuals inside and outside of the threshold are known, the loss is quadratic, and its
minimum solves linear equations: the Gram matrix of the rows inside, and the sums of those outside,
each by its sign. A solution whose residuals are where they were taken to be is the minimum, as the
loss is convex; else the next round takes them from the solution (Newton's method; Clark and
Osborne, *Finite algorithms for Huber's M-estimator*, SIAM J. Sci. Stat. Comput. 7, 1986). Matrices
and solutions have no rounding error, so that the last round is the same on every machine.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.exact_sum import weighted_sum
from pipeline.exact.gram import Gram
from pipeline.exact.gram_sums import GramSums
from pipeline.exact.least_squares import Fit, fit

Floats = NDArray[np.float64]
Rows = tuple[Floats, Floats | None]
"""Columns [rows, features and one target], and weights [rows], if rows have weights."""

MOST_ROUNDS, MOST_HALVINGS = 60, 30


class NotConvergedError(Exception):
    """The rounds came to no end."""


@dataclass(frozen=True)
class _Sides:
    """The rows inside the threshold, above it and below it; and the loss at this line."""

    inside: Gram
    above: Gram
    below: Gram
    loss: Fraction


def minimum(
    blocks: Callable[[], Iterable[Rows]],
    features: Sequence[str],
    target: str,
    intercept: bool,
    threshold: float,
    start: Fit,
) -> Fit:
    """Return the fit with the smallest Huber loss: its weight and bias; it has no errors.

    blocks: reads the rows, once in each round. start: the least-squares fit of the target alone.
    BLAS must be limited to one thread. Raises NotConvergedError.
    """
    width, line = len(features), _line(start)
    sides, found = _sides(blocks, line, width, threshold), start
    for _ in range(MOST_ROUNDS):
        found = fit(_equations(sides, threshold), features, [target], intercept)
        new = _line(found)
        if np.array_equal(new, line):
            return found
        step = new - line
        for _ in range(MOST_HALVINGS):
            after = _sides(blocks, new, width, threshold)
            # On the last rounds two lines that differ in the last bits have one loss.
            if after.loss <= sides.loss or _same_rows(after, sides):
                break
            step /= 2
            new = line + step
        else:
            raise NotConvergedError
        if _same_rows(after, sides) and np.array_equal(new, _line(found)):
            return found
        line, sides = new, after
    raise NotConvergedError


def _line(fitted: Fit) -> Floats:
    """Return the weights and the bias: [features + 1]."""
    return np.append(fitted.weight[0], fitted.bias[0])


def _same_rows(one: _Sides, other: _Sides) -> bool:
    return (one.inside, one.above, one.below) == (other.inside, other.above, other.below)


def _sides(
    blocks: Callable[[], Iterable[Rows]], line: Floats, width: int, threshold: float
) -> _Sides:
    """Return the sums of the rows on each side of the threshold, and the loss."""
    sums, loss = GramSums(width + 1, 3), Fraction(0)
    for numbers, weights in blocks():
        if not len(numbers):
            continue
        residuals = residuals_of(numbers, line)
        sizes = np.abs(residuals)
        inside = _exactly_inside(numbers, line, sizes, threshold)
        near = np.where(inside, sizes, threshold)
        losses = np.where(inside, 0.5 * near * near, threshold * (sizes - 0.5 * threshold))
        loss += weighted_sum(losses[:, None], weights)
        side = np.where(inside, 0, np.where(residuals > 0, 1, 2))
        order = np.argsort(side, kind="stable")
        ends = np.cumsum(np.bincount(side, minlength=3)).tolist()
        own = None if weights is None else weights[order]
        sums.add(np.asfortranarray(numbers[order]), ends=ends, weights=own)
    inside_rows, above, below = (gram.canonical() for gram in sums.taken())
    return _Sides(inside_rows, above, below, loss)


def residuals_of(numbers: Floats, line: Floats) -> Floats:
    """Return y − prediction of each row: [rows]; from a fixed sequence of operations."""
    residuals: Floats = numbers[:, -1] - line[-1]
    for column, weight in enumerate(line[:-1].tolist()):
        residuals = residuals - numbers[:, column] * weight
    return residuals


def _exactly_inside(
    numbers: Floats, line: Floats, sizes: Floats, threshold: float
) -> NDArray[np.bool_]:
    """Return True for each row whose residual is at most the threshold, without rounding error."""
    reach = np.abs(numbers[:, -1]) + abs(line[-1]) + np.abs(numbers[:, :-1]) @ np.abs(line[:-1])
    bound = (len(line) + 4) * 2.0**-52 * (reach + threshold)
    inside: NDArray[np.bool_] = sizes <= threshold
    for row in np.flatnonzero(np.abs(sizes - threshold) <= bound):
        *x, y = map(Fraction, numbers[row].tolist())
        *weights, bias = map(Fraction, line.tolist())
        residual = y - bias - sum((a * b for a, b in zip(x, weights, strict=True)), Fraction(0))
        inside[row] = abs(residual) <= Fraction(threshold)
    return inside


def _equations(sides: _Sides, threshold: float) -> Gram:
    """Return the Gram matrix of [1 features y] whose least-squares solution is the minimum.

    The products with y have those of the rows outside, whose residual counts as the threshold: for
    a column x, Σ inside x·y + threshold · (Σ above x − Σ below x).
    """
    gram, last = sides.inside, len(sides.inside.exponents) - 1
    if not gram.rows:
        raise NotConvergedError
    rows = gram.rows + sides.above.rows + sides.below.rows
    added = [
        Fraction(threshold) * (sides.above.inner_product(0, j) - sides.below.inner_product(0, j))
        for j in range(last)
    ]
    # Finer units for y, in which these are integers: all are fractions of powers of two.
    needed = [
        (each / Fraction(2) ** own).denominator.bit_length() - 1
        for each, own in zip(added, gram.exponents, strict=False)
    ]
    exponents = (*gram.exponents[:-1], min(gram.exponents[-1], -max(needed, default=0)))
    entries = [list(row) for row in gram._with_exponents(exponents)]
    for j, each in enumerate(added):
        moved = int(each / Fraction(2) ** (exponents[j] + exponents[last]))
        entries[j][last] += moved
        entries[last][j] += moved
    # Any number that is large enough: no error is computed from it.
    entries[last][last] = (1 + max(abs(entry) for row in entries for entry in row)) ** 2
    return Gram(rows, exponents, tuple(map(tuple, entries)))
