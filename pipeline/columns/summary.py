"""The summary of a table, data/summary.json: everything that a linear model needs of its rows.

For each part of the rows: their number, the range of each column and the exact Gram matrix of
[1, encoded columns, targets]. Gram matrices of parts add without rounding, so any division of the
rows gives the same summary. Which parts of the training rows train and which test in a fold of
cross-validation is written beside them.
"""

import json
from collections.abc import Sequence, Set
from dataclasses import dataclass, fields
from functools import cached_property, reduce
from operator import add
from pathlib import Path
from typing import Any

from pipeline.columns.part import Part, standing_of
from pipeline.settings import files, regular_file
from pipeline.settings.errors import UserError


@dataclass(frozen=True)
class FoldPlaces:
    """Places of the parts of the training rows that make a fold.

    test: the parts that its fit is measured on. training: the parts that it is fitted to.
    """

    test: tuple[int, ...]
    training: tuple[int, ...]

    @classmethod
    def from_json(cls, value: dict[str, Any], parts: int) -> "FoldPlaces":
        """Return the places in data/summary.json. Raises ValueError if they are not of parts."""
        places = [*value["test"], *value["training"]]
        if not all(type(place) is int and 0 <= place < parts for place in places):
            raise ValueError(f"a fold of parts {places}, of which there are {parts}")
        if len({*places}) < len(places):
            raise ValueError(f"a fold that has one of the parts {places} twice")
        return cls(tuple(value["test"]), tuple(value["training"]))


@dataclass(frozen=True)
class Fold:
    """The sums of the rows of a fold: a fit to the training rows is measured on the test rows.

    number: from 1.
    """

    number: int
    test: Part
    training: Part


def each_part_in_turn(parts: int) -> tuple[FoldPlaces, ...]:
    """Return folds whose test rows are one of the parts, and whose other parts train."""
    places = range(parts)
    return tuple(
        FoldPlaces((test,), tuple(place for place in places if place != test)) for test in places
    )


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
    parts: the training rows in parts. fold_places: which of them train and test in each fold.
    """

    features: tuple[str, ...]
    targets: tuple[str, ...]
    float32: frozenset[str]
    exact: frozenset[str]
    parts: tuple[Part, ...]
    fold_places: tuple[FoldPlaces, ...]
    test: Part
    sample: SampleRows

    @cached_property
    def train(self) -> Part:
        """All training rows."""
        return reduce(add, self.parts)

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        """The folds of the training rows; some may have no rows to train or to test on."""
        folds: list[Fold] = []
        known: tuple[Set[int], Part] = set(), self._of_no_rows
        for number, places in enumerate(self.fold_places, 1):
            # In time the rows that train for a fold are those of the fold before, and more.
            if not known[0] <= {*places.training}:
                known = set(), self._of_no_rows
            known = {*places.training}, self._of_parts(places.training, *known)
            test = self._of_parts(places.test, set(), self._of_no_rows)
            folds.append(Fold(number, test, known[1]))
        return tuple(folds)

    @property
    def folds_with_rows(self) -> tuple[Fold, ...]:
        """The folds that have training rows and test rows; none unless there are two of them."""
        folds = tuple(fold for fold in self.folds if fold.training.rows and fold.test.rows)
        return folds if len(folds) > 1 else ()

    @property
    def _of_no_rows(self) -> Part:
        return Part.of_no_rows(len(self.features) + len(self.targets))

    def _of_parts(self, places: Sequence[int], added: Set[int], known: Part) -> Part:
        """Return the sums of some of the parts. known: the sums of those that are `added`."""
        numbered = [(place, part) for place, part in enumerate(self.parts) if part.rows]
        wanted = {*places}
        new = [part for place, part in numbered if place in wanted and place not in added]
        others = [part for place, part in numbered if place not in wanted]
        if len(new) <= len(others) or not others:
            return reduce(add, new, known)
        chosen = [part for place, part in numbered if place in wanted]
        # Of a hundred parts, one is subtracted faster than the others are added.
        rest = reduce(add, [part.gram for part in others])
        return Part(
            tuple(map(min, *(part.smallest for part in chosen))),
            tuple(map(max, *(part.largest for part in chosen))),
            self.train.gram - rest,
            standing_of(chosen),
        )

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
            "parts": [part.as_json() for part in self.parts],
            "folds": [
                {"test": places.test, "training": places.training} for places in self.fold_places
            ],
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
        if "parts" not in value:  # an older one: each fold's test rows were what is a part now
            turns = [vars(places) for places in each_part_in_turn(len(value["folds"]))]
            value = value | {"parts": value["folds"], "folds": turns}
        parts = tuple(map(Part.from_json, value["parts"]))
        summary = cls(
            features=tuple(value["features"]),
            targets=tuple(value["targets"]),
            float32=frozenset(value["float32"]),
            exact=frozenset(value["exact"]),
            parts=parts,
            fold_places=tuple(FoldPlaces.from_json(fold, len(parts)) for fold in value["folds"]),
            test=Part.from_json(value["test"]),
            sample=SampleRows(**value["sample"]),
        )
        width = 1 + len(summary.features) + len(summary.targets)
        widths = {len(part.gram.exponents) for part in (*parts, summary.test)}
        if not parts or widths != {width}:
            raise ValueError(f"{len(parts)} parts, of {sorted(widths)} columns, not {width}")
        return summary


def _range(part: Part) -> dict[str, Any]:
    """Return what people look up of all training rows; the matrix is the sum of the parts'."""
    rows = {"rows": part.rows} | ({} if part.standing is None else {"table_rows": part.standing})
    return rows | {"smallest": part.smallest, "largest": part.largest}


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
