"""One pass over the rows of a least-squares fit, block by block, which makes its `RowSums`."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.cluster_sums import ClusterSums
from pipeline.exact.exact_sum import exact_sum
from pipeline.exact.gram_sums import GramSums
from pipeline.exact.influence import AloneRows
from pipeline.exact.row_sums import Diagnosed, RowSums, TargetSums

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BITS = 40
"""Bits of a number in a product, beside the largest of its column in the block. The products then
are of two slices each; with all 53 bits the pass takes twice as long, for no digit that is seen."""

ALL_BITS_ROWS = 16_384
"""Of a table with at most so many rows the numbers keep all bits."""

ALONE = 2.0**-30
"""A leverage of 1 to within this is 1: the row alone determines a coefficient, and its residual is
nothing but rounding."""


class RowPass:
    """The sums of the rows of a task, which come in blocks. BLAS must have one thread."""

    def __init__(self, fit: Diagnosed, clusters: Sequence[ClusterSums] = ()) -> None:
        """clusters: for each target, to which the rows are added, too; other passes may add."""
        self._fit, self._rest = fit, RowSums.of_no_rows(fit)
        varying = len(fit.basis.varying)
        self._grams = [tuple(GramSums(varying + more) for more in (2, 1, 3)) for _ in fit.targets]
        self._clusters = clusters

    def add(
        self,
        x: Floats,
        y: Floats,
        before: int,
        clusters: Integers | None = None,
        roots: Floats | None = None,
    ) -> None:
        """Add a block of rows.

        x: [rows, features], y: [rows, targets]. before: number of rows before the block.
        clusters: the index of the cluster of each row: [rows]. roots: square roots of the weights
        of the rows: [rows].
        """
        if not len(x):
            return
        fit, basis = self._fit, self._fit.basis
        centred = basis.centred(x)
        z = basis.coordinates(centred)
        constant = np.full(len(x), basis.constant) if basis.has_intercept else None
        if roots is not None:
            z *= roots[:, None]
            constant = None if constant is None else constant * roots
        leverage = _squared_lengths(z, constant)
        left = 1 - leverage
        is_alone = left < ALONE
        left[is_alone] = 1.0
        targets = []
        for target in fit.targets:
            fitted = basis.fitted(centred, target)
            residual = (y[:, target] - basis.target_centre[target]) - fitted
            if roots is not None:
                residual, fitted = residual * roots, fitted * roots
            residual[is_alone] = 0.0
            residual = np.ldexp(residual, -fit.units[target])
            if not fit.squares[target]:
                residual[:] = 0.0
            outside = residual / left
            self._multiply(target, z, residual, outside, fitted)
            if self._clusters and clusters is not None:
                self._clusters[target].add(z, constant, residual, clusters)
            targets.append(self._others(target, y, residual, outside, leverage, before))
        self._rest += RowSums(
            len(x), tuple(targets), float(leverage.max()), _alone(is_alone, z, constant, y, before)
        )

    def _multiply(
        self, target: int, z: Floats, residual: Floats, outside: Floats, fitted: Floats
    ) -> None:
        """Add the products of a block."""
        length, root = self._fit.lengths[target], math.sqrt(self._fit.rows)
        unit = fitted / length if length else np.zeros(len(fitted))
        square = unit * unit * root
        cube = unit * square * root
        varying = z.shape[1]
        shorten = _shorten if self._fit.rows > ALL_BITS_ROWS else _keep
        tables = (
            (residual, (residual, residual * residual)),
            (outside, (outside,)),
            (None, (square, cube, residual)),
        )
        for sums, (factor, others) in zip(self._grams[target], tables, strict=True):
            table = np.empty((len(z), varying + len(others)), order="F")
            for place in range(varying):
                column = table[:, place]
                if factor is None:
                    column[:] = z[:, place]
                else:
                    np.multiply(z[:, place], factor, out=column)
                shorten(column)
            for place, other in enumerate(others, varying):
                table[:, place] = other
                shorten(table[:, place])
            sums.add(table, ends=[len(z)])

    def _others(
        self,
        target: int,
        y: Floats,
        residual: Floats,
        outside: Floats,
        leverage: Floats,
        before: int,
    ) -> TargetSums:
        """Return what is no product of columns."""
        fit, none = self._fit, TargetSums.of_no_rows(len(self._fit.basis.varying))
        steps = np.diff(residual)
        influential = none.influential
        if fit.squares[target] and fit.degrees_of_freedom:
            unit = fit.degrees_of_freedom / (fit.coordinates * fit.squares[target])
            cooks = outside * outside * leverage * unit
            known = self._rest.targets[target].influential
            influential = known.among_later(cooks, before, y[:, target], residual, leverage)
        return replace(
            none,
            steps=exact_sum(steps * steps),
            ends={before: (float(residual[0]), float(residual[-1]))},
            influential=influential,
        )

    def taken(self) -> RowSums:
        """Return the sums of what was added; nothing may be added any more."""
        targets = []
        for known, sums in zip(self._rest.targets, self._grams, strict=True):
            products, outside, shape = (each.taken()[0] for each in sums)
            targets.append(replace(known, products=products, outside=outside, shape=shape))
        return replace(self._rest, targets=tuple(targets))


def _squared_lengths(z: Floats, constant: Floats | None) -> Floats:
    """Return the leverage of each row, column by column: [rows]."""
    total = np.zeros(len(z)) if constant is None else constant * constant
    square = np.empty(len(z))
    for column in z.T:
        np.multiply(column, column, out=square)
        total += square
    return total


def _alone(
    is_alone: NDArray[np.bool_], z: Floats, constant: Floats | None, y: Floats, before: int
) -> AloneRows:
    """Return the rows of a block whose leverage is 1."""
    coordinates = z[is_alone]
    if constant is not None:
        coordinates = np.column_stack([constant[is_alone], coordinates])
    return AloneRows(before + np.flatnonzero(is_alone), coordinates, y[is_alone])


def _shorten(column: Floats) -> None:
    """Round the numbers to BITS beside the largest of them, in place: [rows]."""
    largest = max(float(column.max()), -float(column.min()))
    if largest:
        # Adding and subtracting 1.5 · 2^52 units rounds to a multiple of the unit.
        rounder = math.ldexp(1.5, 52 + math.frexp(largest)[1] - BITS)
        column += rounder
        column -= rounder


def _keep(_column: Floats) -> None:
    """Leave the numbers as they are."""
