"""The smallest quantile loss of rows in memory, from corner to corner, in exact arithmetic.

Where as many independent rows as there are coefficients lie on the line, the line is a corner of
the loss. From a corner the loss is followed along the edge on which it falls, past all rows at
which it still falls, to the next corner (Barrodale and Roberts, *An improved algorithm for discrete
l1 linear approximation*, SIAM J. Numer. Anal. 10, 1973; Koenker and d'Orey, Applied Statistics 36,
1987). Where it falls on no edge, each row has a slope: share · weight above the line, (share − 1) ·
weight below, between both on it, with which the sum of slope · x is zero. They prove the minimum.

Of several lines with the same loss the one is taken whose sum of answers is smallest, then whose
weights are, in their order: the loss and these figures are compared one after the other, as if each
was added to it, infinitely smaller than the one before. So the minimum does not depend on the order
of the rows. If more rows lie on a corner than it needs, an infinitely small number that is added to
each target tells them apart: no corner comes twice. All numbers are integers: columns, weights and
the share in fine enough units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import heapify, heappop
from math import lcm
from random import Random
from typing import Any

import numpy as np
from flint import fmpq, fmpz_mat, nmod_mat
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_STEPS = 20_000
PRIME = (1 << 61) - 1
"""Rows that are independent modulo a prime are independent."""


class TooFewRowsError(Exception):
    """The rows in memory do not determine a line: more of them are needed."""


class NotConvergedError(Exception):
    """The steps came to no end."""


@dataclass(frozen=True)
class Corner:
    """A line on which some rows lie. rows: their places; as many as there are coefficients."""

    rows: tuple[int, ...]
    coefficients: tuple[Fraction, ...]


@dataclass(frozen=True)
class _Edge:
    """An edge on which the loss falls, away from a corner.

    place: of the row that leaves the line, in the corner's rows. rises: True if it is above then.
    slope: of the loss, in a unit. is_preferred: True if a line further on with an equal loss is.
    """

    place: int
    rises: bool
    slope: int
    is_preferred: bool


class Rows:
    """Rows in memory as integers, beside rows whose side of the line is taken as known."""

    def __init__(
        self,
        numbers: Floats,
        weights: Floats | None,
        share: Fraction,
        elsewhere: Sequence[Fraction],
        sums: Sequence[Fraction],
    ) -> None:
        """numbers: [rows, columns and the target]; with an intercept the last column is of ones.

        elsewhere: Σ slope · x of the rows that are not here: [columns]. sums: Σ weight · x of all
        rows: [columns].
        """
        self.units, columns = [], []
        for column in numbers.T.tolist():
            ratios = [number.as_integer_ratio() for number in column]
            unit = max((bottom for _, bottom in ratios), default=1)
            self.units.append(unit)
            columns.append([top * (unit // bottom) for top, bottom in ratios])
        rows = [list(row) for row in zip(*columns, strict=True)]
        self.count, self.width = len(rows), numbers.shape[1] - 1
        self.x = fmpz_mat([row[:-1] for row in rows])
        random = Random(0)
        self.y = fmpz_mat([[row[-1], random.getrandbits(64)] for row in rows])
        times = [1.0] * self.count if weights is None else weights.tolist()
        exact = [Fraction(time) for time in times]
        fixed = [s * unit for s, unit in zip(elsewhere, self.units, strict=False)]
        unit = lcm(*(each.denominator for each in exact), *(each.denominator for each in fixed))
        unit *= share.denominator
        # One unit for slopes: those of a row are high · weight above the line, low · weight below.
        self.weights = [int(each * (unit // share.denominator)) for each in exact]
        self.high, self.low = share.numerator, share.numerator - share.denominator
        self.fixed = fmpz_mat([[int(each * unit) for each in fixed]])
        self.sums = [s * unit for s, unit in zip(sums, self.units, strict=False)]

    def first_corner(self, sizes: Floats) -> list[int]:
        """Return the places of independent rows, the first ones by size. sizes: [rows].

        Raises TooFewRowsError if there are too few.
        """
        order = np.argsort(sizes, kind="stable").tolist()
        table = self.x.tolist()
        columns = [[int(table[row][j]) % PRIME for row in order] for j in range(self.width)]
        flat = [number for column in columns for number in column]
        reduced, rank = nmod_mat(self.width, self.count, flat, PRIME).rref()
        if rank < self.width:
            raise TooFewRowsError
        firsts, column = [], 0
        for row in range(rank):
            while not int(reduced[row, column]):
                column += 1
            firsts.append(order[column])
            column += 1
        return firsts

    def minimum(self, corner: Sequence[int]) -> Corner:
        """Return the corner with the smallest loss. corner: places of independent rows to start at.

        Raises TooFewRowsError if the loss falls without end, and NotConvergedError.
        """
        corner, above = list(corner), [True] * self.count
        for step in range(MOST_STEPS):
            matrix: Any = fmpz_mat([self._row(row) for row in corner])
            inverse, unit = matrix.inv().numer_denom()
            line = inverse * fmpz_mat([[self.y[row, 0], self.y[row, 1]] for row in corner])
            residuals = (self.y * unit - self.x * line).tolist()
            if not step:
                above = [(first or second) >= 0 for first, second in residuals]
            edge = self._edge(corner, above, inverse, int(unit))
            if edge is None:
                return Corner(tuple(corner), self._coefficients(line, int(unit)))
            entering, passed = self._next(corner, above, residuals, inverse, edge)
            for row in passed:
                above[row] = not above[row]
            above[corner[edge.place]] = edge.rises
            corner[edge.place] = entering
        raise NotConvergedError

    def _row(self, row: int) -> list[Any]:
        return [self.x[row, column] for column in range(self.width)]

    def _coefficients(self, line: Any, unit: int) -> tuple[Fraction, ...]:
        """Return the coefficients in the units of the table."""
        return tuple(
            Fraction(int(line[place, 0]) * own, unit * self.units[-1])
            for place, own in enumerate(self.units[:-1])
        )

    def _edge(self, corner: list[int], above: list[bool], inverse: Any, unit: int) -> _Edge | None:
        """Return the edge on which the loss falls most; None at the minimum."""
        on_line = set(corner)
        slopes = [
            0 if row in on_line else weight * (self.high if above[row] else self.low)
            for row, weight in enumerate(self.weights)
        ]
        needed = ((self.fixed + fmpz_mat([slopes]) * self.x) * inverse).entries()
        falling: list[_Edge] = []
        for place, row in enumerate(corner):
            slope, weight = -int(needed[place]), self.weights[row] * unit
            preferred = self._preferred(inverse, place)
            highest, lowest = weight * self.high, weight * self.low
            if slope > highest or (slope == highest and preferred > 0):
                falling.append(_Edge(place, True, highest - slope, preferred > 0))
            elif slope < lowest or (slope == lowest and preferred < 0):
                falling.append(_Edge(place, False, slope - lowest, preferred < 0))
        return min(falling, key=lambda edge: edge.slope, default=None)

    def _preferred(self, inverse: Any, place: int) -> int:
        """Return the sign of the first figure that changes on an edge: answers, then weights."""
        direction = [int(inverse[column, place]) for column in range(self.width)]
        answers = sum((a * b for a, b in zip(self.sums, direction, strict=True)), Fraction(0))
        first = next((each for each in (answers, *direction) if each), 0)
        return (first > 0) - (first < 0)

    def _next(
        self,
        corner: list[int],
        above: list[bool],
        residuals: list[list[Any]],
        inverse: Any,
        edge: _Edge,
    ) -> tuple[int, list[int]]:
        """Return the row that comes onto the line at the next corner, and those that are passed."""
        direction = fmpz_mat([[inverse[column, edge.place]] for column in range(self.width)])
        changes = (self.x * direction).entries()
        if edge.rises:
            changes = [-change for change in changes]
        on_line = set(corner)
        met = [
            (fmpq(residuals[row][0], change), fmpq(residuals[row][1], change), row)
            for row, change in enumerate(changes)
            if change and (change > 0) is above[row] and row not in on_line
        ]
        heapify(met)  # mostly a few are wanted
        slope = edge.slope
        passed: list[int] = []
        while met:
            *_, row = heappop(met)
            slope += self.weights[row] * (self.high - self.low) * abs(int(changes[row]))
            if slope > 0 or (slope == 0 and not edge.is_preferred):
                return row, passed
            passed.append(row)
        raise TooFewRowsError
