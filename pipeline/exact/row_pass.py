"""One pass over the rows of a least-squares fit, block by block, which makes its `RowSums`."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.buffers import small_buffer
from pipeline.exact.cluster_sums import ClusterSums
from pipeline.exact.exact_sum import exact_sum
from pipeline.exact.fixed_gram import MOST_ROWS, FixedGram, FullGram
from pipeline.exact.influence import AloneRows
from pipeline.exact.row_sums import Diagnosed, RowSums, TargetSums

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

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
        self._clusters = clusters
        self._keeps_all = fit.rows <= ALL_BITS_ROWS
        # Of orthonormal coordinates the squares add up to 1.
        self._whole = -fit.rows.bit_length()
        self._half, size = self._whole // 2, fit.coordinates
        kind = FullGram if self._keeps_all else FixedGram
        half, whole = self._half, self._whole
        # Of coordinates without the weights.
        self._plain = half - math.frexp(fit.root / math.sqrt(fit.rows))[1]
        self._grams = [
            (
                kind([*[whole] * size, half]),
                kind([whole] * size),
                kind([*[half] * size, 0, half, whole, half, half], 5),
            )
            for _ in fit.targets
        ]
        is_precise = fit.weighting == "precision"
        self._spreads = [kind([0, *[self._plain] * size, whole]) for _ in fit.targets if is_precise]

    @small_buffer()
    def add(
        self,
        x: Floats,
        y: Floats,
        before: int,
        clusters: Integers | None = None,
        weights: Floats | None = None,
    ) -> None:
        """Add a block of rows.

        x: [rows, features], y: [rows, targets]. before: number of rows before the block.
        clusters: the index of the cluster of each row: [rows]. weights: of the rows, above 0, if
        the fit has weights: [rows].
        """
        if not len(x):
            return
        fit, rows = self._fit, len(x)
        assert (weights is None) is (fit.weighting is None)
        roots = None if weights is None or fit.weighting == "frequency" else np.sqrt(weights)
        times = None if fit.weighting == "precision" else weights
        residual, outside = (np.empty((len(fit.targets), rows)) for _ in range(2))
        known = _Block(np.empty(rows), residual, outside, roots, times)
        size = rows if self._keeps_all or times is not None else MOST_ROWS
        alone = self._rest.alone
        for start in range(0, rows, size):
            part = slice(start, start + size)
            of_clusters = None if clusters is None else clusters[part]
            z = self._add_part(x[part], y[part], known.part(part), of_clusters)
            is_alone = np.flatnonzero(known.left[part] == 0)
            if len(is_alone):
                places = before + start + is_alone
                alone += AloneRows(places, z[:, is_alone].T, y[part][is_alone])
        leverage = 1 - known.left
        targets = tuple(self._others(each, y, known, leverage, before) for each in fit.targets)
        largest = max(self._rest.largest, float(leverage.max()))
        of_both = zip(self._rest.targets, targets, strict=True)
        self._rest = RowSums(
            self._rest.rows + rows, tuple(a + b for a, b in of_both), largest, alone
        )

    def _add_part(self, x: Floats, y: Floats, known: "_Block", clusters: Integers | None) -> Floats:
        """Add the products of some rows of a block, complete `known`, and return coordinates."""
        fit, basis, roots = self._fit, self._fit.basis, known.roots
        z, fitted = basis.applied(x)
        if roots is not None:
            z *= roots
            fitted *= roots
        work = np.multiply(z, z)
        leverage = work[0].copy() if len(work) else np.zeros(len(x))
        for square in work[1:]:
            leverage += square
        np.subtract(1, leverage, out=known.left)
        is_alone = known.left < ALONE
        known.left[is_alone] = 1
        for target in fit.targets:
            residual, outside = known.residual[target], known.outside[target]
            np.subtract(y[:, target], basis.target_centre[target], out=residual)
            residual *= 1 if roots is None else roots
            residual -= fitted[target]
            residual[is_alone] = 0
            residual *= 0.0 if not fit.squares[target] else 1.0
            residual[:] = np.ldexp(residual, -fit.units[target])
            np.divide(residual, known.left, out=outside)
            self._multiply(target, z, known, fitted[target], clusters)
        known.left[is_alone] = 0
        return z

    def _multiply(
        self, target: int, z: Floats, known: "_Block", fitted: Floats, clusters: Integers | None
    ) -> None:
        """Add the products of some rows."""
        residual, outside, times = known.residual[target], known.outside[target], known.times
        (size, rows), length, root = z.shape, self._fit.lengths[target], self._fit.root
        unit = fitted / length if length else np.zeros(rows)
        # The powers are those of the fit itself; each is then a column of weighted rows.
        plain = unit if known.roots is None else unit / known.roots
        square = unit * plain * root
        products, without, shape = self._grams[target]
        per_half, per_whole = 2.0**-self._half, 2.0**-self._whole
        table = np.empty((size + 5, rows))
        coordinates = table[:size]
        np.multiply(z, residual * per_whole, out=coordinates)
        np.multiply(residual, per_half, out=table[size])
        if clusters is not None and self._clusters:
            self._clusters[target].add(coordinates, self._whole, clusters, times)
        products.add(table[: size + 1], times)
        np.multiply(z, outside * per_whole, out=coordinates)
        without.add(coordinates, times)
        np.multiply(z, per_half, out=coordinates)
        moments = table[size:]
        moments[0] = 1
        np.multiply(residual, per_half, out=moments[1])
        np.multiply(residual, residual * per_whole, out=moments[2])
        np.multiply(square, per_half, out=moments[3])
        np.multiply(plain * square * root, per_half, out=moments[4])
        shape.add(table, times)
        if known.roots is not None:
            table[0] = 1
            np.multiply(z, 2.0**-self._plain / known.roots, out=table[1 : 1 + size])
            np.multiply(residual, residual * per_whole, out=table[1 + size])
            self._spreads[target].add(table[: size + 2])

    def _others(
        self, target: int, y: Floats, known: "_Block", leverage: Floats, before: int
    ) -> TargetSums:
        """Return what is no product of columns."""
        fit, none = self._fit, TargetSums.of_no_rows(self._fit.coordinates)
        residual, outside = known.residual[target], known.outside[target]
        steps = np.diff(residual)
        influential = none.influential
        if fit.squares[target] and fit.degrees_of_freedom:
            unit = fit.degrees_of_freedom / (fit.coordinates * fit.squares[target])
            cooks = outside * outside * leverage * unit
            kept = self._rest.targets[target].influential
            roots = np.ones(len(y)) if known.roots is None else known.roots
            influential = kept.among_later(cooks, before, y[:, target], residual, leverage, roots)
        return replace(
            none,
            steps=exact_sum(steps * steps),
            ends={before: (float(residual[0]), float(residual[-1]))},
            influential=influential,
        )

    def taken(self) -> RowSums:
        """Return the sums of what was added; nothing may be added any more."""
        targets = []
        for known, grams in zip(self._rest.targets, self._grams, strict=True):
            products, outside, shape = (each.taken() for each in grams)
            targets.append(replace(known, products=products, outside=outside, shape=shape))
        for target, gram in enumerate(self._spreads):
            targets[target] = replace(targets[target], spread=gram.taken())
        return replace(self._rest, targets=tuple(targets))


class _Block:
    """What is known of the rows of a block.

    left: 1 − leverage, 0 of rows that alone determine a coefficient: [rows]. residual: in units of
    the fit; outside: by the fit to the other rows: [targets, rows]. roots: square roots of the
    precisions, by which rows are multiplied; times: how often each row counts: [rows], if any.
    """

    def __init__(
        self,
        left: Floats,
        residual: Floats,
        outside: Floats,
        roots: Floats | None,
        times: Floats | None,
    ) -> None:
        self.left, self.residual, self.outside = left, residual, outside
        self.roots, self.times = roots, times

    def part(self, rows: slice) -> "_Block":
        """Return the same of some rows, in the same memory."""
        roots, times = (None if own is None else own[rows] for own in (self.roots, self.times))
        return _Block(self.left[rows], self.residual[:, rows], self.outside[:, rows], roots, times)
