"""Values of a table that cannot be used: missing, infinite, or integers that float64 rounds."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from pipeline.settings.errors import UserError
from pipeline.settings.messages import count, first_of, show
from pipeline.tables.raw_file import Block

ALL_INTEGERS_BELOW = 2.0**53  # float64 represents every smaller integer exactly
MOST_PLACES_SHOWN = 3


@dataclass
class Fault:
    """One kind of fault: its number of values in each column and of rows, and its first places."""

    counts: NDArray[np.int64]
    rows: int = 0
    places: list[int] = field(default_factory=list)

    def add(self, is_faulty: NDArray[np.bool_], block: Block) -> None:
        """Count the values of `block` that are faulty. is_faulty: [rows, columns]."""
        rows = np.flatnonzero(is_faulty.any(axis=1)).tolist()
        if rows:
            self.counts += is_faulty.sum(axis=0)
            self.rows += len(rows)
            if shown := rows[: MOST_PLACES_SHOWN - len(self.places)]:
                self.places += block.places(shown)

    def message(self, kind: str, names: Sequence[str], unit: str) -> str:
        """Return the number of values of this kind, their columns and the first places."""
        total = int(self.counts.sum())
        columns = np.flatnonzero(self.counts).tolist()
        listed = [f"{show(names[column])} ({self.counts[column]})" for column in columns]
        if len(columns) == 1:
            listed = [show(names[columns[0]])]
        first = "first " if self.rows > len(self.places) else ""
        return (
            f"{count(total, 'value')} {'is' if total == 1 else 'are'} {kind} in"
            f" {first_of(listed, 5)}, {first}in {unit}{'s' * (len(self.places) > 1)}"
            f" {', '.join(map(str, self.places))}"
        )


class Faults:
    """Faults of a file, counted to its end.

    where: the file, for messages. unit: of `Block.places`. names: the columns that are read.
    """

    def __init__(self, where: str, unit: str, names: Sequence[str]) -> None:
        self._where, self._unit, self._names = where, unit, names
        self._missing = Fault(np.zeros(len(names), np.int64))
        self._infinite = Fault(np.zeros(len(names), np.int64))
        self._inexact: list[str] = []

    def add(self, block: Block) -> bool:
        """Count the faults of `block`. Return True if the file has had any fault so far."""
        values = block.values
        if len(values):
            with np.errstate(invalid="ignore"):
                low, high = values.min(axis=0), values.max(axis=0)
            # NaN is in no interval.
            is_small = (low > -ALL_INTEGERS_BELOW) & (high < ALL_INTEGERS_BELOW)
            suspects = np.flatnonzero(~is_small)
            if len(suspects):
                self._missing.add(np.isnan(values), block)
                self._infinite.add(np.isinf(values), block)
                for column in suspects:
                    self._add_inexact(block, int(column))
        return bool(self._inexact or self._missing.rows or self._infinite.rows)

    def _add_inexact(self, block: Block, column: int) -> None:
        """Note the first integer that float64 cannot represent."""
        sizes = abs(block.values[:, column])
        large_rows = np.flatnonzero(np.isfinite(sizes) & (sizes >= ALL_INTEGERS_BELOW))
        for row, value in block.inexact(column, large_rows)[: 1 - len(self._inexact)]:
            (place,) = block.places([row])
            self._inexact.append(
                f"{self._unit} {place} has {show(self._names[column])} = {value}, an integer that"
                f" float64 cannot represent (the nearest is {int(float(value))}); if it is a"
                " label, leave the column out of data.features; else write it in a larger unit"
            )

    def check(self) -> None:
        """Raise UserError if the file has faults."""
        sentences = []
        for fault, kind, cure in (
            (
                self._missing,
                "missing",
                "remove these rows, or fill them in if the column is a feature",
            ),
            (self._infinite, "infinite", "replace them by finite numbers, or remove these rows"),
        ):
            if fault.rows:
                sentences.append(f"{fault.message(kind, self._names, self._unit)}; {cure}")
        sentences += self._inexact
        if sentences:
            raise UserError(f"{self._where}: " + f"\n  {self._where}: ".join(sentences))
