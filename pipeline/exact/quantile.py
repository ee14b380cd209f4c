"""The line with the smallest quantile loss of a table that is read in blocks, exactly.

Iterated exact weighted matrices come near it: a row weighs 1 over the size of its residual, at
least eps, and eps is halved in each round. The rows near that line are then taken into memory; of
the others only the sums are, each by its side of the line (Portnoy and Koenker, *The Gaussian hare
and the Laplacian tortoise*, Statistical Science 12, 1997). `quantile_vertex` finds the minimum of
both, exactly. If a row outside turns out to be on the other side it comes into memory,
too, and so on until all are where they were taken to be: then it is the minimum of all rows, as the
loss of a row is never less than the loss with a side that is taken as known.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.gram import Gram
from pipeline.exact.gram_sums import GramSums, gram_matrix
from pipeline.exact.huber import Rows, residuals_of
from pipeline.exact.least_squares import Fit, fit
from pipeline.exact.quantile_vertex import Corner, NotConvergedError, TooFewRowsError
from pipeline.exact.quantile_vertex import Rows as RowsInMemory

__all__ = ["NotConvergedError", "minimum"]

Floats = NDArray[np.float64]
Blocks = Callable[[], Iterable[Rows]]

WEIGHT_BITS = 20
OUTSIDE = 0.2
"""Factor of the weight of rows further away than eps: the smaller, the longer the steps."""
FEWEST_NEAR, NEAR_FOR_A_COLUMN = 300, 20
"""Rows in memory at first."""
MOST_ROUNDS, MOST_CHECKS = 6, 40


@dataclass(frozen=True)
class _Table:
    """The rows, and what is known of them. share: as a fraction. start: their least squares."""

    blocks: Blocks
    share: Fraction
    start: Fit

    @property
    def gram(self) -> Gram:
        """Gram matrix of [1 features target]."""
        return self.start.equations.gram

    @property
    def terms(self) -> list[int]:
        """Places of the columns of the line in the Gram matrix: features, then the ones."""
        last = [0] if self.start.intercept else []
        return [*range(1, 1 + len(self.start.features)), *last]

    def columns(self, numbers: Floats) -> Floats:
        """Return the columns of the line, and the target: [rows, terms + 1]."""
        ones = np.ones((len(numbers), int(self.start.intercept)))
        return np.hstack([numbers[:, :-1], ones, numbers[:, -1:]])


@dataclass
class _Near:
    """The rows in memory, and the sums of the others.

    line: weights and bias that tell the side of the others. places: of the rows in the table.
    elsewhere: Σ slope · x of the others: [terms].
    """

    line: Floats
    numbers: Floats
    weights: Floats | None
    places: NDArray[np.int64]
    elsewhere: list[Fraction]


def minimum(blocks: Blocks, share: Fraction, start: Fit) -> Fit:
    """Return the fit with the smallest quantile loss: its weight and bias; it has no errors.

    blocks: reads the rows, some twenty times. share: of the loss above the line, 1/2 for absolute
    errors. start: the least-squares fit of one target, without dependent columns.
    BLAS must be limited to one thread. Raises NotConvergedError.
    """
    table = _Table(blocks, share, start)
    if not table.terms:
        return start
    most = max(FEWEST_NEAR, NEAR_FOR_A_COLUMN * len(table.terms))
    line = _nearby(table, most)
    for _ in range(MOST_ROUNDS):
        near = _near(table, line, most)
        try:
            rows, corner = _solved(table, near)
            return _fit(table, rows, corner)
        except TooFewRowsError:
            most *= 4
    raise NotConvergedError


def _line(fitted: Fit) -> Floats:
    """Return the weights and the bias: [features + 1]."""
    return np.append(fitted.weight[0], fitted.bias[0])


def _nearby(table: _Table, most: int) -> Floats:
    """Return a line near the minimum, from iterated weighted matrices."""
    line, eps, total = _line(table.start), None, table.gram.rows
    weight = 2.0 ** np.floor(np.log2(float(table.gram.weight / total)))
    unit, tilt, last = weight * 2.0**-WEIGHT_BITS, float(2 * table.share - 1), 0.0
    while eps is None or eps > last:
        if eps is None:
            size = sum(float(np.abs(residuals_of(rows, line)).sum()) for rows, _ in table.blocks())
            eps, last = size / total, size / total * min(2**-5, most / (8 * total))
            if not eps:
                return line
        sums = GramSums(len(line))
        for numbers, weights in table.blocks():
            if not len(numbers):
                continue
            residuals = residuals_of(numbers, line)
            sizes = np.maximum(np.abs(residuals), eps)
            outside = np.where(np.abs(residuals) <= eps, 1, OUTSIDE)
            # The response from which the weighted sum of the residuals is that of the slopes.
            moved = np.asfortranarray(numbers.copy())
            moved[:, -1] += (residuals + tilt * sizes) / outside - residuals
            own = eps / sizes * outside * (weight if weights is None else weights)
            own = np.maximum(np.rint(own / unit), 1) * unit
            sums.add(moved, ends=[len(numbers)], weights=own)
        (gram,) = sums.taken()
        start = table.start
        line = _line(fit(gram.canonical(), start.features, start.targets, start.intercept))
        eps /= 2
    return line


def _near(table: _Table, line: Floats, most: int) -> _Near:
    """Return the rows nearest to a line, `most` of them, and the sums of the others."""
    width = len(line)
    sums = GramSums(width, 2)
    kept = np.empty((0, width))
    weights: Floats | None = None
    places, count = np.empty(0, np.int64), 0
    for numbers, own in table.blocks():
        first = not len(kept)
        kept = np.vstack([kept, numbers])
        if own is not None:
            weights = own if first or weights is None else np.append(weights, own)
        places = np.append(places, np.arange(count, count + len(numbers)))
        count += len(numbers)
        if len(kept) > most:
            residuals = residuals_of(kept, line)
            order = np.argsort(np.abs(residuals), kind="stable")
            far = order[most:]
            far = far[np.argsort(residuals[far] <= 0, kind="stable")]
            above = int((residuals[far] > 0).sum())
            far_weights = None if weights is None else weights[far]
            sums.add(np.asfortranarray(kept[far]), ends=[above, len(far)], weights=far_weights)
            kept, places = kept[order[:most]], places[order[:most]]
            weights = None if weights is None else weights[order[:most]]
    upper, lower = sums.taken()
    elsewhere = [
        table.share * upper.inner_product(0, term)
        - (1 - table.share) * lower.inner_product(0, term)
        for term in table.terms
    ]
    return _Near(line, kept, weights, places, elsewhere)


def _solved(table: _Table, near: _Near) -> tuple[Floats, Corner]:
    """Return the rows on the best line, and the line. `near` gets more rows.

    Raises TooFewRowsError if many rows are on the other side, and NotConvergedError.
    """
    line, sums = near.line, [table.gram.inner_product(0, term) for term in table.terms]
    start: list[int] = []
    most = len(near.numbers)
    for _ in range(MOST_CHECKS):
        rows = RowsInMemory(
            *(table.columns(near.numbers), near.weights, table.share, near.elsewhere, sums)
        )
        start = start or rows.first_corner(np.abs(residuals_of(near.numbers, line)))
        corner = rows.minimum(start)
        start = [*corner.rows]
        if not _add_wrong(table, near, corner.coefficients, most):
            return near.numbers[start], corner
    raise NotConvergedError


def _add_wrong(table: _Table, near: _Near, exact: Sequence[Fraction], most: int) -> int:
    """Take rows that are on the other side of a line than they were taken to be into memory.

    exact: the line. most: rows to take at a time. Returns how many were taken.
    """
    rounded = np.array([float(each) for each in exact])
    if not table.start.intercept:
        rounded = np.append(rounded, 0.0)
    begin = taken = 0
    for numbers, weights in table.blocks():
        places = np.arange(begin, begin + len(numbers))
        begin += len(numbers)
        above = residuals_of(numbers, near.line) > 0
        signs = _signs(table, numbers, rounded, exact)
        wrong = np.flatnonzero(np.where(above, signs < 0, signs > 0))
        wrong = wrong[~np.isin(places[wrong], near.places)][: most - taken]
        if not len(wrong):
            continue
        taken += len(wrong)
        own = None if weights is None else weights[wrong]
        _take(table, near, numbers[wrong], own, above[wrong])
        near.places = np.append(near.places, places[wrong])
        if taken == most:
            break
    return taken


def _take(
    table: _Table, near: _Near, numbers: Floats, weights: Floats | None, above: NDArray[np.bool_]
) -> None:
    """Take rows into memory, and their slopes out of the sums of the others."""
    for side, slope in ((above, table.share), (~above, table.share - 1)):
        if side.any():
            gram = gram_matrix(numbers[side], weights=None if weights is None else weights[side])
            near.elsewhere = [
                total - slope * gram.inner_product(0, term)
                for total, term in zip(near.elsewhere, table.terms, strict=True)
            ]
    near.numbers = np.vstack([near.numbers, numbers])
    if weights is not None:
        assert near.weights is not None
        near.weights = np.append(near.weights, weights)


def _signs(
    table: _Table, numbers: Floats, rounded: Floats, exact: Sequence[Fraction]
) -> NDArray[np.float64]:
    """Return the sign of the exact residual of each row. rounded: the line in float64."""
    residuals = residuals_of(numbers, rounded)
    reach = np.abs(numbers[:, -1]) + abs(rounded[-1])
    for column, weight in enumerate(np.abs(rounded[:-1]).tolist()):
        reach = reach + np.abs(numbers[:, column]) * weight
    signs: Floats = np.sign(residuals)
    unsure = np.flatnonzero(np.abs(residuals) <= (len(rounded) + 6) * 2.0**-51 * reach + 1e-300)
    for place, row in zip(unsure, table.columns(numbers[unsure]).tolist(), strict=True):
        *x, y = map(Fraction, row)
        residual = y - sum((a * b for a, b in zip(x, exact, strict=True)), Fraction(0))
        signs[place] = (residual > 0) - (residual < 0)
    return signs


def _fit(table: _Table, rows: Floats, corner: Corner) -> Fit:
    """Return the line through its rows as a fit: least squares without residuals."""
    start = table.start
    found = fit(gram_matrix(rows), start.features, start.targets, start.intercept)
    assert found.rank == len(corner.coefficients)
    return found
