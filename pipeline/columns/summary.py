"""The summary of a table, data/summary.json: everything that a linear model needs of its rows.

For each part of the rows: their number, the range of each column and the exact Gram matrix of
[1, encoded columns, targets]. Gram matrices of parts add without rounding, so any division of the
rows gives the same summary.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import cached_property, reduce
from operator import add
from pathlib import Path
from typing import Any

from pipeline.exact.gram import Gram
from pipeline.settings import files, regular_file
from pipeline.settings.errors import UserError


@dataclass(frozen=True)
class Part:
    """The sums of some rows. Columns are the encoded columns, then the targets.

    smallest, largest: the range of each column, [columns]; empty if there are no rows.
    gram: Gram matrix of [1, columns].
    """

    smallest: tuple[float, ...]
    largest: tuple[float, ...]
    gram: Gram

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.gram.rows

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
        )

    @classmethod
    def of_no_rows(cls, columns: int) -> "Part":
        """Return the sums of no rows. columns: number of columns, without the ones."""
        return cls((), (), Gram.of_no_rows(columns))

    def as_json(self) -> dict[str, Any]:
        """Return the part for JSON; of the symmetric matrix the upper triangle.

        The same rows give the same value, however they were divided.
        """
        gram = self.gram.canonical()
        return {
            "rows": gram.rows,
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
        return cls(smallest, largest, Gram(value["rows"], exponents, entries))


@dataclass(frozen=True)
class SampleRows:
    """Numbers of rows in data/sample.parquet, in this order."""

    train: int
    """Training rows that were drawn."""
    extreme: int
    """Training rows with the smallest or the largest value of a column, if they were not drawn."""
    test: int
    """Test rows that were drawn."""


@dataclass(frozen=True)
class Summary:
    """The summary of a table.

    features: names of the encoded columns. targets: names of the targets.
    float32: the columns whose numbers are float32 in the source.
    exact: the columns of 0 and 1 or of small integers, which no rounding has made.
    folds: the training rows in parts that the seed chose.
    """

    features: tuple[str, ...]
    targets: tuple[str, ...]
    float32: frozenset[str]
    exact: frozenset[str]
    folds: tuple[Part, ...]
    test: Part
    sample: SampleRows

    @cached_property
    def train(self) -> Part:
        """All training rows."""
        return reduce(add, self.folds)

    def roundoff(self, names: Sequence[str]) -> list[float]:
        """Return the unit roundoff of each column: 2⁻²⁴ for float32, else 2⁻⁵³; 0 if exact."""
        sizes = dict.fromkeys(self.float32, 2.0**-24) | dict.fromkeys(self.exact, 0.0)
        return [sizes.get(name, 2.0**-53) for name in names]

    def as_bytes(self) -> bytes:
        """Return the content of data/summary.json."""
        value = {
            "features": self.features,
            "targets": self.targets,
            "float32": sorted(self.float32),
            "exact": sorted(self.exact),
            "train": _range(self.train),
            "folds": [fold.as_json() for fold in self.folds],
            "test": self.test.as_json(),
            "sample": {each.name: getattr(self.sample, each.name) for each in fields(SampleRows)},
        }
        # A line for each key: the matrices would fill thousands of lines.
        lines = (
            f"{json.dumps(key)}: {json.dumps(item, ensure_ascii=False, allow_nan=False)}"
            for key, item in value.items()
        )
        return ("{\n" + ",\n".join(lines) + "\n}\n").encode()

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Summary":
        """Return the summary that `as_bytes` wrote. Raises ValueError as `Part.from_json`."""
        summary = cls(
            features=tuple(value["features"]),
            targets=tuple(value["targets"]),
            float32=frozenset(value["float32"]),
            exact=frozenset(value["exact"]),
            folds=tuple(map(Part.from_json, value["folds"])),
            test=Part.from_json(value["test"]),
            sample=SampleRows(**value["sample"]),
        )
        width = 1 + len(summary.features) + len(summary.targets)
        widths = {len(part.gram.exponents) for part in (*summary.folds, summary.test)}
        if not summary.folds or widths != {width}:
            raise ValueError(
                f"{len(summary.folds)} folds, of {sorted(widths)} columns, not {width}"
            )
        return summary


def _range(part: Part) -> dict[str, Any]:
    """Return what people look up of all training rows; the matrix is the sum of the folds'."""
    return {"rows": part.rows, "smallest": part.smallest, "largest": part.largest}


def read_summary(path: Path = files.SUMMARY) -> Summary:
    """Read data/summary.json. Raises UserError if it is missing or damaged."""
    try:
        with regular_file.opened(path, regular_file.CURE_BY_REPRO) as file:
            return Summary.from_json(json.loads(file.read()))
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file; `dvc repro` makes it") from None
    except (ValueError, KeyError, TypeError, IndexError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise UserError(f"{path}: damaged ({reason}); `dvc repro -f` makes it again") from None
