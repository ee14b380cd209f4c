"""The sums of some rows of a table: their number, the range of each column and the Gram matrix."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from pipeline.exact.gram import Gram


@dataclass(frozen=True)
class Part:
    """The sums of some rows. Columns are the encoded columns, then the targets.

    smallest, largest: the range of each column, [columns]; empty if there are no rows.
    gram: Gram matrix of [1, columns].
    standing: number of rows in the table if each stands for as many equal ones as its weight says,
    which are then the rows of the Gram matrix; else None.
    """

    smallest: tuple[float, ...]
    largest: tuple[float, ...]
    gram: Gram
    standing: int | None = None

    @property
    def rows(self) -> int:
        """Number of rows that count: each as often as its frequency says, if it has one."""
        return self.gram.rows

    @property
    def table_rows(self) -> int:
        """Number of rows in the table."""
        return self.gram.rows if self.standing is None else self.standing

    @property
    def weight(self) -> Fraction:
        """The sum of the weights: the number of rows if they have none, or frequencies."""
        return self.gram.weight

    def __add__(self, other: "Part") -> "Part":
        """Return the sums of the rows of both parts."""
        if not other.rows:
            return self
        if not self.rows:
            return other
        return Part(
            tuple(map(min, self.smallest, other.smallest)),
            tuple(map(max, self.largest, other.largest)),
            self.gram + other.gram,
            standing_of([self, other]),
        )

    def of_frequencies(self) -> "Part":
        """Return the part of rows whose weights are numbers of equal rows."""
        gram = replace(self.gram, rows=int(self.gram.weight))
        return replace(self, gram=gram, standing=self.gram.rows)

    @classmethod
    def of_no_rows(cls, columns: int) -> "Part":
        """Return the sums of no rows. columns: number of columns, without the ones."""
        return cls((), (), Gram.of_no_rows(columns))

    def as_json(self) -> dict[str, Any]:
        """Return the part for JSON; of the symmetric matrix the upper triangle.

        The same rows give the same value, however they were divided.
        """
        gram = self.gram.canonical()
        standing = {} if self.standing is None else {"table_rows": self.standing}
        return {
            "rows": gram.rows,
            **standing,
            "smallest": self.smallest,
            "largest": self.largest,
            "exponents": gram.exponents,
            "entries": [row[place:] for place, row in enumerate(gram.entries)],
        }

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Part":
        """Return the part that `as_json` wrote. Raises ValueError if sizes do not fit together."""
        upper, exponents = value["entries"], tuple(value["exponents"])
        width = len(exponents)
        if [len(row) for row in upper] != list(range(width, 0, -1)):
            raise ValueError(f"{width} exponents, and another number of entries")
        smallest, largest = tuple(value["smallest"]), tuple(value["largest"])
        columns = width - 1 if value["rows"] else 0
        if (len(smallest), len(largest)) != (columns, columns):
            raise ValueError(f"{columns} columns, and another number of ranges")
        places = range(width)
        # Column by column: the rows above the diagonal are there already.
        below = [[upper[i][j - i] for i in range(j)] for j in places]
        entries = tuple((*first, *row) for first, row in zip(below, upper, strict=True))
        gram = Gram(value["rows"], exponents, entries)
        return cls(smallest, largest, gram, value.get("table_rows"))

    def variation_of_targets(self, features: int) -> Fraction:
        """Return the exact sum of squares of all targets, each around its mean.

        features: number of encoded columns, before the targets.
        """
        targets = range(1 + features, len(self.gram.exponents))
        return sum((self.gram.variation(target) for target in targets), Fraction(0))


def standing_of(parts: Sequence[Part]) -> int | None:
    """Return `Part.standing` of the rows of parts that have rows."""
    if all(part.standing is None for part in parts):
        return None
    return sum(part.table_rows for part in parts)
