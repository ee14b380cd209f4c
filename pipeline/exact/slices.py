"""Slices of few bits of the columns of a table, whose matrix products float64 computes exactly.

Each column is cut into slices, so that an ordinary float64 matrix product of two of them is exact
in whatever order BLAS adds (Ozaki, Ogita, Oishi and Rump, *Error-free transformations of matrix
multiplication by using fast routines of matrix multiplication and its applications*, 2012).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.exact.slice_plan import SAMPLE_ROWS, Floats, SlicePlan


class Slicer:
    """Cutter of blocks of rows into slices, with buffers that are used again for each block.

    Slices are ordered by their power of the base: the last slice of every column, in units of the
    column; then the slice before it of each column that has two, and so on.
    """

    def __init__(self, plan: SlicePlan, block: int) -> None:
        """block: the most rows that `cut` is given at a time."""
        self.plan = plan
        # Columns with many slices first: the slices of a power are then of the leading columns.
        # Among them checked columns first, so that these are leading columns, too.
        order = np.lexsort((~plan.checked, -plan.slices))
        self.place = np.argsort(order)
        """[columns]: the place of each column among the slices of a power"""
        self.counts = [int((plan.slices > power).sum()) for power in range(plan.slices.max())]
        """The number of slices of each power."""
        units = [plan.units[order[:n]] + plan.bits * power for power, n in enumerate(self.counts)]
        self.units = np.concatenate(units)
        """[slices]: each slice is a multiple of 2^unit"""
        # Adding and subtracting 1.5 · 2^52 units rounds to a multiple of the unit.
        self._rounders = [np.ldexp(1.5, 52 + unit)[:, None] for unit in units]
        self._checked = int(plan.checked[order].nonzero()[0].max(initial=-1)) + 1
        centred = plan.centres[order].nonzero()[0]
        self._centred = slice(centred.min(initial=len(order)), centred.max(initial=-1) + 1)
        self._centres = plan.centres[order][self._centred, None]
        self._extreme_columns = np.flatnonzero(plan.scales)
        self._slices = np.empty((len(self.units), block))
        self._rounded = np.empty((self._checked, block))

    def cut(self, tables: Sequence[Floats]) -> tuple[Floats, NDArray[np.bool_]]:
        """Cut tables side by side: return their slices, and the rows that do not fit.

        tables: [rows, columns] each. Slices: [slices, rows], of rows that do not fit zeros; they
        are overwritten by the next call.
        """
        count = len(tables[0])
        slices, rounded = self._slices[:, :count], self._rounded[:, :count]
        # The last slices are what is left when the others have been subtracted.
        rest = slices[: self.counts[0]]
        self._fill(rest, tables)
        unfit = np.zeros(count, dtype=bool)
        for column in self._extreme_columns:
            values, scale = rest[self.place[column]], self.plan.scales[column]
            scaled = np.ldexp(values, -scale)
            unfit |= np.ldexp(scaled, scale) != values
            values[:] = scaled
        if len(self._centres):
            rest[self._centred] -= self._centres
        end = len(slices)
        for power in range(len(self.counts) - 1, 0, -1):
            leading = rest[: self.counts[power]]
            digits, rounder = slices[end - len(leading) : end], self._rounders[power]
            np.add(leading, rounder, out=digits)
            np.subtract(digits, rounder, out=digits)
            np.subtract(leading, digits, out=leading)
            end -= len(leading)
        if self._checked:
            checked, rounder = rest[: self._checked], self._rounders[0][: self._checked]
            np.add(checked, rounder, out=rounded)
            np.subtract(rounded, rounder, out=rounded)
            different = rounded != checked
            if different.any():
                unfit |= different.any(axis=0)
        if unfit.any():
            slices[:, unfit] = 0
        return slices, unfit

    def _fill(self, values: Floats, tables: Sequence[Floats]) -> None:
        """Copy the columns of [1 tables] to their places in `values` [columns, rows]."""
        values[self.place[0]] = 1.0
        begin = 1
        for table in tables:
            end = begin + table.shape[1]
            places = self.place[begin:end]
            # Nearly always columns in a row, which NumPy copies in half the time.
            in_a_row = len(places) and bool((np.diff(places) == 1).all())
            values[slice(places[0], places[-1] + 1) if in_a_row else places] = table.T
            begin = end


def exact_rows(tables: Sequence[Floats], plan: SlicePlan) -> int:
    """Return how many rows a product can have and be exact, as a sample suggests."""
    step = max(1, len(tables[0]) // SAMPLE_ROWS)
    sample = [table[::step][:SAMPLE_ROWS] for table in tables]
    slicer = Slicer(plan, len(sample[0]))
    slices, _ = slicer.cut(sample)
    digits = np.ldexp(slices, -slicer.units[:, None])
    return int(2.0**52 / max(1.0, np.square(digits).mean(axis=1).max()))
