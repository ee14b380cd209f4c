"""The correlations of a table's columns, exactly and in balls: what a penalized fit is solved from.

Penalties are on standardized columns. With n rows, V_j the variation of column j around its mean
and C the Gram matrix of the columns, centred if there is an intercept, the coefficients
b_j = β_j · √(V_j / n) / σ of a target with the length σ · √n solve equations with the matrix
R_jk = C_jk / √(V_j V_k), whatever the units of the table.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx
from numpy.typing import NDArray

from pipeline.exact.gram import Gram
from pipeline.exact.rounding import precision, shift

Floats = NDArray[np.float64]

FLOAT_BITS = 128
"""Precision of the numbers that are rounded to float64 for a guess."""


NEAR = 1e-9
"""Columns whose correlation is so near to 1 may be copies: a check with integers decides."""


class Correlations:
    """The correlations of features with each other and with targets, from a Gram matrix.

    Without an intercept products are taken around 0, lengths of features still around the mean, as
    glmnet has it.
    """

    def __init__(self, gram: Gram, width: int, targets: Sequence[int], intercept: bool) -> None:
        """gram: of [1 features ...], with at least one row. width: number of features.

        targets: places in the Gram matrix.
        """
        self.gram = gram.with_whole_weight()
        self.intercept = intercept
        entries = self.gram.entries
        sums = entries[0]
        self.weight = sums[0]
        """n, the number of rows, or the sum of their weights in a unit that changes no solution."""
        self.variations = {
            j: self.weight * entries[j][j] - sums[j] ** 2 for j in range(1, 1 + width)
        }
        """n · V_j of each feature, in units of 4^exponent."""
        self.columns = tuple(j for j, variation in self.variations.items() if variation)
        """Places of the features that are not constant."""
        self.targets = tuple(targets)
        self._balls: dict[int, tuple[Any, list[Any], list[Any]]] = {}
        self._of_targets: dict[tuple[int, int], tuple[list[Any], list[Any]]] = {}

    def product(self, i: int, j: int) -> int:
        """Return n · C_ij, in units of 2^(exponent of i + exponent of j)."""
        entries = self.gram.entries
        centre = entries[0][i] * entries[0][j] if self.intercept else 0
        return self.weight * entries[i][j] - centre

    def is_constant(self, target: int) -> bool:
        """Return True if nothing of a target is left to explain."""
        return not self.product(target, target)

    def matrix(self, bits: int) -> Any:
        """Return R, an arb_mat [columns, columns], at a working precision of `bits`."""
        return self._at(bits)[0]

    def with_target(self, target: int, bits: int) -> list[Any]:
        """Return the correlation of each column with a target that is not constant: [columns]."""
        return self._with(target, bits)[0]

    def units(self, target: int, bits: int) -> list[Any]:
        """Return β_j / b_j of each column: [columns]."""
        return self._with(target, bits)[1]

    def _with(self, target: int, bits: int) -> tuple[list[Any], list[Any]]:
        if (target, bits) not in self._of_targets:
            exponents, length = self.gram.exponents, arb(self.product(target, target)).sqrt()
            pairs = list(zip(self.columns, self._at(bits)[1], strict=True))
            self._of_targets[target, bits] = (
                [arb(self.product(j, target)) * a / length for j, a in pairs],
                [shift(a * length, exponents[target] - exponents[j]) for j, a in pairs],
            )
        return self._of_targets[target, bits]

    def deviation(self, target: int) -> Any:
        """Return σ of a target, a ball: its standard deviation, around 0 without an intercept."""
        root = arb(self.product(target, target)).sqrt() / self.weight
        return shift(root, self.gram.exponents[target])

    def means(self, bits: int) -> list[Any]:
        """Return the mean of each column: [columns]."""
        return self._at(bits)[2]

    def _at(self, bits: int) -> tuple[Any, list[Any], list[Any]]:
        if bits not in self._balls:
            columns = self.columns
            lengths = [1 / arb(self.variations[j]).sqrt() for j in columns]
            matrix = arb_mat(len(columns), len(columns))
            for place, (i, a) in enumerate(zip(columns, lengths, strict=True)):
                for other in range(place):
                    ball = arb(self.product(i, columns[other])) * a * lengths[other]
                    matrix[place, other] = matrix[other, place] = ball
                matrix[place, place] = arb(self.product(i, i)) / arb(self.variations[i])
            sums, exponents = self.gram.entries[0], self.gram.exponents
            means = [shift(sums[j], exponents[j]) / self.weight for j in columns]
            self._balls[bits] = matrix, lengths, means
        return self._balls[bits]

    @cached_property
    def without_copies(self) -> "Correlations":
        """The same without columns that are copies of earlier ones, in whatever units.

        The lasso has one solution for each way to share a weight among copies.
        """
        size = np.abs(self.floats)
        lengths = np.sqrt(np.diag(size))
        near = np.argwhere(np.tril(size > (1 - NEAR) * np.outer(lengths, lengths), -1))
        columns = self.columns
        copies = {
            columns[later]
            for later, earlier in near.tolist()
            if self.product(columns[later], columns[earlier]) ** 2
            == self.product(columns[later], columns[later])
            * self.product(columns[earlier], columns[earlier])
        }
        if not copies:
            return self
        other = Correlations(self.gram, len(self.variations), self.targets, self.intercept)
        other.columns = tuple(column for column in columns if column not in copies)
        return other

    @cached_property
    def floats(self) -> Floats:
        """R in float64, the same bits everywhere: [columns, columns]."""
        size = len(self.columns)
        with precision(FLOAT_BITS):
            entries = self.matrix(FLOAT_BITS).entries()
            return np.array([float(ball.mid()) for ball in entries]).reshape(size, size)

    def target_floats(self, target: int) -> Floats:
        """Return the correlations with a target in float64: [columns]."""
        with precision(FLOAT_BITS):
            return np.array([float(b.mid()) for b in self.with_target(target, FLOAT_BITS)])

    def coefficients(self, target: int, places: Sequence[int], b: Sequence[Any]) -> list[Any]:
        """Return the bias, if there is an intercept, and the weights that b stands for.

        places: in `columns`, of the numbers b, balls at the working precision.
        """
        units, means = self.units(target, ctx.prec), self.means(ctx.prec)
        weights = [value * units[place] for place, value in zip(places, b, strict=True)]
        if not self.intercept:
            return weights
        total = shift(self.gram.entries[0][target], self.gram.exponents[target])
        terms = (w * means[place] for place, w in zip(places, weights, strict=True))
        return [total / self.weight - sum(terms, arb(0)), *weights]
