"""Sums over the rows of a fit, which its robust errors, its tests and its influence are made of.

All that a row gives is rounded by itself, in a fixed order of operations; the sums are exact. So
the figures have the same bits in whatever order blocks are added, on any number of threads and on
every CPU.
"""

import itertools
import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from pipeline.exact.gram import Gram
from pipeline.exact.influence import AloneRows, Influential
from pipeline.exact.least_squares import Fit
from pipeline.exact.orthonormal import Basis

Weighting = Literal["precision", "frequency"]


@dataclass(frozen=True)
class Diagnosed:
    """A fit as the pass over its rows needs it.

    units: residuals of each target are counted in units of 2^unit, so that their squares add up to
    a number below 1. squares: this number; 0 if the fit is exact. lengths: of the fitted values.
    weighting: how rows count. By precisions, rows and residuals are those times the root of their
    weight; by frequencies, each is one of the equal rows that `rows` counts. root: the square root
    of the sum of the weights.
    """

    basis: Basis
    rows: int
    units: tuple[int, ...]
    squares: tuple[float, ...]
    lengths: tuple[float, ...]
    root: float
    weighting: Weighting | None = None

    @classmethod
    def of(cls, fit: Fit, weighting: Weighting | None = None) -> "Diagnosed":
        """Return what the pass needs of a fit with degrees of freedom.

        fit: of frequencies its rows are the sum of them.
        """
        equations = fit.equations
        gram, squares = equations.gram, fit.squares
        units = [_exponent(square) for square in squares]
        lengths = []
        for target, square in zip(equations.targets, squares, strict=True):
            total = gram.variation(target) if fit.intercept else gram.inner_product(target, target)
            lengths.append(_root(total - square) if total > square else 0.0)
        in_units = [
            float(square / Fraction(4) ** unit) for square, unit in zip(squares, units, strict=True)
        ]
        root = _root(gram.weight)
        known = tuple(units), tuple(in_units), tuple(lengths)
        return cls(Basis.of(fit), fit.rows, *known, root, weighting)

    @property
    def coordinates(self) -> int:
        """Number of coordinates: the rank of the fit."""
        return len(self.basis.factor)

    @property
    def degrees_of_freedom(self) -> int:
        """Rows − rank."""
        return self.rows - self.coordinates

    @property
    def targets(self) -> range:
        """Indices of the targets."""
        return range(len(self.squares))


@dataclass(frozen=True)
class TargetSums:
    """Sums over some rows for one target.

    e are its residuals, in units of the fit, and z the coordinates, the constant one included.

    products: Gram matrix of [e·z, e]. outside: of [r·z], with r = e / (1 − leverage), the residual
    from the fit to the other rows. shape: of [z, 1, e, e², p₂, p₃], with p₂ and p₃ the square and
    the cube of the fitted values, scaled, and times the root of a precision; it lacks the products
    of z with z, which are known. spread: of [1, z over the root of the precision, e²]; of no rows
    without precisions.
    steps: sum of the squared differences of the residuals of rows beside each other in a block.
    ends: the first and last residual of each block, by the number of rows before it.
    influential: the rows with the largest Cook's distances.
    """

    products: Gram
    outside: Gram
    shape: Gram
    spread: Gram
    steps: Fraction
    ends: dict[int, tuple[float, float]]
    influential: Influential

    @classmethod
    def of_no_rows(cls, coordinates: int) -> "TargetSums":
        """Return the sums of no rows. coordinates: number of them."""
        return cls(
            Gram.of_no_rows(coordinates),
            Gram.of_no_rows(coordinates - 1),
            Gram.of_no_rows(coordinates + 4),
            Gram.of_no_rows(coordinates + 1),
            Fraction(0),
            {},
            Influential.of_no_rows(),
        )

    def __add__(self, other: "TargetSums") -> "TargetSums":
        """Return the sums of the rows of both."""
        return TargetSums(
            self.products + other.products,
            self.outside + other.outside,
            self.shape + other.shape,
            self.spread + other.spread,
            self.steps + other.steps,
            self.ends | other.ends,
            self.influential + other.influential,
        )

    @property
    def successive(self) -> Fraction:
        """Sum of the squared differences of the residuals of successive rows."""
        total = self.steps
        for before, place in itertools.pairwise(sorted(self.ends)):
            step = Fraction(self.ends[place][0] - self.ends[before][1])
            total += step * step
        return total


@dataclass(frozen=True)
class RowSums:
    """Sums over some rows. Adding parts in any order gives the same.

    largest: the largest leverage. alone: the rows whose leverage is 1.
    """

    rows: int
    targets: tuple[TargetSums, ...]
    largest: float
    alone: AloneRows

    @classmethod
    def of_no_rows(cls, fit: Diagnosed) -> "RowSums":
        """Return the sums of no rows."""
        none = TargetSums.of_no_rows(fit.coordinates)
        return cls(
            0,
            tuple(none for _ in fit.targets),
            0.0,
            AloneRows.of_no_rows(fit.coordinates, len(fit.targets)),
        )

    def __add__(self, other: "RowSums") -> "RowSums":
        """Return the sums of the rows of both."""
        return RowSums(
            self.rows + other.rows,
            tuple(a + b for a, b in zip(self.targets, other.targets, strict=True)),
            max(self.largest, other.largest),
            self.alone + other.alone,
        )


def _exponent(square: Fraction) -> int:
    """Return the least n for which √square < 2^n; 0 for zero."""
    if not square:
        return 0
    size = square.numerator.bit_length() - square.denominator.bit_length() + 1
    return -(-size // 2)


def _root(square: Fraction) -> float:
    """Return the square root of a number that may be beyond float64 itself."""
    unit = _exponent(square)
    return math.ldexp(math.sqrt(square / Fraction(4) ** unit), unit)
